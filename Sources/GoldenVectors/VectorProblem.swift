import NumberFormats

extension VectorSpec {
  /// A sum's operands, the numbers of its input fields in their order, as a problem of
  /// `rows` × `columns` outputs.
  public func problem(_ numbers: [UInt64]) -> MatmulProblem {
    let element = quantization.format.element
    let blocks = (depth - 1) / lanes + 1
    let scales = (rows + columns) * depth
    func operand(_ start: Int, lines: Int, scales: Int) -> MatmulOperand {
      var codes = [UInt8]()
      codes.reserveCapacity(lines * depth * element.codeBytes)
      for code in numbers[start..<(start + lines * depth)] {
        for byte in 0..<element.codeBytes {
          codes.append(UInt8(truncatingIfNeeded: code >> UInt64(8 * byte)))
        }
      }
      var result = MatmulOperand(element: element, lines: lines, depth: depth, codes: codes)
      if isScaled {
        result.scales = MatmulOperand.Scales(
          format: quantization.format.scale, block: lanes,
          codes: numbers[scales..<(scales + lines * blocks)].map { UInt32(truncatingIfNeeded: $0) })
      }
      return result
    }
    var problem = MatmulProblem(
      a: operand(0, lines: rows, scales: scales),
      b: operand(rows * depth, lines: columns, scales: scales + rows * blocks),
      accumulator: accumulator)
    if operation == .matmul, hasTensorScale, let start = inputs.start(of: "tensor_scale_a") {
      problem.a.tensorScale = Float(bitPattern: UInt32(truncatingIfNeeded: numbers[start]))
      problem.b.tensorScale = Float(bitPattern: UInt32(truncatingIfNeeded: numbers[start + 1]))
    }
    if operation == .mma || operation == .matmul {
      problem.c = numbers.suffix(rows * columns).map(extended)
    }
    return problem
  }

  /// One output of a problem as a problem of its own.
  static func output(_ problem: MatmulProblem, row: Int, column: Int) -> MatmulProblem {
    var part = problem
    part.a = problem.a.lines(row..<(row + 1))
    part.b = problem.b.lines(column..<(column + 1))
    part.c = problem.c.map { [$0[row * problem.columns + column]] }
    return part
  }

  /// A pattern of the output as engines take it.
  private func extended(_ pattern: UInt64) -> Int64 {
    let width = UInt64(outputWidth)
    guard isRegister else { return Int64(bitPattern: pattern) }
    return Int64(bitPattern: pattern << (64 - width)) >> Int64(64 - width)
  }

  /// Bits of one result.
  var outputWidth: Int { expected.fields.first?.laneWidth ?? 32 }

  /// The bits of engines' patterns that a result has.
  func patterns(_ results: [Int64]) -> [UInt64] {
    let width = UInt64(outputWidth)
    let mask: UInt64 = width == 64 ? .max : (1 << width) - 1
    return results.map { UInt64(bitPattern: $0) & mask }
  }
}

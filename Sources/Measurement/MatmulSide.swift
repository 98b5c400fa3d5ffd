import NumberFormats

/// One side of a matmul ready to be multiplied: the unit's codes, and the numbers they stand for.
struct MatmulSideData: Sendable {
  /// The lines before quantisation, not rotated.
  var original: LineMatrix
  /// What the lines went through before quantisation, and the codes' numbers go back through.
  var rotation: HadamardRotation?
  /// The lines with what an outlier split keeps apart; nil where nothing is.
  var whole: LineMatrix?
  var operand: MatmulOperand
  /// What the codes were rewritten to, where the unit takes another element: exact.
  var carrier: String?
  var clampedScales = 0
  /// Numbers of the file that float32 does not hold.
  var narrowed = 0

  /// The lines at `indices`.
  func gathering(_ indices: [Int]) -> MatmulSideData {
    guard indices.count < operand.lines else { return self }
    var part = self
    part.original = original.gathering(indices)
    part.whole = whole?.gathering(indices)
    part.operand.lines = indices.count
    let width = operand.depth * operand.element.codeBytes
    part.operand.codes = indices.flatMap { operand.codes[($0 * width)..<(($0 + 1) * width)] }
    if let scales = operand.scales {
      let blocks = MatmulOperand.Scales.count(depth: operand.depth, block: scales.block)
      part.operand.scales?.codes = indices.flatMap {
        scales.codes[($0 * blocks)..<(($0 + 1) * blocks)]
      }
    }
    return part
  }
}

/// Turns lines of numbers into an operand of an accumulator.
struct MatmulSideBuilder: Sendable {
  let engine: any QuantizationEngine
  let parallel: Parallel
  let accumulator: Accumulator
  /// For errors.
  let tensor: InputTensor
  /// Where the matrix starts in its tensor: stochastic rounding counts from there.
  let firstElement: Int

  func build(
    _ matrix: LineMatrix, _ request: MatmulSideRequest
  ) throws(MeasurementError) -> MatmulSideData {
    guard let spec = request.spec else { return try unquantised(matrix) }
    return try carried(try quantised(matrix, spec: spec, block: request.block))
  }

  private func failure(_ error: QuantizeError) -> MeasurementError {
    .quantize(file: tensor.path, tensor: tensor.name, error)
  }

  private func quantised(
    _ matrix: LineMatrix, spec: QuantizationSpec, block: BlockShape
  ) throws(MeasurementError) -> MatmulSideData {
    let grid: BlockGrid
    do throws(BlockGridError) {
      grid = try BlockGrid(shape: [matrix.lines, matrix.depth], axis: -1, block: block)
    } catch {
      throw .grid(file: tensor.path, tensor: tensor.name, error)
    }
    let count = matrix.lines * matrix.depth
    if case .given(let bits) = spec.randomBits, bits.count != tensor.info.count {
      throw .randomBitsCount(
        file: tensor.path, tensor: tensor.name, given: bits.count, expected: tensor.info.count)
    }
    let tensorScale: TensorScale
    do throws(QuantizeError) {
      tensorScale = try engine.tensorScale(amax: largest(matrix), spec: spec)
    } catch {
      throw failure(error)
    }
    let width = spec.format.element.codeBytes
    let codes = Storage<UInt8>(count: max(1, count * width))
    let scales = Storage<UInt32>(count: max(1, grid.blockCount))
    let slabs = grid.slabs(maximumElements: 1 << 16)
    let counts = try parallel.map(slabs.count) {
      (index) throws(MeasurementError) -> QuantizeCounts in
      let slab = slabs[index]
      let bytes = (slab.elements.lowerBound * width)..<(slab.elements.upperBound * width)
      do throws(QuantizeError) {
        return try engine.quantize(
          matrix.values.reading(slab.elements), grid: slab.grid, spec: spec,
          tensorScale: tensorScale, firstElement: firstElement + slab.elements.lowerBound,
          scalesGiven: false,
          codes: UnsafeMutableRawBufferPointer(codes[bytes]), scales: scales[slab.blocks])
      } catch {
        throw failure(error)
      }
    }
    let operand = MatmulOperand(
      element: spec.format.element, lines: matrix.lines, depth: matrix.depth,
      codes: Array(codes.reading(0..<(count * width))),
      scales: MatmulOperand.Scales(
        format: spec.format.scale, block: max(1, grid.tileColumns(of: matrix.depth)),
        codes: lineScales(scales, grid: grid, lines: matrix.lines)),
      tensorScale: spec.storesTensorScale ? tensorScale.decode : nil)
    return MatmulSideData(
      original: matrix, operand: operand,
      clampedScales: counts.reduce(0) { $0 + $1.clampedScales })
  }

  /// Scales of every line, those of a tile or of a whole tensor repeated.
  private func lineScales(_ scales: Storage<UInt32>, grid: BlockGrid, lines: Int) -> [UInt32] {
    guard grid.blockCount > 0 else { return [] }
    if grid.block == .tensor {
      return [UInt32](repeating: scales.reading(0..<1)[0], count: lines)
    }
    let stored = scales.reading(0..<grid.blockCount)
    return (0..<lines).flatMap { line in
      let row = line / grid.tileRows
      return stored[(row * grid.blockColumns)..<((row + 1) * grid.blockColumns)]
    }
  }

  private func largest(_ matrix: LineMatrix) -> Float {
    let maxima = parallel.map(matrix.lines) { line -> UInt32 in
      var result: UInt32 = 0
      for value in matrix.line(line) {
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        if magnitude < 0x7F80_0000 { result = max(result, magnitude) }
      }
      return result
    }
    return Float(bitPattern: maxima.max() ?? 0)
  }

  /// Numbers rounded by tiesToEven to the unit's operand type; as they are where it takes any.
  private func unquantised(_ matrix: LineMatrix) throws(MeasurementError) -> MatmulSideData {
    let count = matrix.lines * matrix.depth
    switch accumulator.operands {
    case .any:
      let operand = MatmulOperand(
        element: .float32, lines: matrix.lines, depth: matrix.depth,
        codes: Array(UnsafeRawBufferPointer(matrix.values.reading(0..<count))))
      return MatmulSideData(original: matrix, operand: operand)
    case .integers:
      throw .usage(
        "the accumulator \(accumulator.name) multiplies integers: --format none gives it nothing"
          + " to multiply (expected an integer block format such as int8)")
    case .named(let elements):
      guard let name = elements.first, let element = carriers[name] else {
        throw .usage("the accumulator \(accumulator.name) takes no element")
      }
      return MatmulSideData(
        original: matrix, operand: try encoded(matrix, element), carrier: element.name)
    }
  }

  private func encoded(
    _ matrix: LineMatrix, _ element: ElementFormat
  ) throws(MeasurementError) -> MatmulOperand {
    let count = matrix.lines * matrix.depth
    var codes = [UInt8](repeating: 0, count: count * element.codeBytes)
    // Wide formats convert as hardware does, to infinity; narrow ones saturate.
    let options = EncodeOptions(overflow: element.bits >= 16 ? .nonFinite : .saturate)
    let result = codes.withUnsafeMutableBytes { bytes in
      Result { () throws(QuantizeError) in
        try engine.encode(
          matrix.values.reading(0..<count), element: element, options: options, into: bytes)
      }
    }
    do throws(QuantizeError) { try result.get() } catch { throw failure(error) }
    return MatmulOperand(
      element: element, lines: matrix.lines, depth: matrix.depth, codes: codes)
  }

  /// Elements by name, for the accumulator's operand types.
  var carriers: [String: ElementFormat] = [:]

  /// Rewrites codes that the unit does not take to its first element that holds all their values.
  private func carried(_ data: MatmulSideData) throws(MeasurementError) -> MatmulSideData {
    guard !accumulator.takes(data.operand.element) else { return data }
    let source = data.operand.element
    if case .named(let names) = accumulator.operands, source.bits <= 16 {
      for name in names {
        guard let carrier = carriers[name],
          let map = exactCodes(of: source, in: carrier)
        else { continue }
        return rewritten(data, to: carrier, by: map)
      }
    }
    throw .usage(
      "the accumulator \(accumulator.name) does not take \(source.name) elements, and none of its"
        + " own (\(operandNames)) holds all their values")
  }

  private var operandNames: String {
    switch accumulator.operands {
    case .any: "any"
    case .integers(let bits): "integers of at most \(bits) bits"
    case .named(let names): names.joined(separator: ", ")
    }
  }

  /// A carrier's code for each code, where every value is exact; nil otherwise.
  private func exactCodes(of source: ElementFormat, in carrier: ElementFormat) -> [UInt32]? {
    let values = decoded(Array(0..<UInt32(source.codeCount)), source)
    guard values.allSatisfy({ !$0.isNaN || carrier.canonicalNaN != nil }) else { return nil }
    var bytes = [UInt8](repeating: 0, count: values.count * carrier.codeBytes)
    let encoded: Bool = values.withUnsafeBufferPointer { values in
      bytes.withUnsafeMutableBytes { bytes in
        (try? engine.encode(values, element: carrier, options: EncodeOptions(), into: bytes)) != nil
      }
    }
    guard encoded else { return nil }
    let codes = unpacked(bytes, width: carrier.codeBytes)
    let back = decoded(codes, carrier)
    for (value, again) in zip(values, back) {
      guard value == again || (value.isNaN && again.isNaN) else { return nil }
    }
    return codes
  }

  private func decoded(_ codes: [UInt32], _ element: ElementFormat) -> [Float] {
    let bytes = packed(codes, width: element.codeBytes)
    var values = [Float](repeating: 0, count: codes.count)
    bytes.withUnsafeBytes { bytes in
      values.withUnsafeMutableBufferPointer {
        engine.decode(codes: bytes, element: element, into: $0)
      }
    }
    return values
  }

  private func rewritten(
    _ data: MatmulSideData, to carrier: ElementFormat, by map: [UInt32]
  ) -> MatmulSideData {
    var result = data
    let source = data.operand.element
    let codes = unpacked(data.operand.codes, width: source.codeBytes)
    result.operand.codes = packed(codes.map { map[Int($0) % map.count] }, width: carrier.codeBytes)
    result.operand.element = carrier
    result.carrier = carrier.name
    return result
  }
}

extension BlockGrid {
  /// Elements of a block along a line of `depth` elements.
  fileprivate func tileColumns(of depth: Int) -> Int {
    block == .tensor ? depth : min(tileColumns, depth)
  }
}

/// Little-endian codes as numbers.
func unpacked(_ bytes: [UInt8], width: Int) -> [UInt32] {
  guard width > 1 else { return bytes.map { UInt32($0) } }
  return stride(from: 0, to: bytes.count, by: width).map { start in
    (0..<width).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
  }
}

/// Numbers as little-endian codes.
func packed(_ codes: [UInt32], width: Int) -> [UInt8] {
  guard width > 1 else { return codes.map { UInt8(truncatingIfNeeded: $0) } }
  return codes.flatMap { code in
    (0..<width).map { UInt8(truncatingIfNeeded: code >> UInt32(8 * $0)) }
  }
}

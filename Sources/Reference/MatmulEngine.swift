import NumberFormats

/// The definition of every accumulator: exact integers of any size, one output at a time, rounded
/// only where the unit rounds.
extension MPFREngine: MatmulEngine {
  public func multiply(
    _ problem: MatmulProblem, into output: UnsafeMutableRawBufferPointer
  ) throws(MatmulError) {
    let sums = try MatmulSums(problem)
    for row in 0..<problem.rows {
      for column in 0..<problem.columns {
        let pattern = sums.output(row: row, column: column, trace: nil)
        let index = row * problem.columns + column
        switch problem.outputType {
        case .float32:
          output.storeBytes(
            of: UInt32(truncatingIfNeeded: pattern), toByteOffset: 4 * index, as: UInt32.self)
        case .float16:
          output.storeBytes(
            of: UInt16(truncatingIfNeeded: pattern), toByteOffset: 2 * index, as: UInt16.self)
        case .int32:
          output.storeBytes(
            of: Int32(truncatingIfNeeded: pattern), toByteOffset: 4 * index, as: Int32.self)
        case .int64:
          output.storeBytes(of: pattern, toByteOffset: 8 * index, as: Int64.self)
        }
      }
    }
  }

  /// Every step of one output's sum, by the code that `multiply` runs.
  ///
  /// - Throws: what `multiply` throws, and `noOutput` where D has no such row or column.
  public func trace(
    _ problem: MatmulProblem, row: Int, column: Int
  ) throws(MatmulError) -> MatmulTrace {
    guard (0..<problem.rows).contains(row), (0..<problem.columns).contains(column) else {
      throw .noOutput(
        row: row, column: column, rows: problem.rows, columns: problem.columns)
    }
    var one = problem
    one.a = problem.a.lines(row..<(row + 1))
    one.b = problem.b.lines(column..<(column + 1))
    one.c = problem.c.map { [$0[row * problem.columns + column]] }
    let trace = MatmulRecorder()
    let result = try MatmulSums(one).output(row: 0, column: 0, trace: trace)
    return MatmulTrace(steps: trace.steps, result: result)
  }
}

/// A problem with its operands decoded.
struct MatmulSums {
  let problem: MatmulProblem
  let a: MatmulLines
  let b: MatmulLines

  var accumulator: Accumulator { problem.accumulator }
  var result: Accumulator.Output { accumulator.output }

  init(_ problem: MatmulProblem) throws(MatmulError) {
    try problem.check()
    self.problem = problem
    a = MatmulLines(problem.a)
    b = MatmulLines(problem.b)
    guard case .fixed = accumulator.datapath else { return }
    for (side, lines, count) in [
      (MatmulSide.a, a, problem.rows), (MatmulSide.b, b, problem.columns),
    ] {
      if let place = lines.firstNotFinite(lines: count) {
        throw .notFinite(side, line: place.line, k: place.k, accumulator: accumulator.name)
      }
    }
  }

  /// D's pattern at `row`, `column`.
  func output(row: Int, column: Int, trace: MatmulRecorder?) -> Int64 {
    let dot = MatmulDot(sums: self, row: row, column: column, trace: trace)
    switch accumulator.datapath {
    case .fixed(let register): return dot.fixed(register)
    case .integer(let register) where problem.outputType != .float32:
      return dot.integer(register)
    default: return dot.float()
    }
  }

  /// C's pattern; zero where there is no C.
  func addend(row: Int, column: Int) -> Int64 {
    problem.c?[row * problem.columns + column] ?? 0
  }
}

/// One output's sum.
struct MatmulDot {
  let sums: MatmulSums
  let row: Int
  let column: Int
  let trace: MatmulRecorder?

  var problem: MatmulProblem { sums.problem }
  var accumulator: Accumulator { sums.accumulator }
  var depth: Int { problem.depth }
  /// C's pattern.
  var addend: Int64 { sums.addend(row: row, column: column) }

  func a(_ k: Int) -> MatmulFactor { sums.a.element(line: row, k: k) }
  func b(_ k: Int) -> MatmulFactor { sums.b.element(line: column, k: k) }
  func scaleA(_ k: Int) -> MatmulFactor { sums.a.scale(line: row, k: k) }
  func scaleB(_ k: Int) -> MatmulFactor { sums.b.scale(line: column, k: k) }

  /// a·b·s_A·s_B, exactly.
  func scaledProduct(_ k: Int) -> MatmulValue {
    let product = a(k).value * b(k).value
    guard problem.isScaled else { return product }
    return product * scaleA(k).value * scaleB(k).value
  }

  /// T_A·T_B, exactly; an absent one is 1.
  var tensorScale: MatmulValue? {
    guard problem.a.tensorScale != nil || problem.b.tensorScale != nil else { return nil }
    return MatmulValue(problem.a.tensorScale ?? 1) * MatmulValue(problem.b.tensorScale ?? 1)
  }
}

import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("What holds for every accumulator")
struct MatmulContractTests {
  /// Every row, and a register of the command line.
  private func rows() throws -> [Accumulator] {
    let catalog = try standard()
    return catalog.accumulators + [try #require(catalog.accumulator("fixed(24,-4,saturate)"))]
  }

  @Test("K = 0 gives c converted to the output")
  func noTerms() throws {
    for unit in try rows() {
      let empty = try operand([], unit.someElement)
      let line = MatmulOperand(element: empty.element, lines: 1, depth: 0, codes: [])
      func converted(_ c: Int64?) throws -> Int64 { try dot(line, line, unit, c: c) }
      #expect(try converted(nil) == 0, "\(unit.name)")
      switch unit.output.format {
      case .float32(let bits):
        let c: Int64 = 0x3F80_0001
        // Promoted sums are kept in FP32, whatever the unit's own format.
        let isKept = bits == 23 || unit.promoteEvery != nil
        #expect(try converted(c) == (isKept ? c : 0x3F80_0000), "\(unit.name)")
        #expect(try converted(0x8000_0000) == 0x8000_0000, "\(unit.name): -0")
        #expect(try converted(0xFFC0_0001) == Int64(unit.output.nan), "\(unit.name): NaN")
        #expect(try converted(0xFF80_0000) == 0xFF80_0000, "\(unit.name): -infinity")
      case .float16:
        #expect(try converted(0x3C01) == 0x3C01, "\(unit.name)")
        #expect(try converted(0xFE00) == Int64(unit.output.nan), "\(unit.name): NaN")
      case .int32, .int64: #expect(try converted(-12345) == -12345, "\(unit.name)")
      }
    }
  }

  @Test("lanes beyond K are products +0: zeros appended to K change nothing")
  func padding() throws {
    var bits = TestBits(21)
    for unit in try rows() {
      for depth in [1, 3, 13, 37, 65] {
        let (a, b) = (bits.plainValues(depth), bits.plainValues(depth))
        // 192 is a multiple of every row's step.
        let zeros = [Float](repeating: 0, count: 192 - depth)
        let element = unit.someElement
        let short = try dot(operand(a, element), operand(b, element), unit)
        let long = try dot(operand(a + zeros, element), operand(b + zeros, element), unit)
        #expect(short == long, "\(unit.name), K = \(depth)")
      }
    }
  }

  @Test("small integers are summed exactly by every unit whose output holds them")
  func smallSums() throws {
    var bits = TestBits(8)
    for unit in try rows() {
      let (a, b) = (bits.plainValues(29), bits.plainValues(29))
      let exact = zip(a, b).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      let sum = try dot(operand(a, unit.someElement), operand(b, unit.someElement), unit)
      let expected: Int64 =
        switch unit.output.format {
        case .float32: Int64(exact.bitPattern)
        case .float16: Int64(Float16(exact).bitPattern)
        case .int32: Int64(exact)
        case .int64: Int64(exact) * 16
        }
      #expect(sum == expected, "\(unit.name): \(exact)")
    }
  }

  @Test("outputs are laid out row by row, each from its own line of A and of B and its own c")
  func layout() throws {
    var bits = TestBits(2)
    for unit in try rows() {
      let element = unit.someElement
      let (a, b) = (bits.plainValues(3 * 9), bits.plainValues(2 * 9))
      let c: [Int64] = (0..<6).map {
        switch unit.output.format {
        case .float32: Int64(Float($0).bitPattern)
        case .float16: Int64(Float16(Float($0)).bitPattern)
        case .int32, .int64: Int64($0)
        }
      }
      let problem = MatmulProblem(
        a: try operand(a, element, lines: 3), b: try operand(b, element, lines: 2), c: c,
        accumulator: unit)
      let observed = try MPFREngine().multiply(problem)
      for row in 0..<3 {
        for column in 0..<2 {
          let one = try dot(
            operand(Array(a[(9 * row)..<(9 * row + 9)]), element),
            operand(Array(b[(9 * column)..<(9 * column + 9)]), element), unit,
            c: c[2 * row + column])
          #expect(observed[2 * row + column] == one, "\(unit.name) at \(row), \(column)")
        }
      }
    }
  }

  @Test("a trace ends in the output's pattern, and its aligned terms add up to the sum")
  func traces() throws {
    var bits = TestBits(99)
    for unit in try rows() {
      let element = unit.someElement
      let problem = MatmulProblem(
        a: try operand(bits.plainValues(2 * 70), element, lines: 2),
        b: try operand(bits.plainValues(2 * 70), element, lines: 2), accumulator: unit)
      let outputs = try MPFREngine().multiply(problem)
      let trace = try MPFREngine().trace(problem, row: 1, column: 0)
      #expect(trace.result == outputs[2], "\(unit.name)")
      #expect(trace.steps.last?.result == trace.result, "\(unit.name)")
      for step in trace.steps where step.kind == "fused" && step.maximumExponent != nil {
        let total = step.terms.reduce(0.0) { $0 + value($1.aligned) }
        #expect(total == value(step.sum), "\(unit.name), k = \(step.k)")
      }
    }
  }

  private func value(_ number: MatmulTrace.Value) -> Double {
    (Double(number.significand) ?? .nan)
      * Double(sign: .plus, exponent: number.exponent, significand: 1)
  }

  @Test("a trace shows the maximum exponent, the term before and after alignment, and the sum")
  func traceOfAStep() throws {
    let trace = try MPFREngine().trace(
      MatmulProblem(
        a: operand([1.5, -0x1p-14], "e5m2"), b: operand([4, 1.5], "e5m2"),
        c: [Int64(Float(1).bitPattern)], accumulator: accumulator("hopper-fp8")),
      row: 0, column: 0)
    let step = try #require(trace.steps.first)
    #expect(trace.steps.count == 1 && step.kind == "fused" && step.k == 0..<2)
    #expect(step.maximumExponent == 2)
    #expect(step.terms.count == 33)
    // -1.5 · 2^-14 is cut to 0 in units of 2^(2 - 13).
    #expect(step.terms[1].value == .init(significand: "-3", exponent: -15))
    #expect(step.terms[1].exponent == -14)
    #expect(step.terms[1].aligned == .init(significand: "0", exponent: -11))
    #expect(step.terms[5].exponent == -133 && step.terms[5].k.isEmpty)
    #expect(step.terms[32].value == .init(significand: "1", exponent: 0))
    #expect(step.sum == .init(significand: "7", exponent: 0))
    #expect(step.result == Int64(Float(7).bitPattern))
  }

  @Test("an output outside D, unequal depths and formats that a unit does not take are errors")
  func errors() throws {
    let unit = try accumulator("hopper-fp8")
    let line = try operand([1, 2], "e4m3")
    let problem = MatmulProblem(a: line, b: line, accumulator: unit)
    #expect(throws: MatmulError.noOutput(row: 1, column: 0, rows: 1, columns: 1)) {
      try MPFREngine().trace(problem, row: 1, column: 0)
    }
    #expect(throws: MatmulError.noOutput(row: 0, column: -1, rows: 1, columns: 1)) {
      try MPFREngine().trace(problem, row: 0, column: -1)
    }
    #expect(throws: MatmulError.depths(2, 1)) {
      try MPFREngine().multiply(
        MatmulProblem(a: line, b: operand([1], "e4m3"), accumulator: unit))
    }
    #expect(throws: MatmulError.element(.b, "bf16", accumulator: "hopper-fp8")) {
      try MPFREngine().multiply(
        MatmulProblem(a: line, b: operand([1, 2], "bf16"), accumulator: unit))
    }
  }

  @Test("an exact sum spans float32's whole range without losing a bit")
  func wideSums() throws {
    let (a, b): ([Float], [Float]) = (
      [0x1p127, 0x1p-149, -0x1p127], [0x1p127, 0x1p127, 0x1p127]
    )
    expectValue(try dot(a, b, "fp32", "exact"), 0x1p-22, "2^254 + 2^-22 - 2^254")
    let scaled = try dot(
      operand([0x1p127, 0x1p-149], "fp32", block: 1, scale: "fp32", scales: [0x1p127, 0x1p-149]),
      operand(
        [0x1p-127, 0x1p-149], "fp32", block: 1, scale: "fp32", scales: [0x1p-127, 0x1p-149]),
      accumulator("exact"), c: Int64(Float(-1).bitPattern))
    expectPattern(UInt32(scaled), 0, "1 + 2^-596 - 1 is below every float32")
  }
}

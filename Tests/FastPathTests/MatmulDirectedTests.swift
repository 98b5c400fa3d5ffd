import FastPath
import NumberFormats
import Testing

/// Codes of an element by value.
private struct Codes {
  private var byValue: [Float: UInt32] = [:]
  let rising: [UInt32]
  let zero: UInt32
  /// Exponents e such that 2^e is a number of the format.
  let powers: [Int]
  private let width: Int

  init(_ element: ElementFormat) {
    let pool = CodePool(element)
    rising = pool.rising
    zero = pool.zeros.first ?? 0
    width = element.codeBytes
    for code in pool.finite { byValue[pool.values[code] ?? 0] = code }
    let values = byValue
    powers = (-149...127).filter {
      values[Float(sign: .plus, exponent: $0, significand: 1)] != nil
    }
  }

  func power(_ exponent: Int, negative: Bool = false) -> UInt32 {
    byValue[Float(sign: negative ? .minus : .plus, exponent: exponent, significand: 1)] ?? zero
  }

  func code(_ value: Float) -> UInt32 { byValue[value] ?? zero }
  func bytes(_ codes: [UInt32]) -> [UInt8] { matmulBytes(codes, width) }
}

private func fusedPresets() -> [String] {
  catalog.accumulators.filter {
    if case .fused = $0.datapath { return true }
    return false
  }.map(\.name)
}

/// One line of B for each distance: the largest power of two, a power `distance` below it, and the
/// smallest number; A's lines give signs.
private func ladder(
  _ accumulator: Accumulator, _ element: ElementFormat, distances: ClosedRange<Int>, depth: Int
) -> MatmulProblem {
  let codes = Codes(element)
  let top = codes.powers.last ?? 0
  let unit = codes.powers.contains(0) ? 0 : top
  let columns = distances.map { distance in
    [
      codes.power(top), codes.power(top - distance), codes.rising[0],
      codes.power(top - distance, negative: true), codes.rising[0],
    ].prefix(depth) + Array(repeating: codes.zero, count: max(0, depth - 5))
  }
  let (plus, minus) = (codes.power(unit), codes.power(unit, negative: true))
  let odd = codes.code(1.5)
  let signs = [
    [plus, plus, plus, codes.zero, codes.zero], [plus, minus, minus, codes.zero, plus],
    [minus, plus, codes.zero, odd, plus], [plus, codes.zero, minus, minus, plus],
    [odd, minus, plus, odd, minus], [codes.zero, plus, codes.zero, plus, plus],
    [codes.zero, plus, minus, codes.zero, codes.zero],
  ]
  let rows = signs.map { $0.prefix(depth) + Array(repeating: plus, count: max(0, depth - 5)) }
  return MatmulProblem(
    a: MatmulOperand(
      element: element, lines: rows.count, depth: depth, codes: codes.bytes(rows.flatMap { $0 })),
    b: MatmulOperand(
      element: element, lines: columns.count, depth: depth,
      codes: codes.bytes(columns.flatMap { $0 })),
    accumulator: accumulator)
}

@Suite("Matmul: directed cases")
struct MatmulDirectedTests {
  @Test(
    "Terms at every distance below the largest, with tails, c above and below",
    arguments: fusedPresets())
  func alignment(name: String) throws {
    let accumulator = try #require(catalog.accumulator(name))
    guard case .named(let names) = accumulator.operands,
      case .fused(let step) = accumulator.datapath
    else { return }
    let fraction = step.alignment?.fraction ?? 30
    for element in Set([names[0], names[names.count - 1]]).sorted() {
      let format = try matmulElement(element)
      for depth in [3, step.terms + 1] {
        var problem = ladder(accumulator, format, distances: 0...(fraction + 3), depth: depth)
        try compareMatmul(problem, "\(element) k \(depth) without c")
        let half = problem.outputType == .float16
        for (offset, sign) in [(0, Int64(0)), (-9, 1), (30, 1)] {
          problem.c = (0..<(problem.rows * problem.columns)).map { index in
            let exponent = index % problem.columns + offset
            let field = half ? min(max(exponent + 2, 0), 30) : min(max(exponent + 110, 0), 254)
            return sign << (half ? 15 : 31) | Int64(field) << (half ? 10 : 23)
              | Int64(index % 3)
          }
          try compareMatmul(problem, "\(element) k \(depth) c from \(offset)")
        }
      }
    }
  }

  static let discriminators: [(String, Float)] = [
    ("volta-fp16", 0), ("ada-fp8", 0), ("hopper-fp8", 0), ("cdna2-bf16-1k", 0), ("cdna2-fp16", 0),
    ("cdna2-bf16", -0.375), ("turing-fp16", -0.5), ("ampere-bf16", -0.5), ("ada-fp16", -0.5),
    ("cdna3-fp16", -0.5), ("cdna3-bf16", -0.5), ("hopper-fp16", -0.75), ("blackwell-fp16", -0.75),
    ("blackwell-fp8", -0.75), ("blackwell-mx", -0.75), ("cdna1-fp16", -0.875),
    ("cdna1-bf16", -0.875),
  ]

  @Test(
    "2^23 − 2^23 − ½ − ¼ − ⅛ tells the units apart", arguments: discriminators.map(\.0))
  func discriminator(name: String) throws {
    let accumulator = try #require(catalog.accumulator(name))
    let expected = try #require(Self.discriminators.first { $0.0 == name }).1
    guard case .named(let names) = accumulator.operands else { return }
    let element = try matmulElement(names.contains("e5m2") ? "e5m2" : names[0])
    let codes = Codes(element)
    var problem = MatmulProblem(
      a: MatmulOperand(
        element: element, lines: 1, depth: 4,
        codes: codes.bytes([-4096, -0.5, -0.25, -0.125].map(codes.code))),
      b: MatmulOperand(
        element: element, lines: 1, depth: 4,
        codes: codes.bytes([2048, 1, 1, 1].map(codes.code))),
      accumulator: accumulator)
    problem.c = [Int64(Float(8_388_608).bitPattern)]
    for target in VectorTarget.available {
      let bits = try VectorEngine(target: target).multiply(problem)[0]
      #expect(
        Float(bitPattern: UInt32(bits)) == expected, "\(target) 0x\(String(bits, radix: 16))")
    }
  }

  @Test("K of 0 gives c in the output's format", arguments: catalog.accumulators.map(\.name))
  func emptySums(name: String) throws {
    let accumulator = try #require(catalog.accumulator(name))
    for maker in try makers(accumulator) {
      for addend in MatmulAddend.allCases {
        let shape = MatmulShape(rows: 2, columns: 18, depth: 0, blockA: 16, blockB: 3)
        let problem = maker.problem(
          shape, .finite, scales: .narrow, addend: addend, tensorScales: addend == .large, seed: 5)
        try compareMatmul(problem, "\(addend)")
      }
    }
  }

  @Test("A register names the first NaN or infinity")
  func firstNotFinite() throws {
    let element = try matmulElement("e5m2")
    let register = FixedPointRegister(width: 32, lsb: -8, overflow: .wrap)
    let accumulator = Accumulator(
      name: "fixed", operands: .any, datapath: .fixed(register),
      output: Accumulator.Output(format: .int64, nan: 0x7fc0_0000))
    for (side, position) in [(0, 0), (0, 91), (1, 17), (1, 700)] {
      var a = [UInt8](repeating: 0x3c, count: 300 * 40)
      var b = a
      if side == 0 { a[position] = 0x7d } else { b[position] = 0xfc }
      if side == 0 { b[1] = 0x7f }
      let problem = MatmulProblem(
        a: MatmulOperand(element: element, lines: 300, depth: 40, codes: a),
        b: MatmulOperand(element: element, lines: 300, depth: 40, codes: b),
        accumulator: accumulator)
      let expected = MatmulError.notFinite(
        side == 0 ? .a : .b, line: position / 40, k: position % 40, accumulator: "fixed")
      for target in VectorTarget.available {
        let engine = try VectorEngine(target: target)
        #expect(throws: expected) { try engine.multiply(problem) }
      }
    }
  }
}

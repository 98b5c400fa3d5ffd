import FastPath
import NumberFormats
import Reference
import Testing

/// The exact accumulator against the reference, on every instruction set of the machine.
func expectExact(
  _ problem: MatmulProblem, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let expected = try MPFREngine().multiply(problem)
  for target in VectorTarget.available {
    let observed = try VectorEngine(target: target).multiply(problem)
    for index in expected.indices where expected[index] != observed[index] {
      let (row, column) = index.quotientAndRemainder(dividingBy: problem.columns)
      let c = problem.c.map { pattern($0[index]) } ?? "none"
      Issue.record(
        """
        \(what) \(target) at [\(row), \(column)]: observed \(pattern(observed[index])), \
        expected \(pattern(expected[index])); c \(c); A \(problem.a.described(line: row)); \
        B \(problem.b.described(line: column))
        """, sourceLocation: sourceLocation)
      return
    }
  }
}

func pattern(_ bits: Int64) -> String {
  described(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
}

extension MatmulOperand {
  /// The first codes and scales of a line.
  func described(line: Int) -> String {
    let codes = (0..<min(depth, 12)).map {
      hex(code(self.codes, line * depth + $0, element.codeBytes))
    }
    guard let scales else { return "\(element.name) \(codes)" }
    let blocks = (depth + scales.block - 1) / scales.block
    let codesOfScales = (0..<min(blocks, 12)).map { hex(scales.codes[line * blocks + $0]) }
    return "\(element.name) \(codes) scales \(scales.format.name)/\(scales.block) \(codesOfScales)"
  }

  /// Unquantised float32 lines.
  static func floats(_ values: [Float], lines: Int) -> MatmulOperand {
    MatmulOperand(
      element: .float32, lines: lines, depth: values.count / lines,
      codes: values.withUnsafeBytes { Array($0) })
  }

  /// Random patterns; those that decode to NaN or infinity replaced by 0 unless `raw`.
  static func random(
    _ element: ElementFormat, lines: Int, depth: Int, raw: Bool, _ random: inout SplitMix
  ) throws -> MatmulOperand {
    let bytes = element.codeBytes
    var codes = [UInt8](repeating: 0, count: lines * depth * bytes)
    let patterns = UInt64(element.codeCount)
    for index in 0..<(lines * depth) {
      let value = random.next() % patterns
      for byte in 0..<bytes {
        codes[index * bytes + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
      }
    }
    if !raw {
      var values = [Float](repeating: 0, count: lines * depth)
      let engine = try VectorEngine()
      codes.withUnsafeBytes { codes in
        values.withUnsafeMutableBufferPointer {
          engine.decode(codes: codes, element: element, into: $0)
        }
      }
      for index in values.indices where !values[index].isFinite {
        for byte in 0..<bytes { codes[index * bytes + byte] = 0 }
      }
    }
    return MatmulOperand(element: element, lines: lines, depth: depth, codes: codes)
  }

  /// Adds random scales: any pattern where `raw`, else positive numbers around 1.
  func scaled(
    _ format: ScaleFormat, block: Int, raw: Bool, _ random: inout SplitMix
  ) -> MatmulOperand {
    var result = self
    let layout = format.layout
    let one = UInt32(layout.bias) << UInt32(layout.mantissaBits)
    let spread = UInt64(5) << UInt64(layout.mantissaBits)
    let count = lines * ((depth + block - 1) / block)
    let codes = (0..<count).map { _ in
      raw
        ? UInt32(truncatingIfNeeded: random.next() >> UInt64(64 - format.storedBits))
        : one &+ UInt32(random.next() % spread) &- UInt32(spread / 2)
    }
    result.scales = .init(format: format, block: block, codes: codes)
    return result
  }
}

/// A codebook, so that values are arbitrary float32 numbers.
let oddBook = ElementFormat(
  name: "book",
  kind: .codebook([-0x1.fffffep100, -3, -0x1p-149, 0, 0x1.234566p-90, 0.1, 7, 0x1.8p60]))

@Suite("Exact matrix products: fast path equals reference")
struct MatmulExactTests {
  static let pairs: [[String]] = [
    ["e2m1", "e2m1"], ["e4m3", "e4m3"], ["e4m3", "e5m2"], ["e5m2", "fp32"], ["int8", "int4"],
    ["int8_full", "e2m3"], ["mxint8", "mxint8_full"], ["e3m2", "e0m3"], ["nf4", "bf16"],
    ["nf4", "nf4"], ["book", "book"], ["book", "e4m3"], ["bf16", "bf16"], ["fp16", "tf32"],
    ["fp32", "fp32"], ["e4m3_fnuz", "e5m2_fnuz"],
  ]

  static func element(_ name: String) throws -> ElementFormat {
    if name == "fp32" { return .float32 }
    if name == "book" { return oddBook }
    return try #require(catalog.element(name))
  }

  static func exact() throws -> Accumulator { try #require(catalog.accumulator("exact")) }

  @Test("Any pair of elements, any scales, any block and depth", arguments: pairs)
  func pairsOfFormats(names: [String]) throws {
    let accumulator = try Self.exact()
    var random = SplitMix(names.joined().utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    let elements = try names.map { try Self.element($0) }
    let formats: [ScaleFormat?] = [nil] + catalog.scales
    for round in 0..<60 {
      let depth = [1, 2, 3, 16, 17, 33, 64, 70, 131][Int(random.next() % 9)]
      let rows = Int(random.next() % 4) + 1
      let columns = Int(random.next() % 5) + 1
      let raw = round % 3 == 0
      let sides = try zip(elements, [rows, columns]).map { element, lines in
        var side = try MatmulOperand.random(
          element, lines: lines, depth: depth, raw: raw && round % 2 == 0, &random)
        if let format = formats[Int(random.next() % UInt64(formats.count))] {
          side = side.scaled(
            format, block: Int(random.next() % 33) + 1, raw: round % 5 == 0, &random)
        }
        if random.next() % 3 == 0 { side.tensorScale = random.normal().magnitude + 0x1p-140 }
        return side
      }
      let c: [Int64]? =
        random.next() % 2 == 0
        ? nil : (0..<(rows * columns)).map { _ in Int64(random.normal().bitPattern) }
      let problem = MatmulProblem(a: sides[0], b: sides[1], c: c, accumulator: accumulator)
      try expectExact(problem, "\(names) round \(round)")
    }
  }

  @Test("float32 operands and scales of every magnitude")
  func fullRange() throws {
    let accumulator = try Self.exact()
    let fp32 = try #require(catalog.scale("fp32"))
    var random = SplitMix(99)
    for depth in [1, 5, 40, 300] {
      for raw in [false, true] {
        var a = try MatmulOperand.random(.float32, lines: 3, depth: depth, raw: false, &random)
        var b = try MatmulOperand.random(.float32, lines: 4, depth: depth, raw: false, &random)
        let unscaled = MatmulProblem(a: a, b: b, accumulator: accumulator)
        try expectExact(unscaled, "depth \(depth), unscaled")
        a = a.scaled(fp32, block: 3, raw: raw, &random)
        b = b.scaled(fp32, block: 1, raw: raw, &random)
        a.tensorScale = 0x1.ffffcp-130
        b.tensorScale = 0x1.000002p127
        let c = (0..<12).map { Int64(UInt32(truncatingIfNeeded: random.next()) >> ($0 % 3)) }
        let scaled = MatmulProblem(a: a, b: b, c: c, accumulator: accumulator)
        try expectExact(scaled, "depth \(depth), scales, raw \(raw)")
      }
    }
  }

  /// a, b, c: one output each. Two terms that nearly cancel, far below others, ties, ends of range.
  static let directed: [([Float], [Float], Float)] = [
    ([1, 1], [1, -1], 0), ([1, 1], [1, -1], -0.0), ([0, 0], [1, 1], -0.0),
    ([-0.0, -0.0], [1, 1], -0.0), ([1], [-1], 1), ([0x1p-149], [0x1p-149], 0),
    ([0x1p-149], [-0x1p-149], 0), ([0x1p-75], [0x1p-75], 0), ([0x1p-75], [-0x1p-75], 0),
    ([0x1p-75, 0x1p-149], [0x1p-75, 0x1p-149], 0), ([0x1p-75], [-0x1p-75], 0x1p-149),
    ([0x1p-75], [0x1.8p-74], 0), ([0x1p-126, 0x1p-149], [1, -0.5], 0),
    ([0x1p-126, 0x1p-149], [1, -0.5], -0x1p-126),
    ([0x1.fffffep127, 0x1p103], [1, 1], 0), ([0x1.fffffep127, 0x1.fffffep102], [1, 1], 0),
    ([0x1.fffffep127, 0x1p102, 0x1p-149], [1, 1, 1], 0),
    ([0x1.fffffep127, 0x1p103, -0x1p-149], [1, 1, 0x1p-149], 0),
    ([0x1.fffffep127, 0x1.fffffep127, 1], [0x1p127, -0x1p127, 1], 0),
    ([0x1p127, 0x1p127], [0x1p127, -0x1p127], 3), ([0x1p127], [0x1p127], -0x1.fffffep127),
    ([0x1p-140, 1], [0x1p-140, 1], -1), ([1, 0x1p-24], [1, 1], 0), ([1, 0x1p-23], [1, 1.5], 0),
    ([1, 0x1p-24, 0x1p-149], [1, 1, 0x1p-149], 0), ([1, 0x1p-24, 0x1p-149], [1, 1, -0x1p-149], 0),
    ([1, 0x1p-149, 1], [0x1.000002p0, 0x1p-149, -0x1.000002p0], 0),
    ([0x1p30, 0x1p-30, -0x1p30], [1, 1, 1], 0x1p-60), ([3], [0x1p-149], -0x1p-148),
  ]

  @Test("Cancellation, ties, subnormal results, overflow, zeros of either sign")
  func directedCases() throws {
    let accumulator = try Self.exact()
    for (index, (a, b, c)) in Self.directed.enumerated() {
      for (factorA, factorB) in [(nil, nil), (0.3, nil), (0x1p-100, 0x1.7p99), (3, 0x1.555556p-2)]
        as [(Float?, Float?)]
      {
        var problem = MatmulProblem(
          a: .floats(a, lines: 1), b: .floats(b, lines: 1), c: [Int64(c.bitPattern)],
          accumulator: accumulator)
        problem.a.tensorScale = factorA
        problem.b.tensorScale = factorB
        try expectExact(problem, "directed \(index)")
        problem.c = nil
        try expectExact(problem, "directed \(index) without c")
      }
    }
  }

  @Test("NaN and infinity at any lane, in c and in scales")
  func specials() throws {
    let accumulator = try Self.exact()
    let fp32 = try #require(catalog.scale("fp32"))
    var random = SplitMix(5)
    let special: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 1, -2]
    for round in 0..<200 {
      let depth = Int(random.next() % 9) + 1
      func values(_ count: Int, _ rate: UInt64) -> [Float] {
        (0..<count).map { _ in
          random.next() % rate == 0 ? special[Int(random.next() % 7)] : random.normal()
        }
      }
      var a = MatmulOperand.floats(values(3 * depth, 4), lines: 3)
      let b = MatmulOperand.floats(values(4 * depth, 9), lines: 4)
      if round % 2 == 0 {
        a.scales = .init(format: fp32, block: 1, codes: values(3 * depth, 8).map(\.bitPattern))
      }
      let c = values(12, 5).map { Int64($0.bitPattern) }
      try expectExact(
        MatmulProblem(a: a, b: b, c: c, accumulator: accumulator), "specials \(round)")
    }
  }

  @Test("Slices full of ones: partial sums reach the last integer that float64 holds")
  func fullSlices() throws {
    let accumulator = try Self.exact()
    let fp32 = try #require(catalog.scale("fp32"))
    // 2^47 − 1, all ones, as element times scale.
    let (element, scale): (Float, Float) = (10_610_063, 13_264_529)
    for depth in [2048, 1500, 4096, 700] {
      let ones = [Float](repeating: element, count: depth)
      for positive in [depth / 2, depth / 2 + 1, depth] {
        var a = MatmulOperand.floats(ones, lines: 1)
        var b = MatmulOperand.floats(
          (0..<depth).map { $0 < positive ? element : -element }, lines: 1)
        a.scales = .init(format: fp32, block: depth, codes: [scale.bitPattern])
        b.scales = .init(format: fp32, block: depth, codes: [scale.bitPattern])
        let problem = MatmulProblem(a: a, b: b, accumulator: accumulator)
        try expectExact(problem, "depth \(depth), \(positive) positive")
      }
    }
  }

  @Test("K of 0 gives c; no rows or columns give nothing")
  func empty() throws {
    let accumulator = try Self.exact()
    let none = MatmulOperand(element: .float32, lines: 2, depth: 0, codes: [])
    let c = [0x8000_0000, 1, 0x7f80_0000, 0xffff_ffff] as [Int64]
    for c in [nil, c] {
      try expectExact(MatmulProblem(a: none, b: none, c: c, accumulator: accumulator), "K = 0")
    }
    let observed = try VectorEngine().multiply(
      MatmulProblem(a: none, b: none, c: c, accumulator: accumulator))
    #expect(observed == [0x8000_0000, 1, 0x7f80_0000, 0x7fc0_0000])
    let noLines = MatmulOperand(element: .float32, lines: 0, depth: 2, codes: [])
    let two = MatmulOperand.floats([1, 2, 3, 4], lines: 2)
    for (a, b) in [(noLines, two), (two, noLines)] {
      let problem = MatmulProblem(a: a, b: b, accumulator: accumulator)
      #expect(try VectorEngine().multiply(problem).isEmpty)
    }
  }
}

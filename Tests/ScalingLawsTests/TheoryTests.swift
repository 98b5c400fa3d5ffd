import FastPath
import FormatCatalog
import NumberFormats
import ScalingLaws
import Testing

/// SplitMix64.
private struct Random: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
  /// In (0, 1).
  mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }
}

/// Standard deviates by inversion: the place where the source's own tail meets a uniform number would
/// repeat the code under test, so other ways are used.
private func deviate(_ source: ValueSource, _ random: inout Random) -> Double {
  func normal() -> Double {
    // The polar method.
    while true {
      let (x, y) = (2 * random.uniform() - 1, 2 * random.uniform() - 1)
      let square = x * x + y * y
      if square > 0, square < 1 { return x * (-2 * naturalLogarithm(square) / square).squareRoot() }
    }
  }
  switch source {
  case .normal: return normal()
  case .laplace:
    let sign = random.next() & 1 == 0 ? 1.0 : -1.0
    return -sign * naturalLogarithm(random.uniform()) / 2.0.squareRoot()
  case .studentT(let freedom):
    var squares = 0.0
    for _ in 0..<Int(freedom) {
      let x = normal()
      squares += x * x
    }
    return normal() / (squares / freedom).squareRoot() * ((freedom - 2) / freedom).squareRoot()
  }
}

/// ln x through the law's own expressions, which other tests hold against differences.
private func naturalLogarithm(_ x: Double) -> Double {
  logarithm.value(parameters: [1], variables: [x])
}

private let logarithm: LawFamily = {
  let row = """
    { version: 1, laws: [{ name: "ln", title: "t", source: "s", status: "own-fit", expression: "a*ln(x)",
      variables: [{ symbol: "x", column: "x", meaning: "x" }],
      parameters: [{ symbol: "a", meaning: "a", start: [0, 1] }],
      target: { column: "y", meaning: "y" } }] }
    """
  guard let law = try? LawCatalog().adding(.init(row.utf8), file: "ln").law("ln") else {
    preconditionFailure("the row is a law")
  }
  return law
}()

private func spec(_ name: String) throws -> QuantizationSpec {
  let catalog = try FormatCatalog.standard()
  return QuantizationSpec(
    format: try #require(catalog.block(name)), recipe: try #require(catalog.recipe("exact")),
    tensorScale: .none)
}

/// The relative squared error of real blocks, and twice its standard error.
private func measured(
  _ spec: QuantizationSpec, block: Int, source: ValueSource, deviation: Double, blocks: Int
) throws -> (nmse: Double, spread: Double) {
  let engine = try VectorEngine()
  var random = Random(state: 7)
  let values = (0..<blocks * block).map { _ in Float(deviation * deviate(source, &random)) }
  let grid = try BlockGrid(shape: [blocks, block], block: .line(block))
  var codes = [UInt8](repeating: 0, count: values.count * spec.format.element.codeBytes)
  var scales = [UInt32](repeating: 0, count: grid.blockCount)
  var back = [Float](repeating: 0, count: values.count)
  try values.withUnsafeBufferPointer { input in
    try codes.withUnsafeMutableBytes { raw in
      try scales.withUnsafeMutableBufferPointer { stored in
        _ = try engine.quantize(
          input, grid: grid, spec: spec, tensorScale: .one, firstElement: 0, scalesGiven: false,
          codes: raw, scales: stored)
        back.withUnsafeMutableBufferPointer {
          engine.dequantize(
            codes: UnsafeRawBufferPointer(raw), scales: UnsafeBufferPointer(stored), grid: grid,
            spec: spec, tensorScale: .one, into: $0)
        }
      }
    }
  }
  let errors = (0..<blocks).map { index in
    (index * block..<(index + 1) * block).reduce(0.0) {
      let difference = Double(back[$1]) - Double(values[$1])
      return $0 + difference * difference
    } / (Double(block) * deviation * deviation)
  }
  let mean = errors.reduce(0, +) / Double(blocks)
  let variance = errors.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(blocks - 1)
  return (mean, 2 * (variance / Double(blocks)).squareRoot())
}

@Suite("Errors in closed form and by integration")
struct TheoryTests {
  private static let cases: [(String, Int, ValueSource, Double)] = [
    ("nvfp4", 16, .normal, 1), ("nvfp4", 8, .normal, 0.005), ("nvfp4", 32, .laplace, 0.02),
    ("nvfp4", 16, .normal, 0.001), ("mxfp4", 32, .normal, 1), ("mxfp4", 8, .laplace, 3),
    ("mxfp8_e4m3", 32, .normal, 0.1), ("mxfp6_e2m3", 32, .studentT(degreesOfFreedom: 9), 1),
    ("mxint8", 64, .normal, 1), ("mxint4", 16, .normal, 1), ("nvint4", 16, .laplace, 1),
    ("int8", 32, .normal, 1), ("int4_fp16", 16, .normal, 1), ("int4_full", 16, .normal, 1),
    ("int8", 16, .studentT(degreesOfFreedom: 5), 1), ("mxint8", 16, .laplace, 1),
    ("nf4", 64, .normal, 1), ("msfp12", 16, .normal, 0.7), ("fp8_1x128_pow2", 128, .normal, 1),
  ]

  @Test("the integral over the block's largest number is what the quantiser does")
  func monteCarlo() throws {
    for (name, block, source, deviation) in Self.cases {
      let spec = try spec(name)
      let theory = try BlockErrorTheory(spec, engine: VectorEngine())
      let expected = try theory.error(count: block, source: source, deviation: deviation)
      let (observed, spread) = try measured(
        spec, block: block, source: source, deviation: deviation, blocks: 60_000 / block + 2000)
      #expect(
        abs(observed - expected.nmse) <= 2 * spread + 1e-12,
        "\(name) \(block) \(source) \(deviation): theory \(expected), measured \(observed) ± \(spread)"
      )
      #expect(spread < 0.05 * observed || observed < 1e-12, "\(name): \(observed) ± \(spread)")
    }
  }

  @Test("FP4 under an FP8 scale without a tensor scale: small numbers make block 8 worse than 16")
  func underflow() throws {
    let theory = try BlockErrorTheory(spec("nvfp4"), engine: VectorEngine())
    func error(_ block: Int, _ deviation: Double, vanishing: Bool = false) throws
      -> BlockErrorParts
    {
      try theory.error(
        count: block, source: .normal, deviation: deviation, vanishing: vanishing)
    }
    for vanishing in [false, true] {
      for deviation in [0.007, 0.01, 0.015, 0.018] {
        let fine = try error(8, deviation, vanishing: vanishing)
        let coarse = try error(16, deviation, vanishing: vanishing)
        #expect(fine.nmse > coarse.nmse, "\(deviation): \(fine) at 8, \(coarse) at 16")
      }
    }
    for deviation in [0.03, 0.1, 1] {
      let (fine, coarse) = (try error(8, deviation), try error(16, deviation))
      #expect(fine.nmse < coarse.nmse, "\(deviation): \(fine) at 8, \(coarse) at 16")
    }
  }

  @Test("scales that may vanish take their blocks with them; the exact recipe's do not vanish")
  func vanishing() throws {
    let theory = try BlockErrorTheory(spec("nvfp4"), engine: VectorEngine())
    func error(_ deviation: Double, _ vanishing: Bool) throws -> BlockErrorParts {
      try theory.error(count: 16, source: .normal, deviation: deviation, vanishing: vanishing)
    }
    #expect(try error(0.001, false).zeroScale == 0)
    // Half of the smallest scale, 2^-10, times the largest element, 6, is 5.9e-3: hardly ever reached.
    let gone = try error(0.001, true)
    #expect(gone.others < 1e-6 && abs(gone.zeroScale - 1) < 1e-5, "\(gone)")
    let some = try error(0.003, true)
    #expect(some.zeroScale > 0.1 && some.zeroScale < 0.9, "\(some)")
    #expect(try error(1, true) == error(1, false))
  }

  @Test("under a scale that follows it the largest number has no error, not even rounding's")
  func largest() throws {
    for (name, block) in [("int8", 16), ("int4_fp16", 32), ("nf4", 64)] {
      let theory = try BlockErrorTheory(spec(name), engine: VectorEngine())
      for source in [ValueSource.normal, .laplace, .studentT(degreesOfFreedom: 2.5)] {
        let parts = try theory.error(count: block, source: source, deviation: 1)
        #expect(parts.largest == 0 && parts.others > 0, "\(name), \(source): \(parts)")
      }
    }
  }

  @Test("one number a block: half of it is the format's own error, and the crest is E|x|")
  func oneElement() throws {
    let theory = try BlockErrorTheory(spec("mxfp4"), engine: VectorEngine())
    let parts = try theory.error(count: 1, source: .normal, deviation: 1)
    #expect(parts.others == 0)
    #expect(abs(parts.crest - 0.7978845608) <= 1e-6, "\(parts.crest)")
    let laplace = try theory.error(count: 1, source: .laplace, deviation: 1)
    #expect(abs(laplace.crest - 0.7071067812) <= 1e-6, "\(laplace.crest)")
    // E|t| of 5 degrees of freedom over its deviation, from its gamma functions.
    let student = try theory.error(
      count: 1, source: .studentT(degreesOfFreedom: 5), deviation: 1)
    #expect(abs(student.crest - 0.7351051939) <= 1e-6, "\(student.crest)")
    // The largest of 16 normal magnitudes, by numerical integration elsewhere.
    let sixteen = try theory.error(count: 16, source: .normal, deviation: 1)
    #expect(abs(sixteen.crest - 2.0772044795) <= 1e-6, "\(sixteen.crest)")
  }

  @Test("crest factors at which integers and floats are equally good are the paper's")
  func crossovers() throws {
    struct Row {
      var name: String
      var bits, mantissa, bias: Int
      var largest: Double
      var scale: ClosedFormQSNR.Scale
      var crest, decibels: Double
    }
    let rows = [
      Row(
        name: "8 bits", bits: 8, mantissa: 3, bias: 7, largest: 448, scale: .powerOfTwo(),
        crest: 7.55, decibels: 31.86),
      Row(
        name: "6 bits", bits: 6, mantissa: 3, bias: 1, largest: 7.5, scale: .powerOfTwo(),
        crest: 1.96, decibels: 31.53),
      Row(
        name: "MX 4", bits: 4, mantissa: 1, bias: 1, largest: 6, scale: .powerOfTwo(), crest: 2.04,
        decibels: 19.14),
      Row(
        name: "NV 4", bits: 4, mantissa: 1, bias: 1, largest: 6,
        scale: .fine(block: 16, overhead: 1.05), crest: 2.39, decibels: 21.14),
    ]
    for row in rows {
      let form = ClosedFormQSNR(scale: row.scale)
      func lead(_ crest: Double) -> Double {
        form.integer(bits: row.bits, crest: crest)
          - form.float(
            mantissaBits: row.mantissa, bias: row.bias, largest: row.largest, crest: crest)
      }
      // Integers lead below the crossover, floats above.
      var (low, high) = (row.crest - 0.3, row.crest + 0.3)
      #expect(lead(low) > 0 && lead(high) < 0, "\(row.name): \(lead(low)), \(lead(high))")
      for _ in 0..<50 {
        let middle = (low + high) / 2
        if lead(middle) > 0 { low = middle } else { high = middle }
      }
      #expect(abs(low - row.crest) <= 0.01, "\(row.name): crest \(row.crest), \(low)")
      let decibels = form.integer(bits: row.bits, crest: low)
      #expect(abs(decibels - row.decibels) <= 0.03, "\(row.name): \(row.decibels) dB, \(decibels)")
    }
    #expect(abs(ClosedFormQSNR.ceiling(mantissaBits: 3) - (13.80 + 3 * 6.02)) <= 0.01)
  }

  @Test("what the integral cannot take is refused")
  func refusals() throws {
    let catalog = try FormatCatalog.standard()
    let engine = try VectorEngine()
    let format = try #require(catalog.block("mxfp4"))
    let named = try #require(catalog.recipes.first { !$0.name.hasPrefix("exact") })
    #expect(throws: LawError.self) {
      try BlockErrorTheory(QuantizationSpec(format: format, recipe: named), engine: engine)
    }
    let theory = try BlockErrorTheory(spec("mxfp4"), engine: engine)
    #expect(throws: LawError.self) { try theory.error(count: 0, source: .normal, deviation: 1) }
    #expect(throws: LawError.self) { try theory.error(count: 8, source: .normal, deviation: 0) }
    for text in ["student", "student:2", "student:x", "student:301", "cauchy", ""] {
      #expect(ValueSource(text) == nil, "\(text)")
    }
    #expect(ValueSource("Student:5") == .studentT(degreesOfFreedom: 5))
  }
}

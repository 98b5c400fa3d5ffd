import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("Fused steps at their limits")
struct MatmulFusedTests {
  @Test("exact cancellation and sums of negative zeros give +0 in every fused unit")
  func cancellation() throws {
    for unit in try standard().accumulators {
      guard case .fused = unit.datapath else { continue }
      let element = unit.someElement
      let half = unit.output.format == .float16
      func sum(_ a: [Float], _ b: [Float], _ c: UInt32) throws -> UInt32 {
        UInt32(try dot(operand(a, element), operand(b, element), unit, c: Int64(c)))
      }
      expectPattern(try sum([1, -1], [1, 1], 0), 0, "\(unit.name): 1 - 1")
      expectPattern(
        try sum([-2, -1], [1, 2], half ? 0x4400 : Float(4).bitPattern), 0,
        "\(unit.name): 4 - 2 - 2")
      expectPattern(
        try sum([0, 0], [-1, -1], half ? 0x8000 : 0x8000_0000), 0, "\(unit.name): -0 - 0 - 0")
    }
  }

  @Test("a sum of 2^128 or more becomes infinity under truncation; one below becomes FLT_MAX")
  func overflow() throws {
    let largest = Float.greatestFiniteMagnitude
    for name in ["hopper-bf16", "ampere-bf16", "blackwell-bf16"] {
      let unit = try accumulator(name)
      for sign: Float in [1, -1] {
        expectValue(
          try dot([sign * 0x1p64], [0x1p63], "bf16", unit, c: sign * largest), sign * .infinity,
          name)
        expectValue(
          try dot([sign * 0x1p51], [0x1p51], "bf16", unit, c: sign * largest), sign * largest,
          "\(name), below 2^128")
      }
      var saturating = unit
      saturating.output.overflow = .largestFinite
      expectValue(
        try dot([0x1p64], [0x1p63], "bf16", saturating, c: largest), largest,
        "\(name), largestFinite")
      expectValue(
        try dot([.infinity], [1], "bf16", saturating), .infinity, "\(name): infinity stays")
    }
    // E8M13's largest finite number ends after 13 digits.
    var promoted = try accumulator("hopper-fp8")
    expectValue(
      try dot([1], [1], "e5m2", promoted, c: largest), Float(bitPattern: 0x7F7F_FC00), "E8M13")
    promoted.output.rounding = .tiesToEven
    promoted = promoted.with { $0.alignment?.fraction = 30 }
    expectValue(try dot([1], [1], "e5m2", promoted, c: largest), .infinity, "E8M13 to nearest")
    promoted.output.overflow = .largestFinite
    expectValue(
      try dot([1], [1], "e5m2", promoted, c: largest), Float(bitPattern: 0x7F7F_FC00),
      "E8M13, largestFinite")
  }

  @Test("subnormal results are kept, of E8M13 in units of 2^-139, and flushed where a row says so")
  func subnormals() throws {
    expectPattern(try dot([0x1p-70], [0x1p-70], "bf16", "hopper-bf16"), 1 << 9, "2^-140")
    expectPattern(
      try dot([-0x1p-70, 0x1p-75], [0x1p-70, 0x1p-75], "bf16", "hopper-bf16"), 0x8000_01FF,
      "-2^-140 + 2^-150 cut toward zero")
    let c = Float(bitPattern: 0x0000_0401)
    expectPattern(try dot([0], [0], "e5m2", "hopper-fp8", c: c), 0x400, "E8M13")
    expectPattern(
      try dot([-0x1p-80], [0x1p-80], "bf16", "cdna1-bf16"), 0x8000_0000, "-2^-160 to nearest is -0")
    var flushing = try accumulator("hopper-bf16")
    flushing.output.flushesSubnormals = true
    expectPattern(
      try dot([-0x1p-70], [0x1p-70], "bf16", flushing), 0x8000_0000, "flushed to a zero of its sign"
    )
    expectPattern(try dot([0x1p-63], [0x1p-63], "bf16", flushing), 0x0080_0000, "2^-126 is normal")
  }

  @Test("FP16 outputs round to nearest even, overflow from 65520 and keep subnormals")
  func float16() throws {
    func sum(_ a: [Float], _ b: [Float], _ c: UInt16 = 0) throws -> UInt32 {
      let unit = try accumulator("volta-fp16-f16")
      return UInt32(try dot(operand(a, "fp16"), operand(b, "fp16"), unit, c: Int64(c)))
    }
    expectPattern(try sum([2048, 1], [1, 1]), 0x6800, "2049 to even")
    expectPattern(try sum([2048, 3], [1, 1]), 0x6802, "2051 to even")
    expectPattern(try sum([65504, 15], [1, 1]), 0x7BFF, "65519")
    expectPattern(try sum([65504, 16], [1, 1]), 0x7C00, "65520")
    expectPattern(try sum([-65504, -16], [1, 1]), 0xFC00, "-65520")
    expectPattern(try sum([0x1p-12], [0x1p-12]), 1, "2^-24")
    expectPattern(try sum([.nan], [1]), 0x7FFF, "NaN")
    expectPattern(try sum([.infinity], [0]), 0x7FFF, "infinity times zero")
    expectPattern(try sum([1], [1], 0xFC00), 0xFC00, "c is -infinity")
    expectPattern(try sum([], [], 0x7E01), 0x7FFF, "K = 0, NaN")
  }

  @Test("NaN and infinities in any lane of any step, and in c, follow IEEE 754 in every unit")
  func specials() throws {
    for unit in try standard().accumulators {
      guard case .named(let names) = unit.operands,
        let element = names.first(where: { ["e5m2", "bf16", "fp16", "tf32"].contains($0) })
      else { continue }
      let half = unit.output.format == .float16
      let nan = unit.output.nan
      let (plus, minus): (UInt32, UInt32) = half ? (0x7C00, 0xFC00) : (0x7F80_0000, 0xFF80_0000)
      func sum(_ a: [Float], _ b: [Float], _ c: UInt32 = 0) throws -> UInt32 {
        UInt32(try dot(operand(a, element), operand(b, element), unit, c: Int64(c)))
      }
      let ones = [Float](repeating: 1, count: 37)
      for lane in ones.indices {
        var a = ones
        a[lane] = .nan
        expectPattern(try sum(a, ones), nan, "\(unit.name): NaN at \(lane)")
        a[lane] = -.infinity
        expectPattern(try sum(a, ones), minus, "\(unit.name): -infinity at \(lane)")
        expectPattern(try sum(a, ones, plus), nan, "\(unit.name): infinities of both signs")
        var b = ones
        b[lane] = 0
        expectPattern(try sum(a, b), nan, "\(unit.name): infinity times zero at \(lane)")
        a[(lane + 1) % 37] = .infinity
        expectPattern(try sum(a, ones), nan, "\(unit.name): opposite infinities at \(lane)")
      }
      expectPattern(try sum(ones, ones, nan), nan, "\(unit.name): c is NaN")
      expectPattern(try sum(ones, ones, plus), plus, "\(unit.name): c is infinity")
    }
  }

  @Test(
    "CDNA3 floors c and the products below the larger exponent, and drops a far smaller c in FP8")
  func lateJoin() throws {
    let below = Float(1).nextDown
    for (unit, element) in [("cdna3-fp16", "fp16"), ("cdna3-bf16", "bf16")] {
      expectValue(try dot([1], [1], element, unit, c: -0x1p-60), below, "\(unit): floor of c")
      expectValue(try dot([1], [1], element, unit, c: 0x1p-60), 1, "\(unit): floor of c")
    }
    expectValue(try dot([1], [1], "e5m2_fnuz", "cdna3-fp8", c: -0x1p-26), 1, "e_c = E - 26")
    expectValue(try dot([1], [1], "e5m2_fnuz", "cdna3-fp8", c: -0x1p-25), below, "e_c = E - 25")
    let trace = try MPFREngine().trace(
      MatmulProblem(
        a: operand([-0x1p-20], "fp16"), b: operand([0x1p-20], "fp16"),
        c: [Int64(Float(1).bitPattern)], accumulator: accumulator("cdna3-fp16")),
      row: 0, column: 0)
    let join = try #require(trace.steps.last)
    #expect(join.kind == "join" && join.maximumExponent == 0)
    #expect(join.terms[0].aligned == .init(significand: "-1", exponent: -32))
    #expect(join.result == Int64(Float(1).bitPattern))
  }

  @Test("a product of 2^128 is infinite in CDNA3 and finite in CDNA1")
  func infiniteProducts() throws {
    let (a, b): ([Float], [Float]) = ([0x1p64, -0x1p63], [0x1p64, 0x1p64])
    expectValue(try dot(a, b, "bf16", "cdna3-bf16"), .infinity, "cdna3-bf16")
    expectValue(try dot(a, b, "bf16", "cdna1-bf16"), 0x1p127, "cdna1-bf16")
    expectValue(try dot([0x1p64], [-0x1p64], "bf16", "cdna3-bf16"), -.infinity, "cdna3-bf16")
  }

  @Test("CDNA3 FP8 aligns even and odd lanes apart and floors each at the common exponent")
  func evenOdd() throws {
    // Odd lanes alone are exact; the even 1 makes the grid 2^-24, to which -2^-26 is floored.
    expectValue(
      try dot([1, -0x1p-13], [1, 0x1p-13], "e5m2_fnuz", "cdna3-fp8"), Float(1).nextDown,
      "lanes of both kinds")
    expectValue(
      try dot([1, 0, -0x1p-13], [1, 0, 0x1p-13], "e5m2_fnuz", "cdna3-fp8"), 1, "even lanes")
  }

  @Test("RISC-V rounds the aligned products to odd, then their sum with c to odd")
  func bulkNormalisation() throws {
    // 1 + 2^-40: jammed at 2^-26, an odd float32 after rounding; c adds exactly.
    let odd = Float(1).nextUp
    expectValue(try dot([1, 0x1p-20], [1, 0x1p-20], "bf16", "riscv-bulknorm-bf16"), odd, "jam")
    expectValue(
      try dot([1], [1], "bf16", "riscv-bulknorm-bf16", c: 0x1p-40), odd, "c by rounding to odd")
    expectValue(
      try dot([-1], [1], "bf16", "riscv-bulknorm-bf16", c: -0x1p-40), -odd, "negative")
    expectValue(
      try dot([0x1p64], [0x1p63], "bf16", "riscv-bulknorm-bf16", c: .greatestFiniteMagnitude),
      .infinity, "overflow")
    expectValue(
      try dot([0x1p-80], [0x1p-80], "bf16", "riscv-bulknorm-bf16"), Float.leastNonzeroMagnitude,
      "a tiny sum is the smallest subnormal")
  }
}

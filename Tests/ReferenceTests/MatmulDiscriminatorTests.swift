import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("What tells matrix units apart")
struct MatmulDiscriminatorTests {
  /// c = 2^23 and products −2^23, −½, −¼, −⅛ (MMA-Sim, table 8; spec A.3).
  static let sums: [(unit: String, element: String, expected: Float)] = [
    ("volta-fp16", "fp16", 0), ("ada-fp8", "e5m2", 0), ("hopper-fp8", "e5m2", 0),
    ("hopper-fp8-promoted", "e5m2", 0), ("cdna2-bf16-1k", "bf16", 0), ("cdna2-fp16", "fp16", 0),
    ("cdna2-bf16", "bf16", -0.375), ("turing-fp16", "fp16", -0.5), ("ampere-tf32", "tf32", -0.5),
    ("ampere-bf16", "bf16", -0.5), ("ampere-fp16", "fp16", -0.5), ("ada-tf32", "tf32", -0.5),
    ("ada-bf16", "bf16", -0.5), ("ada-fp16", "fp16", -0.5), ("cdna3-tf32", "tf32", -0.5),
    ("cdna3-bf16", "bf16", -0.5), ("cdna3-fp16", "fp16", -0.5), ("hopper-tf32", "tf32", -0.75),
    ("hopper-bf16", "bf16", -0.75), ("hopper-fp16", "fp16", -0.75),
    ("blackwell-tf32", "tf32", -0.75), ("blackwell-bf16", "bf16", -0.75),
    ("blackwell-fp16", "fp16", -0.75), ("blackwell-fp8", "e5m2", -0.75),
    ("blackwell-mx", "e5m2", -0.75), ("blackwell-fp8-rne", "e5m2", -0.875),
    ("cdna1-bf16", "bf16", -0.875), ("cdna1-fp16", "fp16", -0.875), ("arm-fp8", "e5m2", -0.875),
    ("mxdotp-fp8", "e5m2", -0.875), ("exact", "e5m2", -0.875),
    ("fp32-sequential", "e5m2", -0.875), ("fp32-pairwise", "e5m2", 0),
    ("cdna3-fp8", "e5m2_fnuz", -1), ("amx-bf16", "bf16", -1),
    ("riscv-bulknorm-fp8", "e5m2", -1),
  ]

  @Test("c = 2^23 and products -2^23, -1/2, -1/4, -1/8 give each unit's own sum")
  func discriminator() throws {
    let a: [Float] = [-0x1p13, -0.5, -0.25, -0.125]
    let b: [Float] = [0x1p10, 1, 1, 1]
    for (unit, element, expected) in Self.sums {
      expectValue(try dot(a, b, element, unit, c: 0x1p23), expected, unit)
    }
  }

  @Test("the same with scales of 1 on Blackwell's MX unit, and in groups on its FP4 unit")
  func scaled() throws {
    let one = [Float](repeating: 1, count: 1)
    let mx = try dot(
      operand([-0x1p13, -0.5, -0.25, -0.125], "e5m2", block: 32, scales: one),
      operand([0x1p10, 1, 1, 1], "e5m2", block: 32, scales: one), accumulator("blackwell-mx"),
      c: Int64(Float(0x1p23).bitPattern))
    expectValue(UInt32(mx), -0.75, "blackwell-mx")

    func groups(_ first: [Float], _ others: [Float]) -> [Float] {
      ([first] + others.map { [$0] }).flatMap { $0 + [Float](repeating: 0, count: 16 - $0.count) }
    }
    // −128 · 2^8 · 2^8 in E4M3 scales, −16 · 2^10 · 2^9 in E8M0 scales.
    let cases: [(scale: String, lanes: Int, high: (Float, Float))] = [
      ("ue4m3", 8, (0x1p8, 0x1p8)), ("e8m0", 1, (0x1p10, 0x1p9)),
    ]
    for (scale, lanes, high) in cases {
      let a = groups([Float](repeating: -4, count: lanes), [-0.5, -0.5, -0.5])
      let b = groups([Float](repeating: 4, count: lanes), [1, 0.5, 0.5])
      let sum = try dot(
        operand(a, "e2m1", block: 16, scale: scale, scales: [high.0, 1, 1, 0.5]),
        operand(b, "e2m1", block: 16, scale: scale, scales: [high.1, 1, 1, 1]),
        accumulator("blackwell-fp4"), c: Int64(Float(0x1p23).bitPattern))
      expectValue(UInt32(sum), -0.875, "blackwell-fp4, \(scale)")
    }
  }

  @Test("12 x 24 and 18 x 16 are both 288 but align differently (A.2)")
  func nonMonotonic() throws {
    let tiny = [Float](repeating: 0x1p-9, count: 4)
    let other = [Float](repeating: 0x1p-8, count: 4)
    expectPattern(
      try dot([12] + tiny, [24] + other, "fp16", "ampere-fp16"), 0x4390_0001, "12 x 24")
    expectPattern(
      try dot([18] + tiny, [16] + other, "fp16", "ampere-fp16"), 0x4390_0000, "18 x 16")
  }

  @Test("padding and zero products raise the common exponent to the zero exponent")
  func zeroExponent() throws {
    let unit = try accumulator("hopper-fp16").with {
      $0.alignment = FusedStep.Alignment(fraction: 4, zeroExponent: 5)
    }
    let (full, eighths) = ([Float](repeating: 1, count: 16), [Float](repeating: 0.125, count: 16))
    expectValue(try dot(full, eighths, "fp16", unit, c: 0.125), 2.125, "no zero term")
    expectValue(
      try dot(Array(full.dropLast()), Array(eighths.dropLast()), "fp16", unit, c: 0.125), 0,
      "one lane of padding")
    expectValue(try dot(full, eighths, "fp16", unit, c: 0), 0, "c is zero")
    var withZero = full
    withZero[3] = 0
    expectValue(try dot(withZero, eighths, "fp16", unit, c: 0.125), 0, "a zero product")
    let ignoring = unit.with { $0.alignment?.zeroExponent = nil }
    expectValue(try dot(withZero, eighths, "fp16", ignoring, c: 0.125), 2, "zeros take no part")
  }

  @Test("a subnormal operand aligns by its format's smallest exponent")
  func subnormalAlignment() throws {
    // 2^-9 is E4M3's smallest number: s = 2^-3, e = -6. With F = 4 and e_max = -6 the grid is 2^-10.
    let unit = try accumulator("blackwell-fp8").with {
      $0.alignment = FusedStep.Alignment(fraction: 4, zeroExponent: nil)
    }
    expectValue(
      try dot([0x1p-9, 0x1p-6], [1, 0x1p-5], "e4m3", unit), 0x1p-9, "2^-11 is below 2^-10")
    expectValue(
      try dot([0x1p-9, 0x1p-6], [1, 0x1p-4], "e4m3", unit), 0x1p-9 + 0x1p-10, "2^-10 is kept")
  }
}

import NumberFormats
import Reference
import Testing

@Suite("Float32 steps in MPFR equal the machine's")
struct Float32ArithmeticTests {
  private static let specials: [Float] = [
    0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, .leastNormalMagnitude,
    .leastNormalMagnitude.nextDown, .greatestFiniteMagnitude, 0x1p-75, 0x1.8p-75, 6, 448,
  ]

  private static func pairs() -> [(Float, Float)] {
    var random = TestBits(1234)
    let any = (0..<6000).map { _ in
      (Float(bitPattern: random.next()), Float(bitPattern: random.next()))
    }
    // Products and quotients around the smallest normal number.
    let low = (0..<6000).map { _ in
      (random.float(0x1p-60), random.float(0x1p-75))
    }
    return any + low + specials.flatMap { a in specials.map { (a, $0) } }
  }

  private func same(_ a: Float, _ b: Float) -> Bool {
    a.bitPattern == b.bitPattern || (a.bitPattern == 0x7FC0_0000 && b.isNaN)
  }

  @Test("add, subtract, multiply and divide")
  func operations() {
    let arithmetic = Float32Arithmetic()
    for (a, b) in Self.pairs() {
      let what = "\(pattern(a)), \(pattern(b))"
      #expect(same(arithmetic.add(a, b), a + b), "\(what)")
      #expect(same(arithmetic.subtract(a, b), a - b), "\(what)")
      #expect(same(arithmetic.multiply(a, b), a * b), "\(what)")
      #expect(same(arithmetic.divide(a, b), a / b), "\(what)")
    }
  }

  @Test("log2: exact at powers of two, correctly rounded beside them")
  func logarithm() {
    let arithmetic = Float32Arithmetic()
    for exponent in -149...127 {
      let power = Float(sign: .plus, exponent: exponent, significand: 1)
      #expect(arithmetic.log2(power) == Float(exponent))
      #expect(arithmetic.powerOfTwo(exponent) == power)
    }
    #expect(arithmetic.log2(0) == -.infinity && arithmetic.log2(.infinity) == .infinity)
    #expect(arithmetic.log2(-1).bitPattern == 0x7FC0_0000)
    // Below 2^20 the logarithm rounds to 20 for the last values: the trap of spec/recipes.md §9.
    #expect(arithmetic.log2(Float(0x1p20).nextDown) == 20)
    #expect(arithmetic.log2(Float(2).nextDown) < 1)
    #expect(arithmetic.powerOfTwo(128) == .infinity && arithmetic.powerOfTwo(-150) == 0)
  }

  @Test("rounding to BF16 and FP16 ties to even, with subnormals and overflow")
  func narrow() {
    let arithmetic = Float32Arithmetic()
    let bf16: [(Float, Float)] = [
      (0x1.01p0, 0x1p0), (0x1.03p0, 0x1.04p0), (0x1.010002p0, 0x1.02p0),
      (.greatestFiniteMagnitude, .infinity), (0x1p-133, 0x1p-133), (0x1p-134, 0),
      (0x1.8p-134, 0x1p-133), (-0.0, -0.0), (0x1.fap-127, 0x1.f8p-127), (0x1.fep-127, 0x1p-126),
    ]
    for (x, expected) in bf16 {
      let observed = arithmetic.round(x, to: .bf16)
      #expect(observed.bitPattern == expected.bitPattern, "\(pattern(x)): \(pattern(observed))")
    }
    let fp16: [(Float, Float)] = [
      (65504, 65504), (65519.996, 65504), (65520, .infinity), (0x1p-24, 0x1p-24), (0x1p-25, 0),
      (0x1.000002p-25, 0x1p-24), (0x1.8p-24, 0x1p-23), (1e-30, 0), (0x1.002p0, 1),
    ]
    for (x, expected) in fp16 {
      let observed = arithmetic.round(x, to: .fp16)
      #expect(observed.bitPattern == expected.bitPattern, "\(pattern(x)): \(pattern(observed))")
    }
    #expect(arithmetic.round(.nan, to: .bf16).bitPattern == 0x7FC0_0000)
    var random = TestBits(77)
    for _ in 0..<4000 {
      let x = random.anyFloat()
      // Round to nearest even on the pattern, as a BF16 conversion does it.
      let bits = x.bitPattern
      let expected = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000
      #expect(arithmetic.round(x, to: .bf16).bitPattern == expected, "\(pattern(x))")
    }
  }
}

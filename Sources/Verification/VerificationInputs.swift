import NumberFormats

/// Numbers to try: reproducible, and rich in the places where results change.
public enum VerificationInputs {
  /// All numbers of BF16 and FP16 as float32, NaNs only where asked for.
  public static func halfPrecision(withNaN: Bool, every step: Int = 1) -> [Float] {
    var values: [Float] = []
    for bits in stride(from: 0, through: 0xFFFF, by: step) {
      let brain = Float(bitPattern: UInt32(bits) << 16)
      let half = float(half: UInt32(bits))
      if withNaN || !brain.isNaN { values.append(brain) }
      if withNaN || !half.isNaN { values.append(half) }
    }
    return values
  }

  /// The values of a format, the midpoints between neighbours, one float32 to either side of each,
  /// and the ends of float32.
  public static func boundaries(of values: [Float]) -> [Float] {
    let finite = values.filter(\.isFinite).sorted()
    var centres = finite
    centres += zip(finite, finite.dropFirst()).map { Float((Double($0) + Double($1)) / 2) }
    if let largest = finite.last, let before = finite.dropLast().last {
      let beyond = Double(largest) + (Double(largest) - Double(before)) / 2
      centres += [Float(beyond), -Float(beyond)]
    }
    centres += [
      .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, .infinity,
      -.infinity, -.leastNonzeroMagnitude, -0.0,
    ]
    return centres.flatMap { [$0, $0.nextUp, $0.nextDown] }.filter { !$0.isNaN }
  }

  /// A binary16 pattern's value, from its fields.
  private static func float(half bits: UInt32) -> Float {
    let exponent = Int(bits >> 10 & 31)
    let mantissa = bits & 1023
    let magnitude: Float
    switch exponent {
    case 31: magnitude = mantissa == 0 ? .infinity : .nan
    case 0: magnitude = Float(mantissa) * 0x1p-24
    default:
      magnitude = Float(sign: .plus, exponent: exponent - 25, significand: Float(mantissa + 1024))
    }
    return bits >> 15 == 1 ? -magnitude : magnitude
  }

  /// What fills a tensor of a check.
  public enum Filling: String, Sendable, CaseIterable {
    /// Roughly normal; the same with BF16's precision; multiples of ⅛ by small powers of two, rich in
    /// ties; any finite pattern; with NaN, infinities and zeros; subnormal; near the largest.
    case normal, bf16, ties, wide, specials, subnormal, huge

    public func values(_ count: Int, seed: UInt64) -> [Float] {
      var random = SplitMix64(seed: seed)
      return (0..<count).map { _ in value(&random) }
    }

    private func value(_ random: inout SplitMix64) -> Float {
      switch self {
      case .normal: return random.normal()
      case .bf16: return Float(bitPattern: random.normal().bitPattern & 0xFFFF_0000)
      case .ties:
        let step = Float(Int(random.next() % 65) - 32) / 8
        return step * Float(sign: .plus, exponent: Int(random.next() % 3), significand: 1)
      case .wide:
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
        return value.isFinite ? value : 1
      case .specials:
        let rare: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 0, -0.0]
        let pick = Int(random.next() % 60)
        return pick < rare.count ? rare[pick] : random.normal()
      case .subnormal:
        return Float(bitPattern: UInt32(truncatingIfNeeded: random.next()) & 0x80FF_FFFF)
      case .huge:
        let bits = UInt32(truncatingIfNeeded: random.next())
        return Float(bitPattern: bits & 0x80FF_FFFF | 0x7E00_0000)
      }
    }
  }
}

/// Steele, Lea and Flood's SplitMix64 ("Fast Splittable Pseudorandom Number Generators", OOPSLA
/// 2014): the same numbers on every machine.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// The sum of four uniform numbers, of standard deviation about 1, exact in float32.
  mutating func normal() -> Float {
    var sum: Float = 0
    for _ in 0..<4 { sum += Float(next() >> 40) / 16_777_216 - 0.5 }
    return sum * 1.75
  }
}

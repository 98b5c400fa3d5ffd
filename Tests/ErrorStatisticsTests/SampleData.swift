import ErrorStatistics

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): seeded test data.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Roughly normal, by the central limit.
  mutating func normal() -> Double {
    (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
  }
}

/// One kind of input; every kind gives originals, code values and divisors in blocks of 16.
enum SampleKind: CaseIterable, Sendable {
  case normal, ties, zerosAndSubnormals, hugeRange, wideDivisors, nonFinite
}

struct SampleData {
  static let block = 16
  var x: [Float] = []
  var values: [Float] = []
  /// One per element.
  var divisors: [Double] = []

  /// The divisors, one per block of a single line.
  var blockDivisors: [Double] {
    stride(from: 0, to: divisors.count, by: Self.block).map { divisors[$0] }
  }

  /// Ends of the scales' range that some of the divisors meet; none where they are too alike.
  var limits: ScaleLimits {
    let sizes = divisors.map { abs($0) }.filter(\.isFinite).sorted()
    guard let last = sizes.last else { return .none }
    let (low, high) = (sizes[sizes.count / 4], sizes[sizes.count * 3 / 4])
    return ScaleLimits(normal: low, largest: low < high ? high : 2 * last + 1)
  }

  init(_ kind: SampleKind, _ element: SampleElement, count: Int, seed: UInt64) {
    var random = SplitMix64(state: seed)
    while x.count < count {
      let d = Self.divisor(kind, element, &random)
      for _ in 0..<min(Self.block, count - x.count) {
        let sample = Self.sample(kind, element, d, &random)
        let beside = kind == .ties ? 0 : [-1, 1].randomElement(using: &random) ?? 0
        let moved = Int.random(in: 0..<8, using: &random) == 0 ? beside : 0
        x.append(sample)
        values.append(element.value(near: Double(sample) / d, beside: moved))
        divisors.append(d)
      }
    }
  }

  private static func divisor(
    _ kind: SampleKind, _ element: SampleElement, _ random: inout SplitMix64
  ) -> Double {
    switch kind {
    case .normal:
      return Double(Float(3 / element.largest * Double.random(in: 0.5..<1, using: &random)))
    case .ties:
      // Few bits and no extremes, so that every midpoint times d is a float32.
      let exponent = Int.random(in: -8...0, using: &random)
      let odd = Double(Int.random(in: 1...7, using: &random))
      return Double(sign: .plus, exponent: exponent, significand: odd)
    case .zerosAndSubnormals:
      return Double(
        sign: .plus, exponent: Int.random(in: -150 ... -126, using: &random), significand: 1)
    case .hugeRange, .wideDivisors:
      let range = kind == .hugeRange ? -60...60 : -20...20
      let s = Float.random(in: 1..<2, using: &random)
      let t = kind == .hugeRange ? 1 : Float.random(in: 1..<2, using: &random)
      let exponent = Int.random(in: range, using: &random)
      return Double(s) * Double(t) * Double(sign: .plus, exponent: exponent, significand: 1)
        * (Bool.random(using: &random) ? 1 : -1)
    case .nonFinite:
      return [0.5, 1, 0, .nan, .infinity, -0.0, 3].randomElement(using: &random) ?? 1
    }
  }

  private static func sample(
    _ kind: SampleKind, _ element: SampleElement, _ d: Double, _ random: inout SplitMix64
  ) -> Float {
    switch kind {
    case .normal, .wideDivisors:
      return Float(random.normal() * (kind == .normal ? 1 : element.largest * abs(d) / 3))
    case .ties:
      let i = Int.random(in: 0..<element.values.count - 1, using: &random)
      let upper = element.values[i + 1]
      switch Int.random(in: 0..<8, using: &random) {
      case 0: return Float(upper * d)
      case 1: return Float(element.largest * d).nextUp
      case 2: return Float(element.largest * d)
      default: return Float((element.values[i] + upper) / 2 * d)
      }
    case .zerosAndSubnormals:
      let bits = UInt32.random(in: 0..<(1 << 23), using: &random)
      let sign = UInt32.random(in: 0...1, using: &random) << 31
      return Float(bitPattern: Bool.random(using: &random) ? sign : sign | bits)
    case .hugeRange:
      let value = Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
      return value.isFinite ? value : 1
    case .nonFinite:
      let special: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 1e-3, -1e6]
      return Bool.random(using: &random)
        ? special.randomElement(using: &random) ?? 0 : Float(random.normal())
    }
  }
}

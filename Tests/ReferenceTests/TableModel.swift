import NumberFormats

/// An independent model of element rounding: all magnitudes of a format in a table of doubles, a
/// search, and comparisons of products. Exact while the products fit in 53 bits, which the tests
/// that use it see to.
struct TableModel {
  var element: ElementFormat
  /// Magnitudes by code and, last, the next one if the exponents went on.
  private var magnitudes: [Double] = []
  private var hasNegativeZero = true
  private var signMask: UInt32 = 0

  /// Nil for codebooks.
  init?(_ element: ElementFormat) {
    self.element = element
    switch element.kind {
    case .float(let layout):
      magnitudes = (0...layout.largestFiniteMagnitudeCode).map { Self.value($0, layout) }
      hasNegativeZero = layout.nonFinite != .negativeZeroNaN
      signMask = UInt32(1) << UInt32(layout.bits - 1)
    case .integer(let layout):
      let largest = 1 << (layout.bits - 1)
      magnitudes = (0..<largest).map { Double($0) / Double(1 << layout.fractionBits) }
      hasNegativeZero = layout.encoding == .signMagnitude
      signMask = UInt32(largest)
    case .codebook: return nil
    }
    let last = magnitudes[magnitudes.count - 1]
    // The spacing at the top is that of the last binade, even where it has one number.
    let step: Double
    if case .float(let layout) = element.kind {
      step = Self.power(last.exponentInt - layout.mantissaBits)
    } else {
      step = last - magnitudes[magnitudes.count - 2]
    }
    magnitudes.append(last + step)
  }

  static func power(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }

  static func value(_ code: UInt32, _ layout: FloatLayout) -> Double {
    let field = Int(code >> UInt32(layout.mantissaBits))
    let fraction = Double(code & ((1 << UInt32(layout.mantissaBits)) - 1))
    let units = power(layout.mantissaBits)
    if field == 0 && layout.zeroExponentIsSubnormal {
      return fraction / units * power(1 - layout.bias)
    }
    return (1 + fraction / units) * power(field - layout.bias)
  }

  /// Every magnitude, the middles between them, and the overflow threshold.
  var landmarks: [Double] {
    zip(magnitudes, magnitudes.dropFirst()).flatMap { [$0, ($0 + $1) / 2] }
  }

  var largest: Double { magnitudes[magnitudes.count - 2] }

  /// The code of x/d.
  func encode(
    _ x: Float, over d: Double = 1, _ rounding: Rounding, random: UInt32 = 0,
    overflow: Overflow = .saturate
  ) -> UInt32 {
    let negative = x.sign == .minus
    if x.isInfinite { return beyond(negative, overflow, stops: false) }
    let q = Double(abs(x))
    let last = magnitudes.count - 1
    if q >= magnitudes[last] * d {
      return beyond(negative, overflow, stops: stops(rounding, negative))
    }
    var low = 0
    var high = last
    while high - low > 1 {
      let middle = (low + high) / 2
      if magnitudes[middle] * d <= q { low = middle } else { high = middle }
    }
    let chosen = takesUpper(q, low, d, rounding, negative, random) ? low + 1 : low
    if chosen >= last { return beyond(negative, overflow, stops: stops(rounding, negative)) }
    return signed(UInt32(chosen), negative)
  }

  private func takesUpper(
    _ q: Double, _ low: Int, _ d: Double, _ rounding: Rounding, _ negative: Bool, _ random: UInt32
  ) -> Bool {
    let below = magnitudes[low] * d
    if q == below { return false }
    let middle = (magnitudes[low] + magnitudes[low + 1]) * d
    switch rounding {
    case .tiesToEven: return 2 * q > middle || (2 * q == middle && low % 2 == 1)
    case .tiesToAway: return 2 * q >= middle
    case .tiesTowardZero: return 2 * q > middle
    case .towardZero: return false
    case .towardPositive: return !negative
    case .towardNegative: return negative
    case .toOdd: return low % 2 == 0
    case .stochastic(let bits):
      let step = (magnitudes[low + 1] - magnitudes[low]) * d
      let fraction = ((q - below) / step * Self.power(bits)).rounded(.down)
      return fraction + Double(random) >= Self.power(bits)
    }
  }

  private func stops(_ rounding: Rounding, _ negative: Bool) -> Bool {
    switch rounding {
    case .towardZero, .toOdd: true
    case .towardPositive: negative
    case .towardNegative: !negative
    default: false
    }
  }

  private func beyond(_ negative: Bool, _ overflow: Overflow, stops: Bool) -> UInt32 {
    let largestCode = UInt32(magnitudes.count - 2)
    if case .integer(let layout) = element.kind {
      return signed(layout.fullRange && negative ? largestCode + 1 : largestCode, negative)
    }
    guard case .float(let layout) = element.kind, overflow == .nonFinite, !stops else {
      return signed(largestCode, negative)
    }
    switch layout.nonFinite {
    case .none: return signed(largestCode, negative)
    case .ieee: return signed(largestCode + 1, negative)
    case .allOnesNaN, .negativeZeroNaN: return element.canonicalNaN ?? 0
    }
  }

  private func signed(_ magnitude: UInt32, _ negative: Bool) -> UInt32 {
    guard negative else { return magnitude }
    if case .integer(let layout) = element.kind, layout.encoding == .twosComplement {
      return (0 &- magnitude) & (2 * signMask - 1)
    }
    return magnitude == 0 && !hasNegativeZero ? 0 : magnitude | signMask
  }
}

extension Double {
  fileprivate var exponentInt: Int { Int(exponent) }
}

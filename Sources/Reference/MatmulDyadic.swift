import NumberFormats

/// A real number significand · 2^exponent, exact whatever its size. Every finite number of a matmul
/// is one, so that sums and products never round and `rounded` is the only rounding there is.
struct Dyadic {
  let significand: BigInteger
  let exponent: Int

  static let zero = Dyadic(.zero, exponent: 0)
  static let one = Dyadic(BigInteger(1), exponent: 0)

  init(_ significand: BigInteger, exponent: Int) {
    self.significand = significand
    self.exponent = exponent
  }

  init(_ integer: Int) { self.init(BigInteger(integer), exponent: 0) }

  /// A finite float32.
  init(_ value: Float) {
    let field = Int(value.exponentBitPattern)
    let fraction = Int(value.significandBitPattern)
    let magnitude = field == 0 ? fraction : fraction | 1 << 23
    self.init(
      BigInteger(value.sign == .minus ? -magnitude : magnitude), exponent: max(field, 1) - 150)
  }

  var isZero: Bool { significand.isZero }
  var isNegative: Bool { significand.isNegative }

  /// The e with 2^e ≤ |self| < 2^(e+1); only for a number other than 0.
  var leadingExponent: Int { significand.bitWidth - 1 + exponent }

  static func * (a: Dyadic, b: Dyadic) -> Dyadic {
    Dyadic(a.significand * b.significand, exponent: a.exponent + b.exponent)
  }

  static func + (a: Dyadic, b: Dyadic) -> Dyadic {
    if a.isZero { return b }
    if b.isZero { return a }
    let exponent = min(a.exponent, b.exponent)
    return Dyadic(a.units(exponent) + b.units(exponent), exponent: exponent)
  }

  /// self · 2^power
  func scaled(_ power: Int) -> Dyadic { Dyadic(significand, exponent: exponent + power) }

  /// |self| < |other|
  func isSmaller(than other: Dyadic) -> Bool {
    let exponent = min(exponent, other.exponent)
    return magnitude.units(exponent).isLess(than: other.magnitude.units(exponent))
  }

  var magnitude: Dyadic {
    isNegative ? Dyadic(significand * BigInteger(-1), exponent: exponent) : self
  }

  /// self / 2^unit for a number that is a multiple of 2^unit.
  func units(_ unit: Int) -> BigInteger {
    exponent >= unit
      ? significand.shiftedLeft(exponent - unit) : significand.truncated(unit - exponent)
  }

  /// The number rounded to a multiple of 2^unit.
  func rounded(toMultiplesOf unit: Int, _ rounding: Rounding) -> Dyadic {
    guard !isZero, exponent < unit else { return self }
    let cut = unit - exponent
    let below = significand.truncated(cut)
    // What is cut off, against half a unit: significand's bits below `cut`.
    let remainder = Dyadic(significand + below.shiftedLeft(cut) * BigInteger(-1), exponent: 0)
    guard !remainder.isZero else { return Dyadic(below, exponent: unit) }
    let half = Dyadic(BigInteger(1), exponent: cut - 1)
    let aboveHalf = half.isSmaller(than: remainder)
    let atHalf = !aboveHalf && !remainder.isSmaller(than: half)
    let away =
      switch rounding {
      // No accumulator rounds stochastically (Accumulator.Output).
      case .tiesToEven, .stochastic: aboveHalf || (atHalf && below.isOdd)
      case .tiesToAway: aboveHalf || atHalf
      case .tiesTowardZero: aboveHalf
      case .towardZero: false
      case .towardPositive: !isNegative
      case .towardNegative: isNegative
      case .toOdd: !below.isOdd
      }
    guard away else { return Dyadic(below, exponent: unit) }
    return Dyadic(below + BigInteger(isNegative ? -1 : 1), exponent: unit)
  }
}

import NumberFormats

/// Rounds positive real numbers a/d to a scale format (spec/exact.md, step 4).
struct ScaleEncoder: ~Copyable {
  let format: ScaleFormat
  private var neighbours = Neighbours()
  private let power = Real()
  private let quotient = Real()
  private let number = Real()
  private let one = Real(1)

  init(_ format: ScaleFormat) { self.format = format }

  /// a/d by tiesToEven, saturating, and at least the format's smallest positive value.
  ///
  /// - Returns: the code, and whether the scale was moved to an end of the range: a/d rounds above
  ///   the largest finite value, or to zero.
  mutating func nearest(_ a: borrowing Real, over d: borrowing Real) -> (
    code: UInt32, clamped: Bool
  ) {
    let layout = format.layout
    neighbours.find(a, over: d, in: layout)
    let code = neighbours.round(.tiesToEven, negative: false, random: 0)
    if code > Int(layout.largestFiniteMagnitudeCode) {
      return (layout.largestFiniteMagnitudeCode, true)
    }
    if code == 0, layout.zeroExponentIsSubnormal { return (1, true) }
    return (UInt32(code), false)
  }

  /// A number from 0 rounded by tiesToEven; nil where it rounds above the largest finite value.
  mutating func rounded(_ x: Float) -> UInt32? {
    if x == 0 { return 0 }
    number.set(x)
    neighbours.find(number, over: one, in: format.layout)
    let code = neighbours.round(.tiesToEven, negative: false, random: 0)
    return code > Int(format.layout.largestFiniteMagnitudeCode) ? nil : UInt32(code)
  }

  /// ⌊log2(a/d)⌋
  func floorLog2(_ a: borrowing Real, over d: borrowing Real) -> Int {
    quotient.setTruncatedQuotient(a, d)
    return quotient.exponent
  }

  /// ⌈log2(a/d)⌉
  func ceilLog2(_ a: borrowing Real, over d: borrowing Real) -> Int {
    let floor = floorLog2(a, over: d)
    power.setScaled(d, exponent: floor)
    return power.compare(a) == 0 ? floor : floor + 1
  }

  /// The code of 2^exponent, with the exponent clamped to the format's range.
  func powerOfTwo(_ exponent: Int) -> (code: UInt32, clamped: Bool) {
    let layout = format.layout
    let lowest =
      layout.zeroExponentIsSubnormal
      ? layout.smallestExponent - layout.mantissaBits : layout.smallestExponent
    let inside = min(max(exponent, lowest), layout.largestExponent)
    let code: UInt32
    if inside < layout.smallestExponent {
      code = UInt32(1) << UInt32(inside - lowest)
    } else {
      code = UInt32(inside + layout.bias) << UInt32(layout.mantissaBits)
    }
    return (code, inside != exponent)
  }

  /// One number by itself ("Encoding one element"): E8M0 to nearest, ties up, NaN for everything
  /// it cannot hold; the others by tiesToEven, saturating, with negatives as NaN.
  mutating func encode(_ x: Float) -> UInt32 {
    guard x > 0, x.isFinite else { return codeOutside(x) }
    number.set(x)
    neighbours.find(number, over: one, in: format.layout)
    return finish(neighbours.round(ownRounding, negative: false, random: 0))
  }

  /// The rounding of one number by itself.
  var ownRounding: Rounding { format.isPowerOfTwo ? .tiesToAway : .tiesToEven }

  /// The code of a number by itself that is not finite and positive.
  func codeOutside(_ x: Float) -> UInt32 {
    if format.isPowerOfTwo || x.isNaN || x < 0 { return format.canonicalNaN }
    return x == 0 ? 0 : format.layout.largestFiniteMagnitudeCode
  }

  /// The code of a number by itself that was rounded to a magnitude code, counted on past the
  /// largest finite one.
  func finish(_ rounded: Int) -> UInt32 {
    let largest = format.layout.largestFiniteMagnitudeCode
    guard rounded > Int(largest) else { return UInt32(rounded) }
    return format.isPowerOfTwo ? format.canonicalNaN : largest
  }
}

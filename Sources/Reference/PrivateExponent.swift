import NumberFormats

/// microxcaling's element rounding in float32 (mx/elemwise_ops.py; spec/recipes.md section 3.1):
/// the number is divided by its private exponent's power of two, shifted until the digits to keep
/// are in front of the point, rounded to an integer, and put back.
struct PrivateExponent: ~Copyable {
  private let element: ElementFormat
  private let rounding: NamedRecipe.ElementRounding
  private let arithmetic = Float32Arithmetic()

  init(_ element: ElementFormat, rounding: NamedRecipe.ElementRounding) {
    self.element = element
    self.rounding = rounding
  }

  /// The rounded value of `q`, a number of the element format, clamped to its largest.
  func round(_ q: Float) -> Float {
    if q.isInfinite { return q < 0 ? -element.largestValue : element.largestValue }
    let power: Float
    let digits: Int
    switch element.kind {
    case .float(let layout):
      power = arithmetic.powerOfTwo(exponent(q, layout))
      digits = layout.mantissaBits
    case .integer(let layout):
      power = 1
      digits = layout.fractionBits
    case .codebook:
      return q
    }
    let shift = arithmetic.powerOfTwo(digits)
    let shifted = arithmetic.multiply(arithmetic.divide(q, power), shift)
    let integer = roundMantissa(shifted)
    let value = arithmetic.multiply(arithmetic.divide(integer, shift), power)
    return max(-element.largestValue, min(element.largestValue, value))
  }

  /// floor(log2|q|) of the correctly rounded float32 logarithm, at least the smallest normal
  /// exponent; a zero counts as 1.
  private func exponent(_ q: Float, _ layout: FloatLayout) -> Int {
    let logarithm = arithmetic.log2(q == 0 ? 1 : abs(q)).rounded(.down)
    return Int(max(logarithm, Float(layout.smallestExponent)))
  }

  /// sign(A) · integer of |A|, where sign(±0) is +0 and the sum with ½ is a float32 sum.
  private func roundMantissa(_ a: Float) -> Float {
    let magnitude = abs(a)
    let integer: Float
    switch rounding {
    case .privateExponentAway: integer = arithmetic.add(magnitude, 0.5).rounded(.down)
    case .privateExponentEven:
      let below = arithmetic.subtract(magnitude, 0.5)
      let isTieOfEven = below.truncatingRemainder(dividingBy: 2) == 0
      let up = arithmetic.add(magnitude, 0.5).rounded(.down)
      integer = arithmetic.subtract(up, isTieOfEven ? 1 : 0)
    default: integer = magnitude.rounded(.down)
    }
    if a == 0 { return 0 }
    return a < 0 ? -integer : integer
  }
}

import CMPFR
import NumberFormats

/// IEEE 754 arithmetic of binary32 and of the narrower types a stack computes in, each operation
/// rounded once by tiesToEven, with gradual underflow and overflow to infinity.
///
/// MPFR rounds to the format's precision inside the format's exponent range, and
/// `mpfr_subnormalize` then rounds a subnormal result as if it had been rounded once (MPFR manual,
/// section 5.13). NaN results are 0x7FC00000.
package struct Float32Arithmetic: ~Copyable {
  private let left = Real(precision: 24)
  private let right = Real(precision: 24)
  private let result = Real(precision: 24)

  package init() {}

  package func add(_ a: Float, _ b: Float) -> Float {
    left.set(a)
    right.set(b)
    return rounded { mpfr_add(result.pointer, left.pointer, right.pointer, MPFR_RNDN) }
  }

  package func subtract(_ a: Float, _ b: Float) -> Float { add(a, -b) }

  package func multiply(_ a: Float, _ b: Float) -> Float {
    left.set(a)
    right.set(b)
    return rounded { mpfr_mul(result.pointer, left.pointer, right.pointer, MPFR_RNDN) }
  }

  package func divide(_ a: Float, _ b: Float) -> Float {
    left.set(a)
    right.set(b)
    return rounded { mpfr_div(result.pointer, left.pointer, right.pointer, MPFR_RNDN) }
  }

  package func reciprocal(_ a: Float) -> Float { divide(1, a) }

  /// The correctly rounded binary logarithm; −∞ for zero.
  package func log2(_ a: Float) -> Float {
    left.set(a)
    return rounded { mpfr_log2(result.pointer, left.pointer, MPFR_RNDN) }
  }

  /// 2^exponent, with subnormals, 0 and infinity beyond them.
  package func powerOfTwo(_ exponent: Int) -> Float {
    if exponent > 127 { return .infinity }
    if exponent < -149 { return 0 }
    result.set(1, exponent: exponent)
    return result.nearestFloat
  }

  /// A float32 rounded to the type `type` by tiesToEven.
  package func round(_ a: Float, to type: ComputeType) -> Float {
    switch type {
    case .fp32: return a
    case .bf16: return round(a, precision: 8, range: (-133, 127))
    case .fp16: return round(a, precision: 11, range: (-24, 15))
    }
  }

  private func round(_ a: Float, precision: Int, range: (lowest: Int, highest: Int)) -> Float {
    left.set(a)
    let narrow = Real(precision: precision)
    return rounded(into: narrow, range) { mpfr_set(narrow.pointer, left.pointer, MPFR_RNDN) }
  }

  /// `rcp.approx.ftz.f32` as the recipe has it: subnormals flushed to zero, the correctly rounded
  /// reciprocal, except at the recipe's arguments.
  func approximateReciprocal(_ a: Float, _ recipe: NamedRecipe.ApproximateReciprocal) -> Float {
    if let bits = recipe.exceptions[a.bitPattern] { return Float(bitPattern: bits) }
    let exact = reciprocal(flushed(a))
    return flushed(exact)
  }

  private func flushed(_ a: Float) -> Float {
    guard a.isSubnormal else { return a }
    return a.sign == .minus ? -0 : 0
  }

  private func rounded(_ operation: () -> Int32) -> Float {
    rounded(into: result, (-149, 127), operation)
  }

  /// Runs one rounding operation inside the exponent range of a format whose smallest subnormal is
  /// 2^lowest and whose largest binade starts at 2^highest. MPFR's significands lie in [½, 1), so
  /// its exponents are one larger; its range is per thread and restored at once.
  private func rounded(
    into target: borrowing Real, _ range: (lowest: Int, highest: Int), _ operation: () -> Int32
  ) -> Float {
    let (lowest, highest) = (mpfr_get_emin(), mpfr_get_emax())
    mpfr_set_emin(range.lowest + 1)
    mpfr_set_emax(range.highest + 1)
    var ternary = operation()
    ternary = mpfr_check_range(target.pointer, ternary, MPFR_RNDN)
    mpfr_subnormalize(target.pointer, ternary, MPFR_RNDN)
    mpfr_set_emin(lowest)
    mpfr_set_emax(highest)
    return target.isNaN ? canonicalFloatNaN : target.nearestFloat
  }
}

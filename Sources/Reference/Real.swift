import CMPFR

/// A real number held by MPFR, used without rounding: every arithmetic method here stops the
/// program if MPFR reports a ternary value other than 0, that is, if a result was not exact. The
/// two quotients, which seldom are exact, say so in their names.
///
/// The struct owns its storage and cannot be copied. It is never held across a suspension: MPFR
/// keeps state for each thread.
struct Real: ~Copyable {
  let pointer: UnsafeMutablePointer<__mpfr_struct>

  /// Enough for a sum, difference or product of products of three float32 numbers of like size
  /// (72 bits, and the digits that a subtraction aligns).
  static let working = 120
  /// Enough for sums of such products of any size: bits 2^-450 to 2^390.
  static let wide = 1024

  /// NaN, with `precision` bits.
  init(precision: Int = Real.working) {
    pointer = .allocate(capacity: 1)
    mpfr_init2(pointer, mpfr_prec_t(precision))
  }

  init(_ value: Float, precision: Int = Real.working) {
    self.init(precision: precision)
    set(value)
  }

  deinit {
    mpfr_clear(pointer)
    pointer.deallocate()
  }

  private func exactly(_ ternary: Int32) {
    precondition(ternary == 0, "an exact step of the reference needs more precision")
  }

  func set(_ value: Float) { exactly(mpfr_set_flt(pointer, value, MPFR_RNDN)) }

  func set(_ other: borrowing Real) { exactly(mpfr_set(pointer, other.pointer, MPFR_RNDN)) }

  /// |other|
  func setMagnitude(of other: borrowing Real) {
    exactly(mpfr_abs(pointer, other.pointer, MPFR_RNDN))
  }

  /// significand · 2^exponent
  func set(_ significand: UInt, exponent: Int) {
    exactly(mpfr_set_ui_2exp(pointer, significand, mpfr_exp_t(exponent), MPFR_RNDN))
  }

  func negate() { exactly(mpfr_neg(pointer, pointer, MPFR_RNDN)) }

  /// a + b
  func setSum(_ a: borrowing Real, _ b: borrowing Real) {
    exactly(mpfr_add(pointer, a.pointer, b.pointer, MPFR_RNDN))
  }

  /// a − b
  func setDifference(_ a: borrowing Real, _ b: borrowing Real) {
    exactly(mpfr_sub(pointer, a.pointer, b.pointer, MPFR_RNDN))
  }

  /// a · b
  func setProduct(_ a: borrowing Real, _ b: borrowing Real) {
    exactly(mpfr_mul(pointer, a.pointer, b.pointer, MPFR_RNDN))
  }

  /// a · factor
  func setProduct(_ a: borrowing Real, _ factor: UInt) {
    exactly(mpfr_mul_ui(pointer, a.pointer, factor, MPFR_RNDN))
  }

  /// a · 2^exponent
  func setScaled(_ a: borrowing Real, exponent: Int) {
    exactly(mpfr_mul_2si(pointer, a.pointer, exponent, MPFR_RNDN))
  }

  /// a / b, cut off toward zero after the precision's number of significant bits. Any number of
  /// fewer bits that is at most |a/b| is at most the result, so its floor and its exponent are
  /// those of a/b.
  func setTruncatedQuotient(_ a: borrowing Real, _ b: borrowing Real) {
    mpfr_div(pointer, a.pointer, b.pointer, MPFR_RNDZ)
  }

  /// The e with 2^e ≤ |self| < 2^(e+1); only for a finite number other than 0.
  var exponent: Int { Int(mpfr_get_exp(pointer)) - 1 }

  /// The integer part of a number from 0 below 2^53: cutting it off after 53 bits keeps all of it.
  var integerPart: UInt { UInt(mpfr_get_d(pointer, MPFR_RNDZ)) }

  var isZero: Bool { mpfr_zero_p(pointer) != 0 }
  var isFinite: Bool { mpfr_number_p(pointer) != 0 }
  var isNaN: Bool { mpfr_nan_p(pointer) != 0 }
  var isNegative: Bool { mpfr_signbit(pointer) != 0 }

  /// −1, 0 or 1 as self is below, equal to or above `other`.
  func compare(_ other: borrowing Real) -> Int {
    Int(mpfr_cmp(pointer, other.pointer).signum())
  }

  /// The number rounded once to float32 by tiesToEven, with subnormals and overflow to infinity.
  /// MPFR rounds a subnormal result directly to its fewer bits.
  var nearestFloat: Float { mpfr_get_flt(pointer, MPFR_RNDN) }
}

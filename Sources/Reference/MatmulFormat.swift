import NumberFormats

/// A binary floating-point format that sums are rounded to and stored in.
struct MatmulFormat {
  /// Digits after the leading one.
  var mantissaBits: Int
  /// Exponents of the smallest normal and of the largest binade.
  var smallestExponent: Int
  var largestExponent: Int
  /// Mantissa bits of the stored pattern: 23 for every format of eight exponent bits.
  private var storedMantissaBits: Int

  static let float32 = MatmulFormat(mantissaBits: 23)
  static let float16 = MatmulFormat(
    mantissaBits: 10, smallestExponent: -14, largestExponent: 15, storedMantissaBits: 10)

  /// Eight exponent bits, stored as float32.
  init(mantissaBits: Int) {
    self.init(
      mantissaBits: mantissaBits, smallestExponent: -126, largestExponent: 127,
      storedMantissaBits: 23)
  }

  private init(
    mantissaBits: Int, smallestExponent: Int, largestExponent: Int, storedMantissaBits: Int
  ) {
    self.mantissaBits = mantissaBits
    self.smallestExponent = smallestExponent
    self.largestExponent = largestExponent
    self.storedMantissaBits = storedMantissaBits
  }

  init(_ type: MatmulOutputType) { self = type == .float16 ? .float16 : .float32 }

  private var largestFinite: Dyadic {
    Dyadic(
      BigInteger((1 << (mantissaBits + 1)) - 1), exponent: largestExponent - mantissaBits)
  }

  /// Rounds once: to the format's digits, or to its subnormals' grid below the smallest normal. A
  /// magnitude that, rounded so without a largest exponent, exceeds the largest finite number
  /// overflows, whatever the rounding. A result that rounds to zero keeps the sign.
  func round(
    _ value: MatmulValue, _ rounding: Rounding = .tiesToEven,
    overflow: Accumulator.Output.Overflow = .infinity
  ) -> MatmulValue {
    guard value.isFinite, !value.isZero else { return value }
    let lastDigit = max(value.number.leadingExponent, smallestExponent) - mantissaBits
    let rounded = value.number.rounded(toMultiplesOf: lastDigit, rounding)
    guard largestFinite.isSmaller(than: rounded) else {
      return MatmulValue(rounded, zeroIsNegative: value.isNegative)
    }
    switch overflow {
    case .infinity: return .infinity(isNegative: value.isNegative)
    case .largestFinite:
      return MatmulValue(
        value.isNegative ? largestFinite * Dyadic(-1) : largestFinite)
    }
  }

  /// A zero of the value's sign where the value is subnormal in this format.
  func flushed(_ value: MatmulValue) -> MatmulValue {
    isSubnormal(value) ? MatmulValue(.zero, zeroIsNegative: value.isNegative) : value
  }

  func isSubnormal(_ value: MatmulValue) -> Bool {
    value.isFinite && !value.isZero && value.number.leadingExponent < smallestExponent
  }

  /// The exponent that a value of this format aligns by: a subnormal's is the smallest normal's.
  /// Only for finite values other than 0.
  func exponent(of value: MatmulValue) -> Int {
    max(value.number.leadingExponent, smallestExponent)
  }

  /// The stored pattern of a value of this format, `nan` for NaN.
  func pattern(_ value: MatmulValue, nan: UInt32) -> Int64 {
    let bias = 1 - smallestExponent
    let hidden = Int64(1) << Int64(storedMantissaBits)
    let sign = value.isNegative ? Int64(2 * bias + 2) * hidden : 0
    switch value.kind {
    case .nan: return Int64(nan)
    case .infinite: return sign + Int64(2 * bias + 1) * hidden
    case .finite:
      guard !value.isZero else { return sign }
      let exponent = exponent(of: value)
      let digits = value.number.magnitude.units(exponent - storedMantissaBits).int ?? 0
      // A normal number's leading one adds 1 to the field, so the smallest normal exponent is 0 here.
      return sign + Int64(exponent - smallestExponent) * hidden + Int64(digits)
    }
  }

  /// The value of a stored pattern.
  func value(_ pattern: Int64) -> MatmulValue {
    let code = UInt32(truncatingIfNeeded: pattern)
    let layout = FloatLayout(
      signBits: 1, exponentBits: storedMantissaBits == 10 ? 5 : 8,
      mantissaBits: storedMantissaBits, bias: 1 - smallestExponent, nonFinite: .ieee)
    return MatmulValue(decodeFloat(code, layout))
  }
}

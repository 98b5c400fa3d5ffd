/// How a floating-point format spends its bit patterns beyond the finite numbers.
public enum NonFiniteEncoding: String, Sendable, Hashable, Codable {
  /// Every pattern is a finite number (E2M1, E2M3, E3M2).
  case none
  /// The largest exponent field holds infinity (mantissa 0) and NaNs (IEEE 754).
  case ieee
  /// Only the all-ones magnitude is NaN; there is no infinity (OCP E4M3, E8M0, UE4M3, UE5M3).
  case allOnesNaN
  /// The pattern of negative zero is the only NaN; there is no infinity and no negative zero (FNUZ).
  case negativeZeroNaN
}

/// The fields of a binary floating-point format, from the most significant bit: sign, exponent,
/// mantissa.
///
/// With exponent field `f`, mantissa field `k` and `m` mantissa bits, a finite pattern means
/// `(1 + k/2^m) · 2^(f − bias)` for `f > 0`, and `k · 2^(1 − bias − m)` for `f = 0` when
/// `zeroExponentIsSubnormal`, otherwise `(1 + k/2^m) · 2^(−bias)` (E8M0 has no zero).
/// Source: OCP OFP8 v1.0 section 5 and OCP MX v1.0 section 5.3 and 5.4.
public struct FloatLayout: Sendable, Hashable {
  /// 1 where the top bit of the pattern is a sign, else 0.
  public var signBits: Int
  /// Width of the exponent field, 1 to 8 bits.
  public var exponentBits: Int
  /// Width of the mantissa field, 0 to 23 bits.
  public var mantissaBits: Int
  /// Subtracted from the exponent field.
  public var bias: Int
  /// Whether exponent field 0 holds zero and the subnormal numbers.
  public var zeroExponentIsSubnormal: Bool
  public var nonFinite: NonFiniteEncoding

  public init(
    signBits: Int, exponentBits: Int, mantissaBits: Int, bias: Int,
    zeroExponentIsSubnormal: Bool = true, nonFinite: NonFiniteEncoding
  ) {
    self.signBits = signBits
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.zeroExponentIsSubnormal = zeroExponentIsSubnormal
    self.nonFinite = nonFinite
  }

  /// Width of the whole pattern in bits.
  public var bits: Int { signBits + exponentBits + mantissaBits }

  /// The largest magnitude pattern (sign bit cleared) that is a finite number.
  public var largestFiniteMagnitudeCode: UInt32 {
    let all = (UInt32(1) << UInt32(exponentBits + mantissaBits)) - 1
    switch nonFinite {
    case .none, .negativeZeroNaN: return all
    case .allOnesNaN: return all - 1
    case .ieee: return all - (UInt32(1) << UInt32(mantissaBits))
    }
  }
}

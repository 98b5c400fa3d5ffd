/// A finite binary fraction: ±significand · 2^exponent, the significand odd or zero.
///
/// Every finite value of every element and scale format is one, so its decimal digits end.
public struct DyadicNumber: Sendable, Hashable {
  public var isNegative: Bool
  public var significand: UInt64
  public var exponent: Int

  /// The exact value of a finite float; nil for NaN and infinities.
  public init?(_ value: Float) { self.init(Double(value)) }

  /// The exact value of a finite double; nil for NaN and infinities.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    isNegative = value.sign == .minus
    significand = value.significandBitPattern
    exponent = Int(max(value.exponentBitPattern, 1)) - 1075
    if value.exponentBitPattern > 0 { significand |= 1 << 52 }
    if significand == 0 {
      exponent = 0
    } else {
      let zeros = significand.trailingZeroBitCount
      significand >>= UInt64(zeros)
      exponent += zeros
    }
  }

  private var sign: String { isNegative ? "-" : "" }

  /// `3 · 2^-4`; just the integer where the exponent is 0.
  public var product: String {
    exponent == 0 ? "\(sign)\(significand)" : "\(sign)\(significand) · 2^\(exponent)"
  }

  /// C's hexadecimal notation, normalised: `0x1.8p-3`.
  public var hexadecimal: String {
    guard significand != 0 else { return "\(sign)0x0p+0" }
    let top = 63 - significand.leadingZeroBitCount
    let fraction = significand << UInt64(64 - top) & (top == 0 ? 0 : .max)
    var digits = String(fraction, radix: 16)
    digits = String(repeating: "0", count: 16 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    let power = exponent + top
    return "\(sign)0x1\(digits.isEmpty ? "" : "." + digits)p\(power < 0 ? "" : "+")\(power)"
  }

  /// Every decimal digit, in scientific notation outside 1e-7 to 1e21.
  public var decimal: String {
    guard significand != 0 else { return "\(sign)0" }
    // significand · 2^exponent = digits · 10^(−fraction), with 2^-1 = 5 · 10^-1.
    var digits = Self.decimalDigits(of: significand)
    let fraction = max(0, -exponent)
    for _ in 0..<fraction { Self.multiply(&digits, by: 5) }
    for _ in 0..<max(0, exponent) { Self.multiply(&digits, by: 2) }
    let text = String(digits.reversed().map { Character(String($0)) })
    return sign + Self.placed(text, fractionDigits: fraction)
  }

  private static func placed(_ digits: String, fractionDigits: Int) -> String {
    let point = digits.count - fractionDigits
    let leading = point - 1
    if leading < -7 || leading >= 21 {
      var tail = String(digits.dropFirst())
      while tail.last == "0" { tail.removeLast() }
      return "\(digits.prefix(1))\(tail.isEmpty ? "" : ".")\(tail)e\(leading)"
    }
    guard fractionDigits > 0 else { return digits }
    return point <= 0
      ? "0." + String(repeating: "0", count: -point) + digits
      : digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// Least significant digit first.
  private static func decimalDigits(of value: UInt64) -> [UInt8] {
    String(value).reversed().compactMap { $0.wholeNumberValue.map(UInt8.init) }
  }

  private static func multiply(_ digits: inout [UInt8], by factor: UInt8) {
    var carry: UInt8 = 0
    for index in digits.indices {
      let product = digits[index] * factor + carry
      digits[index] = product % 10
      carry = product / 10
    }
    if carry > 0 { digits.append(carry) }
  }
}

import NumberFormats

/// One code of a format: its fields, its exact value, its neighbours.
public struct CodeExplanation: Sendable {
  public var format: NumberFormatRow
  public var code: UInt32
  public var value: Float
  public var valueClass: ValueClass
  /// From the most significant bit; empty where the format has no fields.
  public var fields: [Field]
  /// How the value follows from the fields.
  public var formula: String
  /// The next finite values; nil at the ends and for NaN.
  public var below: CodeValue?
  public var above: CodeValue?

  public struct Field: Sendable, Hashable {
    public var name: String
    /// Binary digits, as many as the field has bits.
    public var bits: String
  }

  /// - Parameter code: below 2^bits.
  public init(_ code: UInt32, of values: FormatValues) {
    format = values.format
    self.code = code
    value = values.value(code)
    valueClass = values.valueClass(code)
    fields = Self.fields(code, format)
    formula = Self.formula(code, format, valueClass)
    below = value.isNaN ? nil : values.below(value)
    above = value.isNaN ? nil : values.above(value)
  }

  private static func fields(_ code: UInt32, _ format: NumberFormatRow) -> [Field] {
    if let layout = format.layout {
      let (sign, exponent, mantissa) = layout.fields(of: code)
      return [
        ("sign", sign, layout.signBits), ("exponent", exponent, layout.exponentBits),
        ("mantissa", mantissa, layout.mantissaBits),
      ].filter { $0.2 > 0 }.map { Field(name: $0.0, bits: binaryDigits($0.1, width: $0.2)) }
    }
    guard case .element(let element) = format, case .integer(let layout) = element.kind else {
      return [Field(name: "index", bits: binaryDigits(code, width: format.bits))]
    }
    let magnitude = code & (1 << UInt32(layout.bits - 1) - 1)
    let rest = layout.encoding == .signMagnitude ? "magnitude" : "rest"
    return [
      Field(name: "sign", bits: binaryDigits(code >> UInt32(layout.bits - 1) & 1, width: 1)),
      Field(name: rest, bits: binaryDigits(magnitude, width: layout.bits - 1)),
    ]
  }

  private static func formula(
    _ code: UInt32, _ format: NumberFormatRow, _ valueClass: ValueClass
  ) -> String {
    if let layout = format.layout { return formula(code, layout, valueClass) }
    guard case .element(let element) = format, case .integer(let layout) = element.kind else {
      return valueClass == .nan ? "beyond the codebook" : "entry \(code) of the codebook"
    }
    let top = code >> UInt32(layout.bits - 1) & 1 == 1
    let rest = Int(code & (1 << UInt32(layout.bits - 1) - 1))
    let number =
      switch layout.encoding {
      case .signMagnitude: "\(top ? "-" : "")\(rest)"
      case .twosComplement: "\(rest - (top ? 1 << (layout.bits - 1) : 0))"
      }
    return layout.fractionBits == 0 ? number : "\(number) × 2^\(-layout.fractionBits)"
  }

  private static func formula(
    _ code: UInt32, _ layout: FloatLayout, _ valueClass: ValueClass
  ) -> String {
    let (sign, exponent, mantissa) = layout.fields(of: code)
    switch valueClass {
    case .nan: return "NaN"
    case .infinity: return sign == 1 ? "-infinity" : "infinity"
    case .zero, .subnormal, .normal:
      let hidden = exponent > 0 || !layout.zeroExponentIsSubnormal
      let power = hidden ? Int(exponent) - layout.bias : 1 - layout.bias
      let factors =
        (layout.signBits > 0 ? ["(-1)^\(sign)"] : []) + ["2^\(power)"]
        + (layout.mantissaBits > 0
          ? ["(\(hidden ? 1 : 0) + \(mantissa)/\(1 << layout.mantissaBits))"]
          : hidden ? [] : ["0"])
      return factors.joined(separator: " × ")
    }
  }
}

/// The low `width` bits, most significant first.
public func binaryDigits(_ value: UInt32, width: Int) -> String {
  String((0..<width).reversed().map { value >> UInt32($0) & 1 == 1 ? "1" : "0" as Character })
}

/// A code as `0x` and as many digits as its width asks for.
public func hexadecimalCode(_ code: UInt32, bits: Int) -> String {
  let digits = String(code, radix: 16)
  return "0x" + String(repeating: "0", count: max(0, (bits + 3) / 4 - digits.count)) + digits
}

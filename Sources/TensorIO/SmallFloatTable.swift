/// The 256 values of each 8-bit float type, as float32 (all of them are exact).
enum SmallFloatTable {
  static func of(_ dtype: TensorDType) -> [Float] {
    switch dtype {
    case .f8e5m2: e5m2
    case .f8e8m0: e8m0
    case .f8e4m3fnuz: e4m3fnuz
    case .f8e5m2fnuz: e5m2fnuz
    default: e4m3
    }
  }

  private static let e4m3 = table(exponentBits: 4, bias: 7) { $0 & 0x7F == 0x7F ? .nan : nil }
  private static let e5m2 = table(exponentBits: 5, bias: 15) { code in
    switch code & 0x7F {
    case 0x7C: .infinity
    case 0x7D...: .nan
    default: nil
    }
  }
  private static let e4m3fnuz = table(exponentBits: 4, bias: 8) { $0 == 0x80 ? .nan : nil }
  private static let e5m2fnuz = table(exponentBits: 5, bias: 16) { $0 == 0x80 ? .nan : nil }
  private static let e8m0: [Float] = (0...255).map { code in
    code == 255 ? .nan : Float(sign: .plus, exponent: code - 127, significand: 1)
  }

  /// Values from the fields (sign, exponent, fraction; subnormals at exponent 0); `special` gives
  /// the magnitude of the codes that are not numbers.
  private static func table(exponentBits: Int, bias: Int, special: (Int) -> Float?) -> [Float] {
    let fractionBits = 7 - exponentBits
    return (0...255).map { code in
      let exponent = (code & 0x7F) >> fractionBits
      let fraction = code & ((1 << fractionBits) - 1)
      let significand = exponent == 0 ? fraction : fraction | 1 << fractionBits
      let finite = Float(
        sign: .plus, exponent: max(exponent, 1) - bias - fractionBits,
        significand: Float(significand))
      let magnitude = special(code) ?? finite
      return code < 128 || special(code)?.isNaN == true ? magnitude : -magnitude
    }
  }
}

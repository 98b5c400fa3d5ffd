import ErrorStatistics
import NumberFormats

extension ElementFormat {
  /// The format's values as error statistics see them.
  public var spacing: ElementSpacing {
    switch kind {
    case .float(let layout):
      let top = layout.largestFiniteMagnitudeCode
      let (_, exponent, mantissa) = layout.fields(of: top)
      let fraction = Double(mantissa) / Double(1 << layout.mantissaBits)
      let largest = Double(
        sign: .plus, exponent: Int(exponent) - layout.bias, significand: 1 + fraction)
      return .float(
        mantissaBits: layout.mantissaBits, minExponent: 1 - layout.bias, largest: largest,
        subnormals: layout.zeroExponentIsSubnormal && layout.mantissaBits > 0)
    case .integer(let layout):
      let step = Double(sign: .plus, exponent: -layout.fractionBits, significand: 1)
      let most = (1 << (layout.bits - 1)) - 1
      return .integer(step: step, largest: step * Double(most))
    case .codebook(let values):
      return .codebook(values.map { Double($0) })
    }
  }
}

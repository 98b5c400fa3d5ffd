import NumberFormats

/// How far a format's finite values reach.
public struct FormatRange: Sendable, Hashable {
  /// The largest finite value, and the most negative one (0 for a format without a sign).
  public var largest: Float
  public var lowest: Float
  /// The smallest normal number above zero; nil for integers and codebooks.
  public var leastNormal: Float?
  /// The smallest subnormal above zero; nil where there are none.
  public var leastSubnormal: Float?
  /// The smallest value above zero.
  public var leastPositive: Float
  public var hasInfinity: Bool
  public var hasNaN: Bool

  public init(_ format: NumberFormatRow, engine: any QuantizationEngine) {
    guard let layout = format.layout else {
      let values = format.decode((0..<UInt32(format.codeCount)).map { $0 }, engine: engine)
      largest = values.max() ?? 0
      lowest = values.min() ?? 0
      leastPositive = values.filter { $0 > 0 }.min() ?? 0
      hasInfinity = false
      hasNaN = false
      return
    }
    let firstNormal: UInt32 =
      layout.zeroExponentIsSubnormal ? 1 << UInt32(layout.mantissaBits) : 0
    let ends = format.decode([layout.largestFiniteMagnitudeCode, firstNormal, 1], engine: engine)
    largest = ends[0]
    lowest = layout.signBits > 0 ? -ends[0] : layout.zeroExponentIsSubnormal ? 0 : ends[1]
    leastNormal = ends[1]
    leastSubnormal =
      layout.zeroExponentIsSubnormal && layout.mantissaBits > 0 ? ends[2] : nil
    leastPositive = leastSubnormal ?? ends[1]
    hasInfinity = layout.nonFinite == .ieee
    hasNaN = layout.nonFinite != .none
  }
}

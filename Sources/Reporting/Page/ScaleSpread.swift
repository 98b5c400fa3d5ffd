import NumberFormats

/// How the scale codes of a format read.
public struct ScaleCodes: Sendable, Hashable {
  public var name: String
  /// Whether reports count blocks by code, and not by binary exponent.
  public var isByCode: Bool
  /// Whether scales are powers of two.
  public var isPowerOfTwo: Bool
  private var mantissaBits: Int
  private var bias: Int
  private var hasSubnormals: Bool

  public init(_ format: BlockFormat) {
    let layout = format.scale.layout
    name = format.scale.name
    isByCode = format.scale.storedBits <= 8
    isPowerOfTwo = format.powerOfTwoScale || format.scale.isPowerOfTwo
    (mantissaBits, bias) = (layout.mantissaBits, layout.bias)
    hasSubnormals = layout.zeroExponentIsSubnormal
  }

  /// ⌊log2⌋ of the scale that a report's key stands for; nil for zero and what is no number.
  public func exponent(_ key: String) -> Int? {
    guard let value = Int(key), isByCode else { return Int(key) }
    let field = value >> mantissaBits
    if field > 0 || !hasSubnormals { return field - bias }
    guard value > 0 else { return nil }
    return 1 - bias - mantissaBits + (Int.bitWidth - 1 - value.leadingZeroBitCount)
  }

  /// Whether the key's scale has lost digits, being subnormal or zero.
  public func isUnderflow(_ key: String) -> Bool {
    guard isByCode, hasSubnormals, let value = Int(key) else { return key == "zero" }
    return value >> mantissaBits == 0
  }
}

/// Over which powers of two a format's scales spread, all tensors together.
public struct ScaleSpread: Sendable {
  public var format: String
  public var block: String
  public var scale: String
  /// Shares of blocks by ⌊log2⌋ of the scale, ascending.
  public var shares: [(exponent: Int, share: Double)]
  /// Shares of blocks whose scale is zero or subnormal, or was clamped.
  public var underflow: Double
  public var clamped: Double

  static func all(
    _ data: SweepResults, small: Double, scale: (String) -> ScaleCodes?
  ) -> [ScaleSpread] {
    let own = data.results.filter { !$0.isProduct && !$0.scales.isEmpty }
    return TensorErrors.atSmallBlock(own, small).compactMap { format, block, results in
      guard let codes = scale(format) else { return nil }
      var counts: [Int: Int] = [:]
      var (underflow, clamped, blocks) = (0, 0, 0)
      for result in results {
        clamped += result.clampedScales
        for (key, count) in result.scales {
          blocks += count
          if codes.isUnderflow(key) { underflow += count }
          if let exponent = codes.exponent(key) { counts[exponent, default: 0] += count }
        }
      }
      let all = Double(max(1, blocks))
      return ScaleSpread(
        format: format, block: block, scale: codes.name,
        shares: counts.sorted { $0.key < $1.key }.map { ($0.key, Double($0.value) / all) },
        underflow: Double(underflow) / all, clamped: Double(clamped) / all)
    }
  }
}

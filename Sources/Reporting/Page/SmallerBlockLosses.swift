/// Tensors for which a smaller block makes the error larger.
public struct SmallerBlockLosses: Sendable {
  /// What grew with the smaller block.
  public enum Cause: String, Sendable, CaseIterable {
    case clamped = "scales clamped to the end of their range"
    case underflow = "scales that underflow: subnormal or zero"
    case saturated = "block maxima beyond the largest code under a power-of-two scale"
    case flushed = "elements made zero"
    case rounding = "none of these: the scales' rounding alone"
  }
  public struct Figures: Sendable {
    public var block: String
    public var nmse: Double
    /// Shares of elements, then of blocks.
    public var saturated: Double
    public var flushed: Double
    public var clamped: Double
    public var underflow: Double
  }
  public struct Case: Sendable {
    public var tensor: String
    public var format: String
    public var smaller: Figures
    public var larger: Figures
    public var cause: Cause
    /// The smaller block's error over the larger's, above 1.
    public var ratio: Double { smaller.nmse / larger.nmse }
  }
  public struct Summary: Sendable {
    public var format: String
    /// Tensors with at least one such step, of all that were measured.
    public var affected: Int
    public var tensors: Int
    /// Steps from one measured block to the next smaller, by cause.
    public var causes: [Cause: Int]
    public var worst: Case
  }
  /// Formats with such tensors, the most affected first.
  public var summaries: [Summary] = []
  /// The largest ratios, falling.
  public var worst: [Case] = []
  /// Formats without.
  public var unaffected: [String] = []

  init(_ data: SweepResults, scale: (String) -> ScaleCodes?, limit: Int = 40) {
    let own = data.results.filter { !$0.isProduct && $0.blockSize != nil }
    var all: [Case] = []
    for (format, results) in Dictionary(grouping: own, by: \.format).sorted(by: { $0.key < $1.key })
    {
      let codes = scale(format)
      let tensors = Dictionary(grouping: results, by: \.tensor)
      let cases = tensors.keys.sorted().flatMap { tensor in
        Self.cases(tensors[tensor] ?? [], codes)
      }
      guard let worst = cases.max(by: { $0.ratio < $1.ratio }) else {
        unaffected.append(format)
        continue
      }
      summaries.append(
        Summary(
          format: format, affected: Set(cases.map(\.tensor)).count, tensors: tensors.count,
          causes: Dictionary(grouping: cases, by: \.cause).mapValues(\.count), worst: worst))
      all += cases
    }
    summaries.sort { ($1.affected, $0.format) < ($0.affected, $1.format) }
    worst = Array(
      all.sorted { ($1.ratio, $0.format, $0.tensor) < ($0.ratio, $1.format, $1.tensor) }
        .prefix(limit))
  }

  private static func cases(_ results: [PageResult], _ codes: ScaleCodes?) -> [Case] {
    let sorted = results.filter { ($0.nmse ?? 0) > 0 }
      .sorted { ($0.blockSize ?? 0) < ($1.blockSize ?? 0) }
    return zip(sorted, sorted.dropFirst()).compactMap { small, large in
      guard let below = small.nmse, let above = large.nmse, below > above * (1 + 1e-9) else {
        return nil
      }
      let (a, b) = (figures(small, codes), figures(large, codes))
      return Case(
        tensor: small.tensor, format: small.format, smaller: a, larger: b,
        cause: cause(a, b, codes))
    }
  }

  private static func figures(_ result: PageResult, _ codes: ScaleCodes?) -> Figures {
    let count = Double(max(1, result.count))
    let blocks = Double(max(1, result.blocks ?? 1))
    let underflow = result.scales.reduce(0) { sum, entry in
      codes?.isUnderflow(entry.key) == true ? sum + entry.value : sum
    }
    return Figures(
      block: result.block, nmse: result.nmse ?? 0, saturated: Double(result.saturated) / count,
      flushed: Double(result.flushed) / count, clamped: Double(result.clampedScales) / blocks,
      underflow: Double(underflow) / blocks)
  }

  /// The first that grew by a thousandth of what it counts; beyond the largest code counts only where
  /// scales are powers of two, as others miss the maximum by rounding alone.
  private static func cause(_ small: Figures, _ large: Figures, _ codes: ScaleCodes?) -> Cause {
    let least = 1e-3
    if small.clamped > large.clamped + least { return .clamped }
    if small.underflow > large.underflow + least { return .underflow }
    if codes?.isPowerOfTwo == true, small.saturated > large.saturated + least { return .saturated }
    return small.flushed > large.flushed + least ? .flushed : .rounding
  }
}

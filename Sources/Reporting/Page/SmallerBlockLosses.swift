import ErrorStatistics

/// Tensors for which a smaller block makes the error larger.
public struct SmallerBlockLosses: Sendable {
  /// The part of the squared error that grew the most with the smaller block.
  public enum Cause: String, Sendable, CaseIterable {
    case underflow, clamped, saturated, flushed, rounding
    /// The results do not tell the parts of their error.
    case unknown

    /// - Parameter isPowerOfTwo: Whether the format's scales are powers of two.
    public func words(isPowerOfTwo: Bool) -> String {
      switch self {
      case .underflow: "the error of blocks whose scale is subnormal or zero"
      case .clamped: "elements beyond the largest code under the largest scale there is"
      case .saturated where isPowerOfTwo:
        "elements beyond the largest code, their scale a power of two"
      case .saturated: "elements beyond the largest code, their scale rounded down"
      case .flushed: "elements made zero"
      case .rounding: "the rounding of the other elements"
      case .unknown: "not told: results without the parts of their error, to be measured anew"
      }
    }

    /// Its part of a result's NMSE; nil where the result does not tell.
    public func part(_ figures: Figures) -> Double? {
      guard let parts = figures.parts else { return nil }
      switch self {
      case .underflow: return parts.underflow
      case .clamped: return parts.clamped
      case .saturated: return parts.saturated
      case .flushed: return parts.flushed
      case .rounding: return max(0, figures.nmse - parts.sum)
      case .unknown: return nil
      }
    }
  }
  public struct Figures: Sendable {
    public var block: String
    public var nmse: Double
    public var parts: ErrorParts?
    /// Shares of elements, then of blocks.
    public var saturated: Double
    public var flushed: Double
    public var clamped: Double
  }
  public struct Case: Sendable {
    public var tensor: String
    public var format: String
    public var smaller: Figures
    public var larger: Figures
    /// Whether the format's scales are powers of two.
    public var isPowerOfTwo: Bool
    /// The smaller block's error over the larger's, above 1.
    public var ratio: Double { smaller.nmse / larger.nmse }

    /// What grew the most.
    public var cause: Cause {
      let grown = Cause.allCases.compactMap { cause in growth(cause).map { (cause, $0) } }
      return grown.max { $0.1 < $1.1 }?.0 ?? .unknown
    }

    /// By how much a part grew, over the larger block's error: all parts together make ratio − 1.
    public func growth(_ cause: Cause) -> Double? {
      guard let after = cause.part(smaller), let before = cause.part(larger) else { return nil }
      return (after - before) / larger.nmse
    }
  }
  public struct Summary: Sendable {
    public var format: String
    /// Tensors with at least one such step, of all that were measured.
    public var affected: Int
    public var tensors: Int
    /// Steps from one measured block to the next smaller, by cause.
    public var causes: [Cause: Int]
    public var worst: Case
    /// Whether the format's scales are powers of two.
    public var isPowerOfTwo: Bool { worst.isPowerOfTwo }
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
      return Case(
        tensor: small.tensor, format: small.format, smaller: figures(small),
        larger: figures(large), isPowerOfTwo: codes?.isPowerOfTwo == true)
    }
  }

  private static func figures(_ result: PageResult) -> Figures {
    let count = Double(max(1, result.count))
    let blocks = Double(max(1, result.blocks ?? 1))
    return Figures(
      block: result.block, nmse: result.nmse ?? 0, parts: result.parts,
      saturated: Double(result.saturated) / count, flushed: Double(result.flushed) / count,
      clamped: Double(result.clampedScales) / blocks)
  }
}

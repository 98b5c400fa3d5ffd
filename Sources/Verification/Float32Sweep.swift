import Measurement
import NumberFormats

/// Every float32 number there is through one encoder: engines against the reference.
public struct Float32Sweep: Sendable {
  public var comparison: NumberComparison
  public var parallel: Parallel
  /// Inputs of one piece of work.
  private static let step = 1 << 16

  public init(comparison: NumberComparison, parallel: Parallel) {
    self.comparison = comparison
    self.parallel = parallel
  }

  /// The patterns in a format without a NaN to encode to are all but the NaNs; the check of what is
  /// refused is made elsewhere.
  ///
  /// - Parameters:
  ///   - patterns: Which of the 2^32, whole steps of 65,536 from the lower end.
  ///   - progress: Called with the inputs done since the last call, from any thread.
  public func run(
    _ row: NumberFormatRow, patterns: Range<UInt64> = 0..<(1 << 32),
    progress: @Sendable (Int) -> Void = { _ in }
  ) -> [VerificationReport] {
    let pieces = (patterns.count + Self.step - 1) / Self.step
    let takesNaN = row.takesNaN
    // Reports of a stretch of pieces are merged before the next, so that memory stays small.
    var reports: [VerificationReport] = []
    for start in stride(from: 0, to: pieces, by: 1024) {
      let parts = parallel.map(min(1024, pieces - start)) { offset -> [VerificationReport] in
        let first = patterns.lowerBound + UInt64((start + offset) * Self.step)
        let range = first..<min(first + UInt64(Self.step), patterns.upperBound)
        var values = range.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
        if !takesNaN { values.removeAll(where: \.isNaN) }
        progress(range.count)
        guard !values.isEmpty else { return [] }
        return comparison.encode(values, to: row)
      }
      reports = (reports + parts.flatMap { $0 }).merged()
    }
    return reports
  }
}

extension NumberFormatRow {
  /// Whether a NaN has a code to become.
  var takesNaN: Bool {
    switch self {
    case .element(let format): format.canonicalNaN != nil
    case .scale: true
    }
  }
}

/// Parts of a squared error, by what became of the element. An element is in the first that holds; those
/// in none are rounded to a code other than zero and lie within the element's range.
public struct ErrorParts: Sendable, Hashable {
  /// Elements of blocks whose scale is subnormal, or zero.
  public var underflow: Double
  /// |x/(s·T)| > maxE under the largest scale there is.
  public var clamped: Double
  /// |x/(s·T)| > maxE under another scale.
  public var saturated: Double
  /// x ≠ 0 and v = 0.
  public var flushed: Double

  public init(
    underflow: Double = 0, clamped: Double = 0, saturated: Double = 0, flushed: Double = 0
  ) {
    self.underflow = underflow
    self.clamped = clamped
    self.saturated = saturated
    self.flushed = flushed
  }

  /// The four together.
  public var sum: Double { underflow + clamped + saturated + flushed }
}

/// The sums of ``ErrorParts``.
struct ErrorPartSums: Sendable, Equatable {
  private var underflow = CompensatedSum()
  private var clamped = CompensatedSum()
  private var saturated = CompensatedSum()
  private var flushed = CompensatedSum()

  mutating func add(_ parts: ErrorParts) {
    underflow.add(parts.underflow)
    clamped.add(parts.clamped)
    saturated.add(parts.saturated)
    flushed.add(parts.flushed)
  }

  mutating func add(_ other: ErrorPartSums) {
    underflow.add(other.underflow)
    clamped.add(other.clamped)
    saturated.add(other.saturated)
    flushed.add(other.flushed)
  }

  /// Each as a share of `whole`.
  func over(_ whole: Double) -> ErrorParts {
    ErrorParts(
      underflow: underflow.value / whole, clamped: clamped.value / whole,
      saturated: saturated.value / whole, flushed: flushed.value / whole)
  }
}

import CBlockKernels

/// The sums, maxima and counts of one chunk of a tensor: the elements with row-major indices
/// 65,536·index up to, not including, 65,536·(index + 1), or up to the tensor's end.
///
/// x is the original, v the decoded element value, y = v·s·T in double, e = y − x in double. An
/// element whose x or y is NaN or infinite adds to `count`, `nan`, `nonFinite`, `saturated` and
/// nothing else.
public struct ChunkSums: Sendable, Equatable {
  /// Elements in a full chunk.
  public static let size = Int(BK_ERROR_CHUNK)

  /// The chunk's place in the tensor.
  public let index: Int
  /// Σe.
  public let error: Double
  /// Σe².
  public let errorSquared: Double
  /// Σx².
  public let xSquared: Double
  /// Σy².
  public let ySquared: Double
  /// Σx·y.
  public let xy: Double
  /// Σ|e|/|x| over x ≠ 0.
  public let relative: Double
  /// Σe² by what became of the element.
  public let parts: ErrorParts
  /// Largest |e|.
  public let maxAbsolute: Double
  /// Largest |e|/|x| over x ≠ 0.
  public let maxRelative: Double
  /// Largest |x/(s·T) − v| in gaps of the element, over s·T ≠ 0.
  public let maxULP: Double
  /// Counts of the chunk's elements.
  public let counts: ElementCounts

  init(index: Int, _ sums: bk_error_sums) {
    self.index = index
    error = sums.error
    errorSquared = sums.error_squared
    xSquared = sums.x_squared
    ySquared = sums.y_squared
    xy = sums.xy
    relative = sums.relative
    parts = ErrorParts(
      underflow: sums.underflow_squared, clamped: sums.clamped_squared,
      saturated: sums.saturated_squared, flushed: sums.flushed_squared)
    maxAbsolute = sums.max_absolute
    maxRelative = sums.max_relative
    maxULP = sums.max_ulp
    counts = ElementCounts(
      all: Int(sums.count), nonzero: Int(sums.nonzero), saturated: Int(sums.saturated),
      flushed: Int(sums.flushed), nan: Int(sums.nan), nonFinite: Int(sums.non_finite))
  }
}

/// How many elements fall into each class.
public struct ElementCounts: Sendable, Equatable {
  /// Every element seen.
  public internal(set) var all = 0
  /// Elements with finite x and y and x ≠ 0: those of the relative errors.
  public internal(set) var nonzero = 0
  /// |x/(s·T)| > maxE, compared as |x| > maxE·|s·T|. An infinite x counts where s·T is finite; where
  /// s·T is zero every nonzero x does.
  public internal(set) var saturated = 0
  /// x ≠ 0 and v = 0, where x is no NaN and s·T is finite.
  public internal(set) var flushed = 0
  /// y is NaN.
  public internal(set) var nan = 0
  /// x or y is NaN or infinite; includes `nan`.
  public internal(set) var nonFinite = 0

  /// Elements that take part in the sums: `all` − `nonFinite`.
  public var finite: Int { all - nonFinite }

  mutating func add(_ other: ElementCounts) {
    all += other.all
    nonzero += other.nonzero
    saturated += other.saturated
    flushed += other.flushed
    nan += other.nan
    nonFinite += other.nonFinite
  }
}

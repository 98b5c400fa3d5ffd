#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The error statistics of one quantised tensor, or of several in total.
///
/// x is an original (float32), v the value of its code, s·T the decoded scale times the tensor scale,
/// y = v·s·T the dequantised real number and e = y − x its error; all in double. Means, sums and maxima
/// run over the elements whose x and y are finite. A quantity without value (0/0, or nothing to take a
/// mean of) is nil. JSON writes nil and infinities as null.
public struct ErrorReport: Sendable, Equatable {
  /// Elements, all of them.
  public let count: Int
  /// Mean of e, in units of x.
  public let meanError: Double?
  /// Mean of e², in units of x².
  public let mse: Double?
  /// Σe²/Σx²; +∞ where only Σx² is zero.
  public let nmse: Double?
  /// Σe²/Σx² over the elements of each part, the rest of `nmse` being of those in none; nil where
  /// `nmse` is nil or infinite.
  public let nmseParts: ErrorParts?
  /// 10·log10(Σx²/Σe²), in decibels; +∞ where there is no error, −∞ where only Σx² is zero.
  public let sqnrDecibels: Double?
  /// Largest |e|, in units of x.
  public let maxAbsoluteError: Double?
  /// Mean of |e|/|x| over x ≠ 0.
  public let meanRelativeError: Double?
  /// Largest |e|/|x| over x ≠ 0.
  public let maxRelativeError: Double?
  /// Largest |x/(s·T) − v| over the gap between the element values that bracket x/(s·T) (see
  /// ``ElementSpacing``), over elements with s·T ≠ 0; 0 where there are none. At most ½ for an
  /// unsaturated element rounded to nearest.
  public let maxULP: Double?
  /// Cosine of the angle between x and y: Σxy/√(Σx²·Σy²).
  public let cosine: Double?
  /// Elements with |x/(s·T)| > maxE.
  public let saturated: Int
  /// Elements with x ≠ 0 and v = 0.
  public let flushed: Int
  /// Elements whose y is NaN.
  public let nan: Int
  /// Elements whose x or y is NaN or infinite: those left out of the sums.
  public let nonFinite: Int
  /// Blocks per scale; nil in a total over different kinds of scale.
  public let scaleHistogram: ScaleHistogram?
  /// Blocks whose scale met an end of the scale format's range.
  public let clampedScales: Int
  /// Crest factors amax/rms of the blocks at ``CrestHistogram/reportedProbabilities``; nil without
  /// blocks that have one.
  public let crestQuantiles: [Double]?
  /// Stored bits per element, scales included; over several tensors, the mean over the elements;
  /// nil where the accumulator was not told.
  public let bitsPerElement: Double?

  /// Works the statistics out of the sums.
  public init(_ sums: TensorErrorAccumulator) {
    let finite = sums.counts.finite
    let errorSquared = sums.errorSquared.value
    let xSquared = sums.xSquared.value
    count = sums.counts.all
    meanError = Self.mean(sums.error.value, finite)
    mse = Self.mean(errorSquared, finite)
    nmse = Self.ratio(errorSquared, xSquared)
    nmseParts = xSquared > 0 ? sums.parts.over(xSquared) : nil
    sqnrDecibels = Self.ratio(xSquared, errorSquared).map { 10 * log10($0) }
    maxAbsoluteError = finite > 0 ? sums.maxAbsolute : nil
    meanRelativeError = Self.mean(sums.relative.value, sums.counts.nonzero)
    maxRelativeError = sums.counts.nonzero > 0 ? sums.maxRelative : nil
    maxULP = finite > 0 ? sums.maxULP : nil
    // The product of the sums could leave the range of double; the product of the roots cannot.
    cosine = Self.ratio(
      sums.xy.value, xSquared.squareRoot() * sums.ySquared.value.squareRoot()
    ).map { min(max($0, -1), 1) }
    saturated = sums.counts.saturated
    flushed = sums.counts.flushed
    nan = sums.counts.nan
    nonFinite = sums.counts.nonFinite
    scaleHistogram = sums.scales
    clampedScales = sums.clampedScales
    let quantiles = CrestHistogram.reportedProbabilities.compactMap { sums.crest.quantile($0) }
    crestQuantiles = quantiles.isEmpty ? nil : quantiles
    bitsPerElement = sums.bits.flatMap { Self.mean($0.value, sums.counts.all) }
  }

  private static func mean(_ sum: Double, _ count: Int) -> Double? {
    count > 0 ? sum / Double(count) : nil
  }

  private static func ratio(_ a: Double, _ b: Double) -> Double? { a == 0 && b == 0 ? nil : a / b }
}

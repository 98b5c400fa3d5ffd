/// Intervals from refitting to resampled residuals.
///
/// Each resample adds residuals, drawn with replacement, to the fitted curve and fits again from the
/// best parameters. Residuals and not rows are drawn, so that every resample keeps the design: with
/// rows, many would hold a single model size and determine nothing. Residuals are first divided by
/// √(1 - leverage) and centred, without which they are too small (Davison and Hinkley, "Bootstrap
/// Methods and their Application", 1997, 6.2.3). Intervals are percentiles.
public struct FitBootstrap: Sendable {
  public var resamples: Int
  /// Resamples whose fit failed, which no interval counts.
  public var failed: Int
  public var seed: UInt64
  public var confidence: Double
  /// By parameter; nil where too few resamples could be fitted.
  public var intervals: [(low: Double, high: Double)?]

  /// - Parameters:
  ///   - fit: of this curve.
  ///   - resamples: how many.
  public init(_ curve: Curve, _ fit: CurveFit, resamples: Int, seed: UInt64) {
    (self.resamples, self.seed, confidence) = (resamples, seed, fit.confidence)
    // A key of its own: starts are drawn with the seed itself.
    let random = FitRandom(seed: seed ^ (1 << 62))
    let pool = Self.pool(fit)
    var draws = fit.parameters.map { _ in [Double]() }
    for resample in 0..<resamples {
      let observed = fit.fitted.indices.map { row in
        let drawn = pool[random.below(pool.count, UInt64(resample) << 24 | UInt64(row))]
        return fit.space.adding(drawn, to: fit.fitted[row])
      }
      let search = CurveSearch(
        curve: curve.observing(observed), space: fit.space, loss: fit.loss)
      guard let found = search.solve(from: fit.values, tolerance: 1e-9, limit: 400) else {
        continue
      }
      for (place, value) in found.values.enumerated() { draws[place].append(value) }
    }
    failed = resamples - (draws.first?.count ?? 0)
    let (isEnough, confidence) = (failed * 20 <= resamples, fit.confidence)
    intervals = draws.map { isEnough ? Self.percentiles($0.sorted(), confidence) : nil }
  }

  private static func pool(_ fit: CurveFit) -> [Double] {
    let spread = zip(fit.residuals, fit.leverages).map { residual, leverage in
      residual / max(1 - leverage, 1e-6).squareRoot()
    }
    let mean = spread.reduce(0, +) / Double(spread.count)
    return spread.map { $0 - mean }
  }

  private static func percentiles(
    _ sorted: [Double], _ confidence: Double
  ) -> (low: Double, high: Double)? {
    let tail = (1 - confidence) / 2
    guard Double(sorted.count) * tail >= 1 else { return nil }
    return (quantile(sorted, tail), quantile(sorted, 1 - tail))
  }

  /// Linear between the order statistics at (count - 1)·share.
  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = Double(sorted.count - 1) * share
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}

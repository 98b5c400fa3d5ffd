#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A curve fitted to its observations.
///
/// Parameters are the best of many starts of MINPACK's Levenberg-Marquardt. Their covariance is
/// s²·(JᵀJ)⁻¹ with the Jacobian J at the minimum and s² the residuals' variance (for the Huber loss
/// Huber's asymptotic one: mean ψ² over (mean ψ')²); intervals take Student's t. A factor's interval
/// is taken in its logarithm, where that of a law fitted in logarithms is exact; any other is
/// symmetric and cut off at the parameter's bounds. A parameter at a bound has none.
public struct CurveFit: Sendable {
  public struct Parameter: Sendable, Equatable {
    public var symbol: String
    public var value: Double
    /// nil at a bound.
    public var standardError: Double?
    public var low: Double?
    public var high: Double?
    public var isAtBound: Bool
  }

  public var parameters: [Parameter]
  public var space: ResidualSpace
  public var loss: FitLoss
  /// Of the intervals, such as 0.95.
  public var confidence: Double
  /// The curve at every row, in the observations' own unit.
  public var fitted: [Double]
  /// Observed minus fitted at every row, in the fit's space.
  public var residuals: [Double]
  /// The summed loss at the minimum: the residual sum of squares for `squares`.
  public var cost: Double
  /// Rows minus parameters that the data could move.
  public var freedom: Int
  /// Symmetric, in the order of `parameters`; zero rows where one lies at a bound.
  public var covariance: [[Double]]
  /// Of the Jacobian with columns of length 1, those of parameters at a bound among them.
  public var condition: Double
  /// Of all parameters, as if none lay at a bound; nil where none does, or one has no effect.
  public var unboundedCorrelations: [[Double]]?
  public var leverages: [Double]
  /// Starts with a finite curve, and how many of them came to this minimum.
  public var startsTried: Int
  public var startsAgreeing: Int
  public var hasConverged: Bool

  public var values: [Double] { parameters.map(\.value) }
  /// Σ residual².
  public var residualSumOfSquares: Double { residuals.reduce(0) { $0 + $1 * $1 } }
  /// √(Σ residual² / rows).
  public var rms: Double { (residualSumOfSquares / Double(residuals.count)).squareRoot() }

  /// The correlation of two parameters; nil where one lies at a bound.
  public func correlation(_ i: Int, _ j: Int) -> Double? {
    let product = covariance[i][i] * covariance[j][j]
    return product > 0 ? covariance[i][j] / product.squareRoot() : nil
  }
}

extension Curve {
  /// Fits the curve.
  ///
  /// - Parameters:
  ///   - starts: how many starts are tried; their places depend on `seed` alone.
  ///   - from: a single start instead.
  public func fit(
    space: ResidualSpace, loss: FitLoss = .squares, starts: Int = 32, seed: UInt64 = 1,
    confidence: Double = 0.95, from start: [Double]? = nil
  ) throws(FitError) -> CurveFit {
    try check(space)
    let search = CurveSearch(curve: self, space: space, loss: loss)
    let found =
      start.map { search.solve(from: $0).map { ($0, 1, 1) } }
      ?? search.best(of: starts, seed: seed)
    guard let (minimum, tried, agreeing) = found else { throw .noMinimum(starts: max(starts, 1)) }
    return try CurveFit(
      search, minimum, tried: tried, agreeing: agreeing, confidence: confidence)
  }

  private func check(_ space: ResidualSpace) throws(FitError) {
    guard observed.count > parameters.count else {
      throw .tooFewRows(rows: observed.count, parameters: parameters.count)
    }
    guard space == .log else { return }
    let bad = observed.indices.filter { !(observed[$0] > 0) }
    if let first = bad.first {
      throw .notPositive(row: first + 1, value: observed[first], count: bad.count)
    }
  }
}

extension CurveFit {
  init(
    _ search: CurveSearch, _ minimum: CurveSearch.Minimum, tried: Int, agreeing: Int,
    confidence: Double
  ) throws(FitError) {
    let unknowns = search.curve.parameters
    let values = minimum.values
    let rows = search.curve.observed.indices.map { search.residual(values, $0) }
    let found = rows.compactMap { $0 }
    guard found.count == rows.count else { throw .noMinimum(starts: tried) }
    residuals = found.map(\.residual)
    fitted = search.curve.observed.indices.map { search.curve.evaluate(values, $0).0 }
    let free = unknowns.indices.filter { !unknowns[$0].isAtBound(values[$0]) }
    freedom = rows.count - free.count
    let variance = search.loss.variance(residuals, freedom: freedom)
    let covariance = try CurveCovariance(
      rows: found.map(\.gradient), free: free, size: unknowns.count, variance: variance,
      symbols: unknowns.map(\.symbol))
    let factor = StudentT.quantile(confidence: confidence, freedom: freedom)
    parameters = unknowns.indices.map { place in
      let error = free.contains(place) ? covariance.matrix[place][place].squareRoot() : nil
      return Parameter(unknowns[place], values[place], error: error, factor: factor)
    }
    (space, loss, self.confidence) = (search.space, search.loss, confidence)
    cost = minimum.cost
    self.covariance = covariance.matrix
    let bound = unknowns.indices.filter { !free.contains($0) }
    let unbounded =
      bound.isEmpty
      ? nil
      : try CurveCovariance.unbounded(
        rows: found.map(\.gradient), bound: bound, size: unknowns.count,
        symbols: unknowns.map(\.symbol))
    condition = unbounded?.condition ?? covariance.condition
    unboundedCorrelations = unbounded?.correlations
    leverages = covariance.leverages
    (startsTried, startsAgreeing, hasConverged) = (tried, agreeing, minimum.hasConverged)
  }
}

extension CurveFit.Parameter {
  fileprivate init(_ parameter: FitParameter, _ value: Double, error: Double?, factor: Double) {
    symbol = parameter.symbol
    self.value = value
    standardError = error
    isAtBound = error == nil
    guard let error else { return }
    if parameter.isFactor, value > 0 {
      let spread = exp(factor * error / value)
      (low, high) = (value / spread, value * spread)
    } else {
      low = max(value - factor * error, parameter.lower)
      high = min(value + factor * error, parameter.upper)
    }
  }
}

extension FitLoss {
  /// The variance to scale (JᵀJ)⁻¹ by. For Huber's loss, Huber, "Robust Regression: Asymptotics,
  /// Conjectures and Monte Carlo", Ann. Statist. 1 (1973): mean ψ² over (mean ψ')².
  func variance(_ residuals: [Double], freedom: Int) -> Double {
    guard case .huber(let scale) = self else {
      return residuals.reduce(0) { $0 + $1 * $1 } / Double(freedom)
    }
    let clipped = residuals.reduce(0) { $0 + min($1 * $1, scale * scale) }
    let inside = residuals.count { abs($0) <= scale }
    let slope = Double(inside) / Double(residuals.count)
    return slope > 0 ? clipped / Double(freedom) / (slope * slope) : .infinity
  }
}

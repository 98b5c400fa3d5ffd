#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a fitted law gives at a place, and the interval that its parameters' covariance leaves.
public struct LawInterval: Sendable, Equatable {
  public var value: Double
  public var low: Double
  public var high: Double
}

extension LawInterval {
  /// The curve's interval by the delta method in the fit's space.
  ///
  /// - Parameters:
  ///   - values: the law's parameters, in its order.
  ///   - variables: as many as the law has, in its order and in the formula's units.
  ///   - symbols: the covariance's parameters; the others count as known.
  ///   - factor: standard deviations on either side.
  /// - Returns: nil where the law is not finite, or has no logarithm in a fit of logarithms.
  init?(
    _ law: LawFamily, values: [Double], variables: [Double], symbols: [String],
    covariance: [[Double]], factor: Double, space: ResidualSpace
  ) {
    let (value, slopes) = law.gradient(parameters: values, variables: variables)
    guard value.isFinite, space == .linear || value > 0 else { return nil }
    let free = symbols.map { symbol in law.parameterIndex(symbol).map { slopes[$0] } ?? 0 }
    var variance = 0.0
    for (i, row) in covariance.enumerated() {
      for (j, entry) in row.enumerated() { variance += free[i] * entry * free[j] }
    }
    let spread = factor * max(variance, 0).squareRoot()
    self.value = value
    let ratio = exp(spread / value)
    low = space == .linear ? value - spread : value / ratio
    high = space == .linear ? value + spread : value * ratio
  }
}

extension LawFit {
  /// The law at a place with the interval of the curve (not of a new observation), by the delta
  /// method in the fit's space with Student's t.
  ///
  /// - Parameter variables: as many as the law has, in its order and in the formula's units.
  /// - Returns: nil where the law is not finite, or has no logarithm in a fit of logarithms.
  public func interval(at variables: [Double]) -> LawInterval? {
    LawInterval(
      law, values: values, variables: variables, symbols: curve.parameters.map(\.symbol),
      covariance: curve.covariance,
      factor: StudentT.quantile(confidence: curve.confidence, freedom: curve.freedom), space: space)
  }
}

extension SavedFit {
  /// The same of a fit that was read from a file; `values` are the law's parameters in its order.
  func interval(law: LawFamily, values: [Double], at variables: [Double]) -> LawInterval? {
    guard degreesOfFreedom >= 1 else { return nil }
    return LawInterval(
      law, values: values, variables: variables, symbols: symbols, covariance: covariance,
      factor: StudentT.quantile(confidence: confidence, freedom: degreesOfFreedom), space: space)
  }
}

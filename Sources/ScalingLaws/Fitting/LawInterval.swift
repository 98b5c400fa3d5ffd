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

extension LawFit {
  /// The law at a place with the interval of the curve (not of a new observation), by the delta
  /// method in the fit's space with Student's t.
  ///
  /// - Parameter variables: as many as the law has, in its order and in the formula's units.
  /// - Returns: nil where the law is not finite, or has no logarithm in a fit of logarithms.
  public func interval(at variables: [Double]) -> LawInterval? {
    let (value, slopes) = law.gradient(parameters: values, variables: variables)
    guard value.isFinite, space == .linear || value > 0 else { return nil }
    let free = curve.parameters.map { parameter in
      law.parameterIndex(parameter.symbol).map { slopes[$0] } ?? 0
    }
    var variance = 0.0
    for (i, row) in curve.covariance.enumerated() {
      for (j, entry) in row.enumerated() { variance += free[i] * entry * free[j] }
    }
    let factor = StudentT.quantile(confidence: curve.confidence, freedom: curve.freedom)
    let spread = factor * max(variance, 0).squareRoot()
    if space == .linear {
      return LawInterval(value: value, low: value - spread, high: value + spread)
    }
    let ratio = exp(spread / value)
    return LawInterval(value: value, low: value / ratio, high: value * ratio)
  }
}

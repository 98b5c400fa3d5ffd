#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Observations and the curve that shall go through them.
public struct Curve: Sendable {
  /// The unknowns, in the order of `evaluate`'s numbers.
  public var parameters: [FitParameter]
  /// What was observed, one number per row.
  public var observed: [Double]
  /// The curve and its derivative by every parameter, at a row.
  public var evaluate: @Sendable (_ parameters: [Double], _ row: Int) -> (Double, [Double])

  public init(
    parameters: [FitParameter], observed: [Double],
    evaluate: @escaping @Sendable (_ parameters: [Double], _ row: Int) -> (Double, [Double])
  ) {
    self.parameters = parameters
    self.observed = observed
    self.evaluate = evaluate
  }

  /// The curve with other observations, as resampling makes them.
  func observing(_ observed: [Double]) -> Curve {
    Curve(parameters: parameters, observed: observed, evaluate: evaluate)
  }
}

/// What is summed over the residuals r.
public enum FitLoss: Sendable, Equatable {
  /// r².
  case squares
  /// r² up to |r| = scale, 2·scale·|r| - scale² beyond: the loss that scipy's `least_squares` calls
  /// huber, with its `f_scale`.
  case huber(scale: Double)
}

extension FitLoss {
  /// A number whose square is the loss of residual r, and its derivative by r.
  func root(_ r: Double) -> (value: Double, slope: Double) {
    guard case .huber(let scale) = self, abs(r) > scale else { return (r, 1) }
    let root = (scale * (2 * abs(r) - scale)).squareRoot()
    return (r < 0 ? -root : root, scale / root)
  }
}

extension ResidualSpace {
  /// A fitted number moved by a residual of this space.
  func adding(_ residual: Double, to fitted: Double) -> Double {
    self == .log ? fitted * exp(residual) : fitted + residual
  }
}

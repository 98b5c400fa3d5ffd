#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The strong law's shape in Q_b, taken from measured error: NMSE = K·(Q_b + d)^γ_c.
///
/// By the linearity theorem the loss follows the squared error, so that the law's factor (Q_b + d)^γ_c and
/// the error's are one. d and γ_c trade against each other: read their correlation, and trust their product
/// inside the measured range only.
public struct BlockSizeLaw: Sendable {
  /// K, d and gamma_c, in that order; d is a count of elements and 0 or more.
  public let fit: CurveFit
  /// The measured block sizes that the fit saw.
  public let range: ClosedRange<Double>

  public var factor: CurveFit.Parameter { fit.parameters[0] }
  public var offset: CurveFit.Parameter { fit.parameters[1] }
  public var exponent: CurveFit.Parameter { fit.parameters[2] }
  /// Of d and γ_c; nil where one lies at its bound.
  public var correlation: Double? { fit.correlation(1, 2) }
  /// Of ln NMSE.
  public let rSquared: Double?
  /// The root mean square of ln(measured/law) up to which the law counts as following the points.
  public static let tolerance = 0.05

  /// Fits logarithms by least squares.
  ///
  /// - Throws: too few points; an error of zero, which has no logarithm.
  public init(_ curve: ErrorCurve, seed: UInt64 = 1, confidence: Double = 0.95) throws(FitError) {
    let sizes = curve.points.map(\.blockSize)
    let errors = curve.points.map(\.error)
    let largest = sizes.max() ?? 1
    let (low, high) = (errors.min() ?? 1, errors.max() ?? 1)
    let problem = Curve(
      parameters: [
        FitParameter(
          "K", lower: 0, start: max(low, 1e-300) / 100...max(high, 1e-300) * 10, isFactor: true),
        FitParameter("d", lower: 0, upper: 10 * largest, start: 0.1...largest),
        FitParameter("gamma_c", lower: -4, upper: 4, start: -1...1),
      ], observed: errors
    ) { parameters, row in
      let sum = sizes[row] + parameters[1]
      let power = pow(sum, parameters[2])
      let value = parameters[0] * power
      return (value, [power, value * parameters[2] / sum, value * log(sum)])
    }
    fit = try problem.fit(space: .log, seed: seed, confidence: confidence)
    range = (sizes.min() ?? 1)...largest
    rSquared = FitQuality(fit, observed: errors).rSquared
  }

  /// The NMSE at a block size.
  public func error(at blockSize: Double) -> Double {
    factor.value * pow(blockSize + offset.value, exponent.value)
  }

  /// The largest block size, within those measured, whose error is within a limit.
  public func largestBlock(within limit: Double) -> LargestBlock {
    let (low, high) = (range.lowerBound, range.upperBound)
    if error(at: high) <= limit { return .allMeasured(high) }
    if error(at: low) > limit { return .none }
    return .at(pow(limit / factor.value, 1 / exponent.value) - offset.value)
  }
}

/// What stands for a format's error in a plan.
public enum PlannedError: Sendable {
  /// The fitted law, of a curve that rises with Q_b.
  case law(BlockSizeLaw, ErrorCurve)
  /// The measured points, as the curve does not rise throughout or cannot be fitted.
  case measured(ErrorCurve)

  /// The law where the measured curve rises and the law follows it with an exponent inside its bounds,
  /// the measured curve otherwise.
  ///
  /// - Parameter tolerance: the largest root mean square of ln(measured/law) that counts as following.
  public init(
    _ curve: ErrorCurve, law: BlockSizeLaw?, tolerance: Double = BlockSizeLaw.tolerance
  ) {
    if let law, curve.trend == .rises, law.exponent.value > 0, !law.exponent.isAtBound,
      law.fit.rms <= tolerance
    {
      self = .law(law, curve)
    } else {
      self = .measured(curve)
    }
  }

  public var curve: ErrorCurve {
    switch self {
    case .law(_, let curve), .measured(let curve): curve
    }
  }

  /// `law` or `measured`.
  public var name: String {
    if case .law = self { return "law" }
    return "measured"
  }

  /// The NMSE at a block size; nil outside those measured.
  public func error(at blockSize: Double) -> Double? {
    switch self {
    case .law(let law, _): law.range.contains(blockSize) ? law.error(at: blockSize) : nil
    case .measured(let curve): curve.error(at: blockSize)
    }
  }

  public func largestBlock(within limit: Double) -> LargestBlock {
    switch self {
    case .law(let law, _): law.largestBlock(within: limit)
    case .measured(let curve): curve.largestBlock(within: limit)
    }
  }
}

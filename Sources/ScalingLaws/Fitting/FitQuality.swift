#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How well a fit describes its own points.
public struct FitQuality: Sendable, Equatable {
  /// Of the logarithms: 1 - Σ(ln observed - ln fitted)² / Σ(ln observed - mean)²; nil where a number
  /// has no logarithm or all are equal.
  public var rSquared: Double?
  /// Of the numbers themselves; nil where all are equal.
  public var rSquaredLinear: Double?
  /// √(mean squared residual), in the fit's space.
  public var rms: Double
  /// Akaike's information criterion of normal residuals in the fit's space with unknown variance:
  /// rows·ln(RSS/rows) + 2(parameters + 1). nil for Huber's loss and for a curve through every point.
  public var aic: Double?
  /// With the correction for few rows, 2k(k + 1)/(rows - k - 1) for k = parameters + 1; nil too where
  /// that has no meaning.
  public var aicc: Double?

  /// - Parameter observed: one number per row of the fit.
  public init(_ fit: CurveFit, observed: [Double]) {
    let varies = Self.varies(observed)
    rSquaredLinear = varies ? Self.determination(observed, fit.fitted) : nil
    let isPositive = varies && observed.allSatisfy { $0 > 0 } && fit.fitted.allSatisfy { $0 > 0 }
    rSquared = isPositive ? Self.determination(observed.map(log), fit.fitted.map(log)) : nil
    rms = fit.rms
    let rows = Double(observed.count)
    let count = Double(fit.parameters.count + 1)
    guard fit.loss == .squares, fit.residualSumOfSquares > 0 else { return }
    let criterion = rows * log(fit.residualSumOfSquares / rows) + 2 * count
    aic = criterion
    let rest = rows - count - 1
    if rest > 0 { aicc = criterion + 2 * count * (count + 1) / rest }
  }

  /// Whether numbers differ by more than rounding.
  static func varies(_ observed: [Double]) -> Bool {
    guard let low = observed.min(), let high = observed.max() else { return false }
    return high - low > 1e-12 * max(abs(low), abs(high))
  }

  private static func determination(_ observed: [Double], _ fitted: [Double]) -> Double? {
    let mean = observed.reduce(0, +) / Double(observed.count)
    let total = observed.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let left = zip(observed, fitted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return total > 0 ? 1 - left / total : nil
  }

  /// 1.345 robust standard deviations: 1.4826 times the median absolute residual.
  static func huberScale(_ residuals: [Double]) -> Double {
    let sizes = residuals.map(abs).sorted()
    guard !sizes.isEmpty else { return 0 }
    let middle = sizes.count / 2
    let median = sizes.count % 2 == 1 ? sizes[middle] : (sizes[middle - 1] + sizes[middle]) / 2
    return 1.345 * 1.4826 * median
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A symmetric distribution of mean 0 and variance 1 that numbers are thought to come from.
public enum ValueSource: Sendable, Hashable {
  case normal
  case laplace
  /// Degrees of freedom above 2 (there is no variance below), at most 300.
  case studentT(degreesOfFreedom: Double)

  /// Reads `normal`, `laplace` or `student:NU`; nil otherwise.
  public init?(_ text: String) {
    let lower = text.lowercased()
    switch lower {
    case "normal", "gaussian": self = .normal
    case "laplace": self = .laplace
    default:
      guard lower.hasPrefix("student:"), let freedom = Double(lower.dropFirst(8)), freedom > 2,
        freedom <= 300
      else { return nil }
      self = .studentT(degreesOfFreedom: freedom)
    }
  }

  /// As `init(_:)` reads it.
  public var name: String {
    switch self {
    case .normal: "normal"
    case .laplace: "laplace"
    case .studentT(let freedom): "student:\(plainText(freedom))"
    }
  }

  /// Moments of |x| over 0 to some end: what of the probability, of |x| and of x² lies there.
  struct Moments: Sendable, Hashable {
    var zeroth = 0.0
    var first = 0.0
    var second = 0.0
  }

  /// The density of |x| at `x` ≥ 0.
  func density(_ x: Double) -> Double { densities()(x) }

  /// The same as a function, with what does not depend on x worked out once.
  func densities() -> (Double) -> Double {
    switch self {
    case .normal:
      let peak = (2 / Double.pi).squareRoot()
      return { peak * exp(-$0 * $0 / 2) }
    case .laplace:
      let rate = 2.0.squareRoot()
      return { rate * exp(-rate * $0) }
    case .studentT(let freedom):
      let peak = 2 * (freedom / (freedom - 2)).squareRoot() * Self.peak(freedom)
      return { peak * exp(-(freedom + 1) / 2 * log1p($0 * $0 / (freedom - 2))) }
    }
  }

  /// A width about `x` ≥ 0 over which 8 Gauss-Legendre nodes integrate the density to 1e-12: of Student's
  /// t a quarter of the distance to its poles, ±i·√(ν − 2), and at most a quarter of the deviation as of
  /// the others.
  func smoothWidth(at x: Double) -> Double {
    guard case .studentT(let freedom) = self else { return 0.25 }
    return 0.25 * min(1, (x * x + freedom - 2).squareRoot())
  }

  /// The probability that |x| is above `x` ≥ 0, with its relative accuracy kept far out.
  func tail(_ x: Double) -> Double {
    switch self {
    case .normal: return erfc(x / 2.0.squareRoot())
    case .laplace: return exp(-2.0.squareRoot() * x)
    case .studentT(let freedom):
      let square = x * x * freedom / (freedom - 2)
      return incompleteBeta(freedom / (freedom + square), freedom / 2, 0.5)
    }
  }

  /// The moments over 0 to `x` ≥ 0. Source: integration by parts; for Student's t
  /// x²(1 + x²/ν)^(−(ν+1)/2) is a difference of two such densities, of ν − 2 and ν degrees of freedom.
  func moments(to x: Double) -> Moments {
    switch self {
    case .normal:
      let factor = (2 / Double.pi).squareRoot()
      let fall = exp(-x * x / 2)
      let inside = erf(x / 2.0.squareRoot())
      return Moments(
        zeroth: inside, first: -factor * expm1(-x * x / 2), second: inside - factor * x * fall)
    case .laplace:
      let rate = 2.0.squareRoot()
      let (fall, inside) = (exp(-rate * x), -expm1(-rate * x))
      return Moments(
        zeroth: inside, first: inside / rate - x * fall,
        second: inside - fall * rate * x - x * x * fall)
    case .studentT(let freedom):
      let scale = (freedom / (freedom - 2)).squareRoot()
      let t = x * scale
      let inside = Self.central(t, freedom)
      let first =
        2 * Self.peak(freedom) * freedom / (freedom - 1)
        * -expm1(-(freedom - 1) / 2 * log1p(t * t / freedom))
      let narrower = Self.central(x, freedom - 2)
      let second = freedom * ((freedom - 1) / (freedom - 2) * narrower - inside)
      return Moments(
        zeroth: inside, first: first / scale, second: second / (scale * scale))
    }
  }

  /// The density of t at 0.
  private static func peak(_ freedom: Double) -> Double {
    tgamma((freedom + 1) / 2) / (tgamma(freedom / 2) * (Double.pi * freedom).squareRoot())
  }

  /// P(|t| ≤ `t`).
  private static func central(_ t: Double, _ freedom: Double) -> Double {
    incompleteBeta(t * t / (freedom + t * t), 0.5, freedom / 2)
  }
}

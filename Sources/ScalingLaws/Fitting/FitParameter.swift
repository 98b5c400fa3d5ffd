#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One unknown of a curve: its bounds, and where a search for it starts.
public struct FitParameter: Sendable, Equatable {
  public var symbol: String
  /// The least value allowed; -infinity for none.
  public var lower: Double
  /// The largest value allowed; infinity for none.
  public var upper: Double
  /// Starts are drawn from here: evenly in the logarithm where the range is positive and its ends
  /// are a factor of ten or more apart, evenly otherwise.
  public var start: ClosedRange<Double>
  /// A positive factor such as C: searched in its logarithm, and its interval is a factor up and
  /// down.
  public var isFactor: Bool

  public init(
    _ symbol: String, lower: Double = -.infinity, upper: Double = .infinity,
    start: ClosedRange<Double>, isFactor: Bool = false
  ) {
    self.symbol = symbol
    self.lower = lower
    self.upper = upper
    self.start = start
    self.isFactor = isFactor
  }

  /// Whether a value lies at a bound, to within the solver's resolution.
  func isAtBound(_ value: Double) -> Bool {
    let slack = 1e-7 * max(abs(start.lowerBound), abs(start.upperBound))
    return (lower.isFinite && value - lower <= slack && !isFactor)
      || (upper.isFinite && upper - value <= slack)
  }

  /// The number a `share` in [0, 1) of the way through the start range, kept inside the bounds.
  func start(at share: Double) -> Double {
    let (low, high) = (max(start.lowerBound, lower), min(start.upperBound, upper))
    guard low < high else { return min(max(start.lowerBound, lower), upper) }
    if low > 0, high / low >= 10 { return exp(log(low) + share * (log(high) - log(low))) }
    return low + share * (high - low)
  }
}

/// What the solver moves instead of a bounded parameter. MINPACK knows no bounds, so that a smooth
/// one-to-one change of variable keeps a parameter inside them; unlike steps cut off at the bound,
/// it leaves the solver's model of the function intact. A bound itself is reached at u = 0 (or at
/// u = ±π/2), as in MINUIT.
enum Coordinate {
  case free
  /// p = e^u.
  case logarithm
  /// p = bound + sign·scale·(√(u² + 1) - 1), sign -1 for an upper bound.
  case oneSided(bound: Double, sign: Double, scale: Double)
  /// p = lower + (upper - lower)·(1 + sin u)/2.
  case twoSided(lower: Double, upper: Double)

  init(_ parameter: FitParameter) {
    let scale = max(abs(parameter.start.lowerBound), abs(parameter.start.upperBound), 1e-6)
    switch (parameter.lower.isFinite, parameter.upper.isFinite) {
    case (true, false) where parameter.isFactor && parameter.lower == 0: self = .logarithm
    case (true, true): self = .twoSided(lower: parameter.lower, upper: parameter.upper)
    case (true, false): self = .oneSided(bound: parameter.lower, sign: 1, scale: scale)
    case (false, true): self = .oneSided(bound: parameter.upper, sign: -1, scale: scale)
    case (false, false): self = .free
    }
  }

  /// The parameter at u, and its derivative by u.
  func parameter(_ u: Double) -> (value: Double, slope: Double) {
    switch self {
    case .free: return (u, 1)
    case .logarithm: return (exp(u), exp(u))
    case .oneSided(let bound, let sign, let scale):
      let root = (u * u + 1).squareRoot()
      // u²/(root + 1) is root - 1 without its cancellation.
      return (bound + sign * scale * u * u / (root + 1), sign * scale * u / root)
    case .twoSided(let lower, let upper):
      let half = (upper - lower) / 2
      return (lower + half * (1 + sin(u)), half * cos(u))
    }
  }

  /// A u whose parameter is `value`, or as near to it as can be left again: at a bound the slope is
  /// zero.
  func place(_ value: Double) -> Double {
    switch self {
    case .free: return value
    case .logarithm: return log(max(value, 1e-300))
    case .oneSided(let bound, let sign, let scale):
      let rise = max(sign * (value - bound) / scale, 1e-4)
      return (rise * (rise + 2)).squareRoot()
    case .twoSided(let lower, let upper):
      let share = 2 * (value - lower) / (upper - lower) - 1
      return asin(min(max(share, -1 + 1e-9), 1 - 1e-9))
    }
  }
}

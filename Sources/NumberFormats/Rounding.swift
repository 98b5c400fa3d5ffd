/// How a real number between two neighbours of a format becomes one of them.
///
/// "Even" and "odd" refer to the magnitude code (for a codebook: the index). `+1.25`, `−1.25` and
/// `1.3` to E2M1, whose neighbours are 1 (code 2) and 1.5 (code 3):
///
/// | rounding | 1.25 | −1.25 | 1.3 |
/// |---|---|---|---|
/// | tiesToEven | 1 | −1 | 1.5 |
/// | tiesToAway | 1.5 | −1.5 | 1.5 |
/// | tiesTowardZero | 1 | −1 | 1.5 |
/// | towardZero | 1 | −1 | 1 |
/// | towardPositive | 1.5 | −1 | 1.5 |
/// | towardNegative | 1 | −1.5 | 1 |
/// | toOdd | 1.5 | −1.5 | 1.5 |
///
/// `stochastic(n)` is defined in spec/exact.md ("Stochastic rounding") and takes `n` random bits
/// per element, 1 to 32.
public enum Rounding: Sendable, Hashable {
  case tiesToEven
  case tiesToAway
  /// Used by ggml and ModelOpt's MXFP4 (spec/recipes.md sections 3.6 and 3.9).
  case tiesTowardZero
  case towardZero
  case towardPositive
  case towardNegative
  case toOdd
  case stochastic(bits: Int)

  /// Reads `tiesToEven`, ..., `stochastic` (8 bits) or `stochastic:n`, in any case; nil otherwise.
  public init?(_ text: String) {
    let lower = text.lowercased()
    for rounding in Rounding.deterministic where rounding.description.lowercased() == lower {
      self = rounding
      return
    }
    let parts = lower.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.first == "stochastic", parts.count <= 2 else { return nil }
    guard parts.count == 2 else {
      self = .stochastic(bits: 8)
      return
    }
    guard let bits = Int(parts[1]), (1...32).contains(bits) else { return nil }
    self = .stochastic(bits: bits)
  }

  /// Every mode that needs no random bits.
  public static let deterministic: [Rounding] = [
    .tiesToEven, .tiesToAway, .tiesTowardZero, .towardZero, .towardPositive, .towardNegative,
    .toOdd,
  ]
}

extension Rounding: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tiesToEven: "tiesToEven"
    case .tiesToAway: "tiesToAway"
    case .tiesTowardZero: "tiesTowardZero"
    case .towardZero: "towardZero"
    case .towardPositive: "towardPositive"
    case .towardNegative: "towardNegative"
    case .toOdd: "toOdd"
    case .stochastic(let bits): "stochastic:\(bits)"
    }
  }
}

/// What a finite value beyond the largest finite element becomes (spec/exact.md, "Encoding one
/// element").
public enum Overflow: String, Sendable, Hashable, CaseIterable {
  /// The largest finite value with the input's sign; infinities too.
  case saturate
  /// Infinity, or NaN where the format has no infinity; formats with neither saturate. A value
  /// overflows when rounding it with an unbounded exponent range gives a magnitude above the
  /// largest finite one; the roundings that move a value toward zero, and `toOdd`, stop at the
  /// largest finite value instead (IEEE 754-2019 section 7.4). An infinite input stays infinite.
  case nonFinite
}

/// Which NaN pattern encoding a NaN gives.
public enum NaNPolicy: String, Sendable, Hashable, CaseIterable {
  /// The row's canonical NaN, whatever the sign.
  case canonical
  /// ml_dtypes' patterns (the row's `mlDtypesNaN`).
  case mlDtypes
}

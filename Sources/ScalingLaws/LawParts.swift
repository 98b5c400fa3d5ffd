/// A range of numbers whose ends may be open to infinity; the ends belong to it.
public struct NumberRange: Sendable, Hashable {
  /// −∞ where there is none.
  public var low: Double
  /// +∞ where there is none.
  public var high: Double

  public init(low: Double = -.infinity, high: Double = .infinity) {
    self.low = low
    self.high = high
  }

  public func contains(_ value: Double) -> Bool { low <= value && value <= high }
}

/// What a law's formula reads from a column of data.
public struct LawVariable: Sendable, Hashable {
  /// As the formula writes it, such as `Q_b`.
  public var symbol: String
  /// The data's column, in lower case, such as `q_b`.
  public var column: String
  public var meaning: String
  /// Of the column's numbers, such as `parameters`.
  public var unit: String
  /// The formula's number is the column's divided by this: 1e9 where N counts billions.
  public var factor: Double
  /// Numbers the column can hold; anything else is a wrong unit or a wrong column.
  public var domain: NumberRange
}

/// A coefficient that a fit determines.
public struct LawParameter: Sendable, Hashable {
  /// As the formula writes it, such as `gamma_c`.
  public var symbol: String
  public var meaning: String
  /// A fit stays within.
  public var bounds: NumberRange
  /// Where a fit's starts are drawn from.
  public var start: NumberRange
  /// Whether starts are drawn, and steps best taken, on the scale of its logarithm: a positive factor
  /// that may span decades.
  public var isLogarithmic: Bool
}

/// What a law predicts.
public struct LawTarget: Sendable, Hashable {
  /// The data's column, in lower case: `delta`, `loss`, ...
  public var column: String
  public var meaning: String
  public var unit: String
  /// The formula's number is the column's divided by this.
  public var factor: Double
  public var domain: NumberRange
}

/// Something else that a law's coefficients determine, such as the critical number of tokens.
public struct DerivedQuantity: Sendable, Hashable {
  /// Name in reports and JSON, such as `d_crit`.
  public var name: String
  public var meaning: String
  public var unit: String
  /// Reported is the formula's number times this.
  public var factor: Double
  public var expression: LawExpression
  /// The law's variables that it needs.
  public var variables: [String]
  /// The law's parameters that it needs.
  public var parameters: [String]
}

/// Where numbers come from, and who has seen them there.
public enum CoefficientStatus: String, Sendable, Hashable, Codable, CaseIterable {
  /// Read in the paper's own text.
  case verified
  /// From notes about the paper; nobody here has seen them in it.
  case secondHand = "second-hand"
  /// This project's fit or reading of figures, not the authors' numbers.
  case ownFit = "own-fit"
}

/// Numbers for a law's parameters that somebody determined.
public struct CoefficientSet: Sendable, Hashable {
  /// Such as `qwen1.5-matmul`.
  public var name: String
  /// By symbol; a parameter that was never published is missing.
  public var values: [String: Double]
  public var status: CoefficientStatus
  /// Document and section.
  public var source: String
  /// By column, in the column's units: what the numbers were determined on. Columns without an entry
  /// are not known.
  public var validity: [String: NumberRange]
  /// What else one must know; empty where nothing.
  public var note: String
}

/// In which space a law's residuals are compared unless a fit is told otherwise.
public enum ResidualSpace: String, Sendable, Hashable, Codable, CaseIterable {
  /// ln(target) against ln(law): relative errors count. Needs positive targets.
  case log
  case linear
}

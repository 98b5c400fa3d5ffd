/// How a law is fitted to data.
public struct LawFitRequest: Sendable {
  public enum Loss: Sendable, Equatable {
    case squares
    /// The scale in the fit's space; nil takes 1.345 robust standard deviations of the residuals of
    /// least squares, with which Huber's loss keeps 95 % of their efficiency on normal residuals.
    case huber(scale: Double?)
  }

  /// nil takes the law's own.
  public var space: ResidualSpace?
  public var loss: Loss
  /// Parameters that are not fitted, by symbol.
  public var fixed: [String: Double]
  /// In place of the law's bounds.
  public var bounds: [String: NumberRange]
  /// How many starts are tried, 1 or more.
  public var starts: Int
  /// Of starts and of resampling.
  public var seed: UInt64
  /// Of all intervals, between 0 and 1.
  public var confidence: Double
  /// Resamples of the bootstrap; 0 leaves it out.
  public var bootstrap: Int
  /// nil leaves out the largest model where that can be done.
  public var holdOut: HoldOut?
  /// Leaves out rows whose target is 0 or below, which have no logarithm, instead of refusing them.
  public var dropsNonPositive: Bool

  public init(
    space: ResidualSpace? = nil, loss: Loss = .squares, fixed: [String: Double] = [:],
    bounds: [String: NumberRange] = [:], starts: Int = 32, seed: UInt64 = 1,
    confidence: Double = 0.95, bootstrap: Int = 0, holdOut: HoldOut? = nil,
    dropsNonPositive: Bool = false
  ) {
    self.space = space
    self.loss = loss
    self.fixed = fixed
    self.bounds = bounds
    self.starts = starts
    self.seed = seed
    self.confidence = confidence
    self.bootstrap = bootstrap
    self.holdOut = holdOut
    self.dropsNonPositive = dropsNonPositive
  }
}

/// Which rows a fit does not see and is then judged by.
public enum HoldOut: Sendable, Equatable {
  case none
  /// The rows with the largest number in a column.
  case largest(column: String)
  /// The rows with this number in a column.
  case equal(column: String, Double)
  /// Each of a column's numbers in turn.
  case each(column: String)

  /// Reads `none`, `largest:COLUMN`, `each:COLUMN` or `COLUMN=NUMBER`.
  public init?(_ text: String) {
    let words = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    if text.lowercased() == "none" {
      self = .none
    } else if words.count == 2, words[0].lowercased() == "largest", !words[1].isEmpty {
      self = .largest(column: words[1].lowercased())
    } else if words.count == 2, words[0].lowercased() == "each", !words[1].isEmpty {
      self = .each(column: words[1].lowercased())
    } else if parts.count == 2, !parts[0].isEmpty, let value = Double(parts[1]), value.isFinite {
      self = .equal(column: parts[0].lowercased(), value)
    } else {
      return nil
    }
  }

  /// The column it asks about.
  var column: String? {
    switch self {
    case .none: nil
    case .largest(let column), .equal(let column, _), .each(let column): column
    }
  }
}

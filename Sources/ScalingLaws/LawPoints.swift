/// Data as one law reads it: checked, and in the formula's units.
public struct LawPoints: Sendable, Hashable {
  /// For each point the law's variables in its order. Variables that only derived quantities need are
  /// NaN where the data has no such column.
  public var variables: [[Double]]
  /// For each point what was observed.
  public var targets: [Double]
  /// Each point's line in the file.
  public var lines: [Int]
  /// Lines left out because the target is not above 0.
  public var dropped: [Int]
  public var file: String
  /// Columns that the law does not read and in which the points fall into groups.
  public var pooled: [String] = []
}

/// What becomes of points whose target is 0 or below, which have no logarithm.
public enum NonPositiveTargets: Sendable, Hashable {
  /// They stay: for residuals in linear space.
  case keep
  /// An error names the first.
  case refuse
  /// They are left out, and `LawPoints.dropped` says which.
  case drop
}

extension LawData {
  /// The law's variables in the formula's units, each number checked against its column's domain.
  ///
  /// - Throws: `badData` with line and column: no such column, not a number, outside the domain.
  public func variables(for law: LawFamily) throws(LawError) -> [[Double]] {
    let needed = law.variablesOfFormula
    var columns: [[Double]] = []
    for (place, variable) in law.variables.enumerated() {
      guard needed.contains(place) || contains(variable.column) else {
        columns.append(Array(repeating: .nan, count: count))
        continue
      }
      let numbers = try numbers(variable.column)
      try check(
        numbers, variable.column, variable.domain, "\(variable.meaning)", variable.unit)
      columns.append(numbers.map { $0 / variable.factor })
    }
    return (0..<count).map { row in columns.map { $0[row] } }
  }

  /// The data's points for a law: variables and observed targets.
  ///
  /// - Throws: `badData` with line and column: no such column, not a number, outside the domain, or a
  ///   target that is not above 0 where `nonPositive` refuses it, and no point left.
  public func points(
    for law: LawFamily, nonPositive: NonPositiveTargets = .refuse
  ) throws(LawError) -> LawPoints {
    let rows = try variables(for: law)
    let target = law.target
    let observed = try numbers(target.column)
    try check(observed, target.column, target.domain, target.meaning, target.unit)
    var points = LawPoints(variables: [], targets: [], lines: [], dropped: [], file: file)
    for (row, line) in lines.enumerated() {
      if observed[row] <= 0, nonPositive != .keep {
        guard nonPositive == .drop else {
          throw .badData(
            file, line: line, column: target.column,
            "\(plainText(observed[row])) has no logarithm",
            expected: "a number above 0; --drop-nonpositive leaves such rows out")
        }
        points.dropped.append(line)
        continue
      }
      points.variables.append(rows[row])
      points.targets.append(observed[row] / target.factor)
      points.lines.append(line)
    }
    guard !points.targets.isEmpty else {
      throw .badData(file, column: target.column, "no number is above 0")
    }
    let kept = lines.indices.filter { !points.dropped.contains(lines[$0]) }
    points.pooled = pooledColumns(kept, reading: law.variables.map(\.column) + [target.column])
    return points
  }

  private func check(
    _ numbers: [Double], _ column: String, _ domain: NumberRange, _ meaning: String, _ unit: String
  ) throws(LawError) {
    for (value, line) in zip(numbers, lines) where !domain.contains(value) {
      let kind = unit.isEmpty ? meaning : "\(meaning), in \(unit)"
      throw .badData(
        file, line: line, column: column, "\(plainText(value)) cannot be the \(kind)",
        expected: domain.description)
    }
  }
}

extension LawData {
  /// The columns that a law does not read and in which rows fall into groups: a family, an assignment,
  /// a block size. One fit to several groups describes none of them.
  ///
  /// Names of rows and further observations (most rows differ), and other names for a column that is
  /// read (such as a model's for its size), are no groups.
  ///
  /// - Parameters:
  ///   - places: the rows that a fit sees.
  ///   - read: the columns that the law reads or predicts.
  func pooledColumns(_ places: [Int], reading read: [String]) -> [String] {
    let known = read.compactMap { fields($0, places) }
    return columns.filter { column in
      guard !read.contains(column), let words = fields(column, places) else { return false }
      let levels = Set(words).count
      guard levels > 1, levels * 2 <= places.count else { return false }
      return !known.contains { other in
        Set(other).count == levels && Set(zip(words, other).map { [$0, $1] }).count == levels
      }
    }
  }

  private func fields(_ column: String, _ places: [Int]) -> [String]? {
    (try? texts(column)).map { words in places.map { words[$0] } }
  }

  /// - Parameter option: the option that takes some rows.
  static func pooledWarning(_ columns: [String], option: String) -> String {
    "The rows differ in \(columns.joined(separator: ", ")), which the law does not read: they are"
      + " fitted as one. \(option) COLUMN=TEXT takes some of them."
  }
}

extension NumberRange: CustomStringConvertible {
  /// `0 to 1`, `5e8 or more`, `at most 2`.
  public var description: String {
    switch (low.isFinite, high.isFinite) {
    case (true, true): "\(plainText(low)) to \(plainText(high))"
    case (true, false): "\(plainText(low)) or more"
    case (false, true): "at most \(plainText(high))"
    case (false, false): "any number"
    }
  }
}

/// A number for messages: every digit that it needs, `32` for 32.0 and `3.2e10` for 32000000000.0.
func plainText(_ value: Double) -> String {
  let text = "\(value)"
  guard text.hasSuffix(".0") else { return text }
  let whole = text.dropLast(2)
  let digits = whole.drop { $0 == "-" }
  var kept = digits
  while kept.last == "0" { kept.removeLast() }
  guard digits.count - kept.count >= 5, let first = kept.first else { return String(whole) }
  let fraction = kept.dropFirst()
  return (value < 0 ? "-" : "") + "\(first)" + (fraction.isEmpty ? "" : ".\(fraction)")
    + "e\(digits.count - 1)"
}

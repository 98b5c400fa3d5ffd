/// Places at which a law is asked for: a number for each of its variables, in the columns' units, NaN
/// for those that only derived quantities need and nobody gave.
public enum LawPlaces {
  /// Numbers for one column.
  public struct Column: Sendable, Equatable {
    public var name: String
    public var numbers: [Double]

    public init(name: String, numbers: [Double]) {
      self.name = name
      self.numbers = numbers
    }
  }

  private static let most = 1_000_000

  /// Every row of a table.
  public static func read(_ path: String, for law: LawFamily) throws(LawError) -> [[Double]] {
    let rows = try LawData.read(path).variables(for: law)
    return rows.map { row in zip(row, law.variables).map { $0 * $1.factor } }
  }

  /// Every combination of the columns' numbers, the last variable's changing fastest.
  ///
  /// - Throws: `usage` where the law reads no such column or a number cannot be the column's, or a
  ///   column that the formula needs is missing.
  public static func combinations(
    of columns: [Column], for law: LawFamily
  ) throws(LawError) -> [[Double]] {
    for (place, column) in columns.enumerated()
    where columns[..<place].contains(where: { $0.name == column.name }) {
      throw .usage("\(column.name) is given twice")
    }
    for column in columns where !law.variables.contains(where: { $0.column == column.name }) {
      let known = law.variables.map(\.column).joined(separator: ", ")
      throw .usage("law \(law.name) does not read \(column.name) (it reads \(known))")
    }
    let needed = law.variablesOfFormula
    var places: [[Double]] = [[]]
    for (index, variable) in law.variables.enumerated() {
      let given = columns.first { $0.name == variable.column }?.numbers
      guard given != nil || !needed.contains(index) else {
        throw .usage(
          "law \(law.name) needs \(variable.column): \(variable.meaning)"
            + (variable.unit.isEmpty ? "" : ", in \(variable.unit)"))
      }
      for number in given ?? [] where !number.isFinite || !variable.domain.contains(number) {
        throw .usage(
          "\(variable.column) = \(plainText(number)) cannot be the \(variable.meaning)"
            + (variable.unit.isEmpty ? "" : ", in \(variable.unit)")
            + " (expected \(variable.domain))")
      }
      let numbers = given ?? [.nan]
      guard places.count * numbers.count <= most else {
        throw .usage("more than \(most) combinations")
      }
      places = places.flatMap { place in numbers.map { place + [$0] } }
    }
    return places
  }
}

/// A scaling law: a formula, what its symbols mean, and coefficients that somebody determined for it.
///
/// The built-in families and their sources are the rows of laws.json5.
public struct LawFamily: Sendable, Hashable {
  /// Short name, such as `strong`.
  public let name: String
  public let aliases: [String]
  public let title: String
  /// The formula, in the law's units.
  public let expression: LawExpression
  /// In the order in which `value` takes them. Some serve derived quantities only.
  public let variables: [LawVariable]
  /// In the order in which `value` takes them. Each is in the formula.
  public let parameters: [LawParameter]
  public let target: LawTarget
  public let residuals: ResidualSpace
  public let derived: [DerivedQuantity]
  public let coefficientSets: [CoefficientSet]
  /// Document and section of the formula.
  public let source: String
  /// Who has seen the formula in its source.
  public let status: CoefficientStatus
  /// Where the formula holds, in words; empty where nothing is known.
  public let validity: String
  /// What else one must know; empty where nothing.
  public let note: String
  private let program: LawProgram

  /// The row's formulas and numbers as one line of text, names of papers and remarks left out: what
  /// tells two versions of a row apart.
  public var rowText: String {
    let reads = variables.map { "\($0.symbol)=\($0.column)/\($0.factor)" }
    let bounds = parameters.map { "\($0.symbol)[\($0.bounds.low),\($0.bounds.high)]" }
    let sets = coefficientSets.map { set in
      set.name + set.values.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    }
    return "law \(name) \(target.column)/\(target.factor)=\(expression.text)"
      + " variables=\(reads) parameters=\(bounds) residuals=\(residuals.rawValue) sets=\(sets)"
      + " derived=\(derived.map { "\($0.name)=\($0.factor)*\($0.expression.text)" })"
  }

  /// The law's prediction in the target's units of the formula (the column's divided by
  /// `target.factor`); NaN or infinite where the formula is.
  ///
  /// - Parameters:
  ///   - parameters: As many as the law has, in its order.
  ///   - variables: As many as the law has, in its order and in the formula's units (the column's
  ///     divided by the variable's factor).
  public func value(parameters: [Double], variables: [Double]) -> Double {
    checkCounts(parameters, variables)
    return program.value(parameters: parameters, variables: variables)
  }

  /// The prediction and its derivative by each parameter, in the law's order.
  public func gradient(
    parameters: [Double], variables: [Double]
  ) -> (value: Double, byParameter: [Double]) {
    checkCounts(parameters, variables)
    return program.gradient(parameters: parameters, variables: variables)
  }

  private func checkCounts(_ parameters: [Double], _ variables: [Double]) {
    precondition(
      parameters.count == self.parameters.count && variables.count == self.variables.count,
      "\(name) takes \(self.parameters.count) parameters and \(self.variables.count) variables")
  }

  /// The set of that name, case-insensitive.
  public func coefficientSet(_ name: String) throws(LawError) -> CoefficientSet {
    let wanted = name.lowercased()
    if let found = coefficientSets.first(where: { $0.name.lowercased() == wanted }) { return found }
    let known = coefficientSets.map(\.name).joined(separator: ", ")
    throw .usage(
      "law \(self.name) has no coefficient set \"\(name)\""
        + (known.isEmpty ? ": it has none" : " (it has \(known))"))
  }

  /// The place of a parameter, by its symbol.
  public func parameterIndex(_ symbol: String) -> Int? {
    parameters.firstIndex { $0.symbol == symbol }
  }

  /// The places of variables that the formula itself reads, not only derived quantities.
  public var variablesOfFormula: [Int] {
    variables.indices.filter { expression.symbols.contains(variables[$0].symbol) }
  }

  /// A derived quantity's number in its own unit.
  ///
  /// - Parameters: As for `value`; places that it does not need are not read.
  public func value(
    of quantity: DerivedQuantity, parameters: [Double], variables: [Double]
  ) -> Double {
    checkCounts(parameters, variables)
    let bound = LawProgram(
      quantity.expression, parameters: self.parameters.map(\.symbol),
      variables: self.variables.map(\.symbol))
    guard let bound else { return .nan }
    return quantity.factor * bound.value(parameters: parameters, variables: variables)
  }

  /// Checks the row and binds its formula.
  init(_ row: LawRow, file: String) throws(LawError) {
    name = row.name
    aliases = row.aliases ?? []
    title = row.title
    source = row.source
    status = row.status
    validity = row.validity ?? ""
    note = row.note ?? ""
    residuals = row.residuals ?? .log
    variables = row.variables.map(\.resolved)
    parameters = row.parameters.map(\.resolved)
    target = row.target.resolved
    coefficientSets = (row.sets ?? []).map(\.resolved)
    expression = try row.expression(row.expression, "expression", file: file)
    derived = try row.derivedQuantities(file: file)
    let bound = LawProgram(
      expression, parameters: parameters.map(\.symbol), variables: variables.map(\.symbol))
    try row.check(expression, derived, file: file)
    guard let bound else {
      throw .badTable(file: file, row: row.name, problem: "a symbol has no meaning")
    }
    program = bound
  }
}

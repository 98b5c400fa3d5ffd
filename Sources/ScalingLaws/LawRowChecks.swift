// A row that contradicts itself is refused with the field's name.
extension LawRow {
  private func bad(_ problem: String, _ file: String) -> LawError {
    .badTable(file: file, row: name, problem: problem)
  }

  /// Reads a formula of this row.
  func expression(
    _ text: String, _ field: String, file: String
  ) throws(LawError) -> LawExpression {
    do {
      return try LawExpression(text)
    } catch {
      throw bad("\(field) \"\(text)\": \(error)", file)
    }
  }

  /// The derived quantities, with the symbols that each needs.
  func derivedQuantities(file: String) throws(LawError) -> [DerivedQuantity] {
    var quantities: [DerivedQuantity] = []
    for field in derived ?? [] {
      let formula = try expression(field.expression, "derived \(field.name)", file: file)
      let variables = formula.symbols.filter { name in
        self.variables.contains { $0.symbol == name }
      }
      quantities.append(
        DerivedQuantity(
          name: field.name, meaning: field.meaning, unit: field.unit ?? "",
          factor: field.factor ?? 1, expression: formula, variables: variables,
          parameters: formula.symbols.filter { !variables.contains($0) }))
    }
    return quantities
  }

  func check(
    _ formula: LawExpression, _ derived: [DerivedQuantity], file: String
  ) throws(LawError) {
    guard !name.isEmpty, !name.contains(where: \.isWhitespace) else {
      throw bad("name: expected a word", file)
    }
    try checkSymbols(formula, derived, file: file)
    try checkColumns(file: file)
    try checkRanges(file: file)
    try checkSets(file: file)
  }

  private func checkSymbols(
    _ formula: LawExpression, _ derived: [DerivedQuantity], file: String
  ) throws(LawError) {
    let symbols = variables.map(\.symbol) + parameters.map(\.symbol)
    var seen: Set<String> = []
    for symbol in symbols {
      guard LawExpression.isSymbol(symbol) else {
        throw bad("symbol \"\(symbol)\": expected letters, digits and underscores", file)
      }
      guard seen.insert(symbol).inserted else {
        throw bad("symbol \"\(symbol)\" is there twice", file)
      }
    }
    for (field, expression) in [("expression", formula)]
      + derived.map({ ("derived \($0.name)", $0.expression) })
    {
      for symbol in expression.symbols where !seen.contains(symbol) {
        throw bad("\(field): \"\(symbol)\" is neither a variable nor a parameter", file)
      }
    }
    for parameter in parameters where !formula.symbols.contains(parameter.symbol) {
      throw bad("parameter \"\(parameter.symbol)\" is not in the expression", file)
    }
    let used = Set(formula.symbols + derived.flatMap(\.variables))
    for variable in variables where !used.contains(variable.symbol) {
      throw bad("variable \"\(variable.symbol)\" is in no expression", file)
    }
    guard !parameters.isEmpty else { throw bad("parameters: expected at least one", file) }
  }

  private func checkColumns(file: String) throws(LawError) {
    var seen: Set<String> = []
    for column in variables.map(\.column) + [target.column] {
      guard !column.isEmpty, !column.contains(where: { $0.isWhitespace || $0 == "," }) else {
        throw bad("column \"\(column)\": expected a word", file)
      }
      guard seen.insert(column.lowercased()).inserted else {
        throw bad("column \"\(column)\" is there twice", file)
      }
    }
    for factor in variables.map(\.factor) + [target.factor] + (derived ?? []).map(\.factor) {
      guard let factor else { continue }
      guard factor.isFinite, factor > 0 else {
        throw bad("factor \(factor): expected a finite number above 0", file)
      }
    }
  }

  private func checkRanges(file: String) throws(LawError) {
    func check(_ ends: [Double?]?, _ field: String) throws(LawError) {
      guard let ends else { return }
      guard ends.count == 2 else { throw bad("\(field): expected [low, high]", file) }
      if let low = ends[0], let high = ends[1], !(low <= high) {
        throw bad("\(field): \(low) is above \(high)", file)
      }
    }
    for variable in variables { try check(variable.domain, "domain of \(variable.symbol)") }
    try check(target.domain, "domain of \(target.column)")
    for parameter in parameters {
      try check(parameter.bounds, "bounds of \(parameter.symbol)")
      try check(parameter.start, "start of \(parameter.symbol)")
      let resolved = parameter.resolved
      guard resolved.start.low.isFinite, resolved.start.high.isFinite,
        resolved.bounds.contains(resolved.start.low), resolved.bounds.contains(resolved.start.high)
      else { throw bad("start of \(parameter.symbol): expected two numbers within bounds", file) }
      guard !resolved.isLogarithmic || (resolved.bounds.low >= 0 && resolved.start.low > 0) else {
        throw bad("log of \(parameter.symbol): expected bounds from 0 and starts above 0", file)
      }
    }
  }

  private func checkSets(file: String) throws(LawError) {
    var seen: Set<String> = []
    for set in sets ?? [] {
      guard seen.insert(set.name.lowercased()).inserted else {
        throw bad("coefficient set \"\(set.name)\" is there twice", file)
      }
      for (symbol, value) in set.values.sorted(by: { $0.key < $1.key }) {
        guard let parameter = parameters.first(where: { $0.symbol == symbol }) else {
          throw bad("coefficient set \"\(set.name)\": no parameter \"\(symbol)\"", file)
        }
        guard value.isFinite, parameter.resolved.bounds.contains(value) else {
          throw bad("coefficient set \"\(set.name)\": \(symbol) = \(value) is out of bounds", file)
        }
      }
      for (column, ends) in (set.validity ?? [:]).sorted(by: { $0.key < $1.key }) {
        guard variables.contains(where: { $0.column.lowercased() == column.lowercased() }) else {
          throw bad("coefficient set \"\(set.name)\": validity: no column \"\(column)\"", file)
        }
        guard ends.count == 2 else {
          throw bad("coefficient set \"\(set.name)\": validity: expected [low, high]", file)
        }
      }
    }
  }
}

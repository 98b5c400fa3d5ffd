import ScalingLaws

/// What `law predict` prints.
public enum LawPredictReports {
  public static func report(
    _ predictions: [LawPrediction], _ coefficients: LawCoefficients
  ) -> Report {
    let law = coefficients.law
    return Report(
      fields: LawListReports.fields([law]) + [
        JSONField("law", .string(law.name)), JSONField("expression", .string(law.expression.text)),
        JSONField("target", .string(law.target.column)),
        JSONField("target_unit", .string(law.target.unit)),
        JSONField("coefficients", origin(coefficients)),
        JSONField("parameters", .object(parameters(coefficients))),
        JSONField("warnings", .array(warnings(predictions, coefficients).map { .string($0) })),
      ],
      sections: [table(predictions, coefficients)],
      notes: notes(coefficients) + warnings(predictions, coefficients))
  }

  private static func origin(_ coefficients: LawCoefficients) -> JSONValue {
    switch coefficients.origin {
    case .set(let set):
      .object([
        JSONField("set", .string(set.name)), JSONField("status", .string(set.status.rawValue)),
        JSONField("source", .string(set.source)),
        JSONField("replaced", .array(coefficients.replaced.map { .string($0) })),
      ])
    case .fit(let fit):
      .object([
        JSONField("fit", .string(fit.file)), JSONField("confidence", .number(fit.confidence)),
        JSONField("replaced", .array(coefficients.replaced.map { .string($0) })),
      ])
    case .given: .object([JSONField("given", .bool(true))])
    }
  }

  private static func parameters(_ coefficients: LawCoefficients) -> [JSONField] {
    zip(coefficients.law.parameters, coefficients.values).map { parameter, value in
      var range: NumberRange?
      if case .fit(let fit) = coefficients.origin,
        !coefficients.replaced.contains(parameter.symbol)
      {
        range = fit.intervals[parameter.symbol]
      }
      return JSONField(
        parameter.symbol,
        .object([
          JSONField("value", .number(value)), JSONField("low", JSONValue(range?.low)),
          JSONField("high", JSONValue(range?.high)),
        ]))
    }
  }

  private static func table(
    _ predictions: [LawPrediction], _ coefficients: LawCoefficients
  ) -> Section {
    let law = coefficients.law
    let used = law.variables.indices.filter { place in
      predictions.contains { !$0.columns[place].isNaN }
    }
    let hasInterval = predictions.contains { $0.low != nil }
    let shown = law.derived.indices.filter { place in
      predictions.contains { $0.derived[place] != nil }
    }
    let unit = law.target.unit.isEmpty ? "" : " [\(law.target.unit)]"
    var columns = used.map { Column.number(law.variables[$0].column, .compact(6)) }
    columns += [
      .number(law.target.column, title: law.target.column + unit, .significant(4)),
      .number("low", .significant(4), isShown: hasInterval),
      .number("high", .significant(4), isShown: hasInterval),
    ]
    columns += shown.map {
      // A name may also be a column of the law's.
      let name = law.derived[$0].name
      return .number(name == law.target.column ? "derived_\(name)" : name, .significant(4))
    }
    let isOutside = predictions.contains { !$0.outside.isEmpty }
    columns.append(Column("outside", title: "outside the range of", isShown: isOutside))
    let rows = predictions.map { prediction -> [JSONValue] in
      used.map { JSONValue.number(prediction.columns[$0]) }
        + [.number(prediction.value), JSONValue(prediction.low), JSONValue(prediction.high)]
        + shown.map { JSONValue(prediction.derived[$0]) }
        + [.array(prediction.outside.map { .string($0) })]
    }
    return Section(
      "predictions", title: "\(law.name): \(law.target.column) = \(law.expression.text)",
      table: Table(columns: columns, rows: rows))
  }

  private static func notes(_ coefficients: LawCoefficients) -> [String] {
    let law = coefficients.law
    let numbers = zip(law.parameters, coefficients.values).map {
      "\($0.symbol) = \(NumberStyle.compact(6).text($1))"
    }
    var notes = ["Coefficients: \(numbers.joined(separator: ", "))."]
    switch coefficients.origin {
    case .set(let set):
      let seen =
        switch set.status {
        case .verified: "read in the paper"
        case .secondHand: "from notes about the paper, not seen in it"
        case .ownFit: "this project's own fit, not the authors' numbers"
        }
      notes.append("They are \(set.name), \(seen): \(set.source).")
      if !set.note.isEmpty { notes.append("\(set.name): \(set.note).") }
    case .fit(let fit):
      let share = NumberStyle.compact(4).text(fit.confidence * 100)
      notes.append(
        coefficients.replaced.isEmpty
          ? "They are the fit \(fit.file); low and high are \(share) % intervals of the curve."
          : "They are the fit \(fit.file); no intervals, for some numbers were replaced.")
    case .given: notes.append("They were given.")
    }
    if !coefficients.replaced.isEmpty, coefficients.origin != .given {
      notes.append("Given in their place: \(coefficients.replaced.joined(separator: ", ")).")
    }
    return notes
  }

  private static func warnings(
    _ predictions: [LawPrediction], _ coefficients: LawCoefficients
  ) -> [String] {
    var warnings: [String] = []
    for variable in coefficients.law.variables {
      let count = predictions.filter { $0.outside.contains(variable.column) }.count
      guard count > 0, let range = coefficients.validity[variable.column] else { continue }
      warnings.append(
        "Warning: \(count) of \(predictions.count) places lie outside what the coefficients were"
          + " determined on: \(variable.column) \(range).")
    }
    let lost = predictions.filter { !$0.value.isFinite }.count
    if lost > 0 {
      warnings.append("Warning: the formula has no finite value at \(lost) places.")
    }
    if case .fit(let fit) = coefficients.origin {
      warnings += fit.warnings.map { "Warning of the fit: \($0)" }
    }
    return warnings
  }
}

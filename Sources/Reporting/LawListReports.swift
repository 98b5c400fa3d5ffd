import Measurement
import ScalingLaws

/// What `law list` prints.
public enum LawListReports {
  /// Every law in a line.
  public static func list(_ catalog: LawCatalog) -> Report {
    Report(
      fields: fields(catalog.laws), sections: [data(catalog.laws), overview(catalog.laws)],
      notes: [
        "Who has seen it: verified, in the paper's own text; second-hand, in notes about it; own-fit,"
          + " this project's numbers.",
        "One law: blockscale law list NAME. Closed forms for random numbers: blockscale law theory.",
      ])
  }

  /// One law with everything that its row says.
  public static func one(_ law: LawFamily) -> Report {
    var notes = ["Formula: \(law.source) (\(law.status.rawValue)).", "Holds for: \(law.validity)."]
    if law.validity.isEmpty { notes.removeLast() }
    if !law.note.isEmpty { notes.append(law.note) }
    for set in law.coefficientSets where !set.note.isEmpty {
      notes.append("\(set.name): \(set.note).")
    }
    return Report(
      fields: fields([law]),
      sections: [
        data([law]), variables(law), parameters(law), derived(law), sets(law),
      ], notes: notes)
  }

  static func fields(_ laws: [LawFamily]) -> [JSONField] {
    [
      JSONField("tool_version", .string(toolVersion)),
      JSONField("rows", .array(laws.map { UsedRow($0).json })),
    ]
  }

  private static func overview(_ laws: [LawFamily]) -> Section {
    var table = Table(columns: [
      Column("law"), Column("target", title: "gives"), Column("status", title: "formula seen"),
      .number("sets"), Column("expression", title: "formula", shrinking: .end),
    ])
    table.rows = laws.map { law in
      [
        .string(law.name), .string(law.target.column), .string(law.status.rawValue),
        .int(law.coefficientSets.count), .string(law.expression.text),
      ]
    }
    return Section("", table: table)
  }

  /// Everything, for JSON and CSV.
  private static func data(_ laws: [LawFamily]) -> Section {
    var table = Table(
      columns: [
        "name", "aliases", "title", "expression", "target", "target_meaning", "target_unit",
        "residuals", "source", "status", "validity", "note", "variables", "parameters", "derived",
        "coefficient_sets",
      ].map { Column($0) })
    table.rows = laws.map { law in
      [
        .string(law.name), .array(law.aliases.map { .string($0) }), .string(law.title),
        .string(law.expression.text), .string(law.target.column), .string(law.target.meaning),
        .string(law.target.unit), .string(law.residuals.rawValue), .string(law.source),
        .string(law.status.rawValue), .string(law.validity), .string(law.note),
        objects(variables(law).table), objects(parameters(law).table), objects(derived(law).table),
        .array(law.coefficientSets.map(json)),
      ]
    }
    return Section("laws", table: table, isShown: false)
  }

  private static func objects(_ table: Table) -> JSONValue {
    .array(table.rows.map { .object(table.object($0)) })
  }

  private static func json(_ set: CoefficientSet) -> JSONValue {
    .object([
      JSONField("name", .string(set.name)), JSONField("status", .string(set.status.rawValue)),
      JSONField("values", .object(sorted(set.values).map { JSONField($0, .number($1)) })),
      JSONField("validity", .object(sorted(set.validity).map { JSONField($0, json($1)) })),
      JSONField("source", .string(set.source)), JSONField("note", .string(set.note)),
    ])
  }

  /// Both ends, null where one is open.
  private static func json(_ range: NumberRange) -> JSONValue {
    .array([.number(range.low), .number(range.high)])
  }

  static func sorted<Value>(_ items: [String: Value]) -> [(key: String, value: Value)] {
    items.sorted { $0.key < $1.key }
  }

  private static func variables(_ law: LawFamily) -> Section {
    var table = Table(columns: [
      Column("symbol", title: "variable"), Column("column"), Column("unit"),
      .number("factor", title: "divided by", .compact(4)), Column("domain"),
      Column("meaning", shrinking: .end),
    ])
    table.rows = law.variables.map {
      [
        .string($0.symbol), .string($0.column), .string($0.unit), .number($0.factor),
        json($0.domain), .string($0.meaning),
      ]
    }
    return Section(
      "",
      title: "\(law.title)\n\n\(law.target.column) = \(law.expression.text)\n\n"
        + "\(law.target.column): \(law.target.meaning)"
        + (law.target.unit.isEmpty ? "" : ", in \(law.target.unit)"), table: table)
  }

  private static func parameters(_ law: LawFamily) -> Section {
    var table = Table(columns: [
      Column("symbol", title: "parameter"), Column("bounds"), Column("start"),
      Column("meaning", shrinking: .end),
    ])
    table.rows = law.parameters.map {
      [.string($0.symbol), json($0.bounds), json($0.start), .string($0.meaning)]
    }
    return Section("", table: table)
  }

  private static func derived(_ law: LawFamily) -> Section {
    var table = Table(columns: [
      Column("name", title: "also gives"), Column("unit"), Column("meaning"),
      Column("expression", title: "formula", shrinking: .end),
    ])
    table.rows = law.derived.map {
      [
        .string($0.name), .string($0.unit), .string($0.meaning), .string($0.expression.text),
      ]
    }
    return Section("", table: table, isShown: !law.derived.isEmpty)
  }

  private static func sets(_ law: LawFamily) -> Section {
    let symbols = law.parameters.map(\.symbol)
    var table = Table(
      columns: [Column("name", title: "coefficients"), Column("status", title: "numbers seen")]
        + symbols.map { .number($0, .compact(6)) } + [Column("source", shrinking: .end)])
    table.rows = law.coefficientSets.map { set in
      [.string(set.name), .string(set.status.rawValue)]
        + symbols.map { JSONValue(set.values[$0]) } + [.string(set.source)]
    }
    return Section("", table: table, isShown: !law.coefficientSets.isEmpty)
  }
}

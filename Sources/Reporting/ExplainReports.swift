import Measurement
import NumberFormats

/// What `blockscale explain` prints.
public enum ExplainReports {
  /// One code's fields, exact value and neighbours.
  public static func code(_ explanation: CodeExplanation) -> Report {
    let row = explanation.format
    let exact = DyadicNumber(explanation.value)
    var fields =
      common(row) + [
        JSONField("code", .int(Int(explanation.code))),
        JSONField("hex", .string(hexadecimalCode(explanation.code, bits: row.bits))),
        JSONField("binary", .string(binaryDigits(explanation.code, width: row.bits))),
      ]
    for field in explanation.fields { fields.append(JSONField(field.name, .string(field.bits))) }
    fields += [
      JSONField("class", .string(explanation.valueClass.rawValue)),
      JSONField("formula", .string(explanation.formula)),
      JSONField("value", .number(Double(explanation.value))),
      JSONField("decimal", JSONValue(exact?.decimal)),
      JSONField("hexfloat", JSONValue(exact?.hexadecimal)),
      JSONField("product", JSONValue(exact?.product)),
      JSONField("below", neighbour(explanation.below, row)),
      JSONField("above", neighbour(explanation.above, row)),
    ]
    return report(fields, row, sections: [])
  }

  /// A value's code under each rounding.
  public static func value(_ explanation: ValueExplanation) -> Report {
    let row = explanation.format
    let exact = DyadicNumber(explanation.value)
    let fields =
      common(row) + [
        JSONField("value", .number(Double(explanation.value))),
        JSONField("float32_bits", .string(hexadecimalCode(explanation.value.bitPattern, bits: 32))),
        JSONField("decimal", .string(exact?.decimal ?? "\(explanation.value)")),
        JSONField("hexfloat", JSONValue(exact?.hexadecimal)),
        JSONField("product", JSONValue(exact?.product)),
        JSONField("below", neighbour(explanation.below, row)),
        JSONField("above", neighbour(explanation.above, row)),
      ]
    var table = Table(columns: [
      Column("rounding"), Column("chance"), Column("overflow"), .number("code", isShown: false),
      .number("hex"), .number("binary"), .number("value", .compact(9)),
      .number("error", .compact(6)),
    ])
    table.rows = explanation.encodings.map { encoding in
      let chance = JSONValue(encoding.chances.map { "\($0)/256" })
      return [
        .string(encoding.rounding), chance, .string(encoding.overflow.rawValue),
        .int(Int(encoding.code)), .string(hexadecimalCode(encoding.code, bits: row.bits)),
        .string(binaryDigits(encoding.code, width: row.bits)),
        .number(Double(encoding.result)), JSONValue(encoding.error),
      ]
    }
    return report(fields, row, sections: [Section("encodings", title: nil, table: table)])
  }

  private static func common(_ row: NumberFormatRow) -> [JSONField] {
    let used = UsedRow(row)
    return [
      JSONField("format", .string(row.name)), JSONField("kind", .string(used.kind)),
      JSONField("bits", .int(row.bits)),
    ]
  }

  private static func neighbour(_ neighbour: CodeValue?, _ row: NumberFormatRow) -> JSONValue {
    guard let neighbour else { return .null }
    return .object([
      JSONField("code", .int(Int(neighbour.code))),
      JSONField("hex", .string(hexadecimalCode(neighbour.code, bits: row.bits))),
      JSONField("value", .number(Double(neighbour.value))),
    ])
  }

  /// The fields stand in JSON as they are, and as an upright table for people and CSV.
  private static func report(
    _ fields: [JSONField], _ row: NumberFormatRow, sections: [Section]
  ) -> Report {
    let run = RunFields(engine: "reference", seed: nil, rows: [UsedRow(row)])
    var upright = Table(columns: [Column("field", title: ""), Column("text", title: row.name)])
    for field in fields where field.key != "format" && field.value != .null {
      upright.rows.append([.string(title(field.key)), .string(text(field.value))])
    }
    return Report(
      fields: run.json + fields, sections: [Section("", table: upright)] + sections,
      notes: run.notes)
  }

  private static func title(_ key: String) -> String {
    key.split(separator: "_").joined(separator: " ")
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .object(let fields):
      let parts = Dictionary(uniqueKeysWithValues: fields.map { ($0.key, $0.value) })
      return "\(plain(parts["value"])) (\(plain(parts["hex"])))"
    default: return plain(value)
    }
  }

  private static func plain(_ value: JSONValue?) -> String {
    switch value {
    case .string(let text): text
    case .int(let number): String(number)
    case .number(let number): NumberStyle.shortest.text(Double("\(Float(number))") ?? number)
    default: ""
    }
  }
}

extension Report {
  /// One heading, then the rows with every digit; nulls are empty. Quoting as in RFC 4180, section 2;
  /// lines end with a line feed alone.
  ///
  /// Several sections share one table: their columns are joined, and `section` names each row's.
  func renderedAsCSV() -> String {
    let sections = dataSections.isEmpty ? [fieldsAsSection] : dataSections
    let named = sections.count > 1
    var keys: [String] = named ? ["section"] : []
    for column in sections.flatMap(\.table.columns) where !keys.contains(column.key) {
      keys.append(column.key)
    }
    var text = keys.map(Self.csvField).joined(separator: ",") + "\n"
    for section in sections {
      let places = Dictionary(
        section.table.columns.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { a, _ in a })
      for row in section.table.rows {
        let fields = keys.map { key -> String in
          if named, key == "section" { return section.key }
          return places[key].map { Self.csvText(row[$0]) } ?? ""
        }
        text += fields.map(Self.csvField).joined(separator: ",") + "\n"
      }
    }
    return text
  }

  /// A report without rows has its fields for a row.
  private var fieldsAsSection: Section {
    Section(
      "fields", table: Table(columns: fields.map { Column($0.key) }, rows: [fields.map(\.value)]))
  }

  static func csvText(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .number(let value): value.isFinite ? "\(value)" : ""
    case .string(let value): value
    case .array, .object: value.compact
    }
  }

  static func csvField(_ text: String) -> String {
    let special: (Character) -> Bool = { $0 == "," || $0 == "\"" || $0.isNewline }
    guard text.contains(where: special) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}

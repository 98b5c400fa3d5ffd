import FormatCatalog

/// The fields that a table of laws really has: a decoder passes over a misspelt one, and the row would
/// mean something else than was written.
struct LawFieldNames: Decodable {
  /// A field that nothing reads.
  struct Unknown: Error {
    var row: String?
    var field: UnknownField
    var problem: String { "unknown field \"\(field.field)\" (nearest: \"\(field.nearest)\")" }
  }

  private var top: [String] = []
  private var rows: [Row] = []

  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// One object's fields; those of objects in it stand behind the object's name and a dot.
  private struct Row: Decodable {
    var name: String?
    var fields: [String] = []

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: AnyKey.self)
      for key in container.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
        let field = key.stringValue
        fields.append(field)
        // Their keys are symbols and columns.
        guard field != "values", field != "validity" else { continue }
        let inner =
          (try? container.decode([Row].self, forKey: key))
          ?? (try? container.decode(Row.self, forKey: key)).map { [$0] } ?? []
        fields += inner.flatMap(\.fields).map { "\(field).\($0)" }
      }
      name = AnyKey(stringValue: "name").flatMap {
        try? container.decodeIfPresent(String.self, forKey: $0)
      }
    }
  }

  /// Every field that a row can have.
  private static let known: [String] =
    names(LawRow.CodingKeys.self) + names(LawRow.VariableField.CodingKeys.self, "variables")
    + names(LawRow.ParameterField.CodingKeys.self, "parameters")
    + names(LawRow.TargetField.CodingKeys.self, "target")
    + names(LawRow.DerivedField.CodingKeys.self, "derived")
    + names(LawRow.SetField.CodingKeys.self, "sets")

  private static func names<Keys: CodingKey & CaseIterable>(
    _ keys: Keys.Type, _ object: String? = nil
  ) -> [String] {
    keys.allCases.map { (object.map { "\($0)." } ?? "") + $0.stringValue }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    top = container.allKeys.map(\.stringValue).sorted()
    if let key = AnyKey(stringValue: "laws") {
      rows = try container.decodeIfPresent([Row].self, forKey: key) ?? []
    }
  }

  /// - Throws: the first field that nothing reads.
  func check() throws(Unknown) {
    let tables = ["version", "laws"]
    if let field = top.first(where: { !tables.contains($0) }) {
      throw Unknown(row: nil, field: UnknownField(row: nil, field: field, among: tables))
    }
    for (index, row) in rows.enumerated() {
      guard let field = row.fields.first(where: { !Self.known.contains($0) }) else { continue }
      throw Unknown(
        row: row.name ?? "laws[\(index)]",
        field: UnknownField(row: row.name, field: field, among: Self.known))
    }
  }
}

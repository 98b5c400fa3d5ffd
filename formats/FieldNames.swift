/// The names of a table file's fields, against those that its rows can have: a decoder passes over a
/// misspelt one, and the row would mean something else than was written.
package struct FieldNames: Decodable {
  /// A table's name and every field that its rows can have, those of objects in them behind the
  /// object's name and a dot. An object without such fields has keys that are no names of fields.
  package typealias Table = (name: String, fields: [String])

  private var top: [String] = []
  private var rows: [String: [Row]] = [:]

  /// The fields of one object, those of objects in it behind the object's name and a dot.
  private struct Row: Decodable {
    var name: String?
    var fields: [String] = []

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: AnyKey.self)
      for key in container.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
        fields.append(key.stringValue)
        let inner =
          (try? container.decode(Row.self, forKey: key)).map { [$0] }
          ?? (try? container.decode([Row].self, forKey: key)) ?? []
        fields += inner.flatMap(\.fields).map { "\(key.stringValue).\($0)" }
      }
      name = try? container.decodeIfPresent(String.self, forKey: AnyKey("name"))
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    for key in container.allKeys {
      top.append(key.stringValue)
      rows[key.stringValue] = try? container.decode([Row].self, forKey: key)
    }
  }

  /// The first field that no table has; nil where all are read.
  package func firstUnknown(in tables: [Table]) -> UnknownField? {
    let known = ["version"] + tables.map(\.name)
    if let field = top.sorted().first(where: { !known.contains($0) }) {
      return UnknownField(row: nil, field: field, among: known)
    }
    for table in tables {
      let fields = Set(table.fields)
      let objects = Set(table.fields.map(Self.object))
      for (index, row) in (rows[table.name] ?? []).enumerated() {
        let unknown = row.fields.first {
          !fields.contains($0) && objects.contains(Self.object(of: $0))
        }
        if let unknown {
          return UnknownField(
            row: row.name ?? "\(table.name)[\(index)]", field: unknown, among: table.fields)
        }
      }
    }
    return nil
  }

  /// The object that holds a field; empty for the row itself.
  private static func object(of field: String) -> Substring {
    field.lastIndex(of: ".").map { field[..<$0] } ?? ""
  }
}

extension FieldNames {
  /// The tables of formats.
  static let formatTables: [Table] = [
    ("elements", ElementRow.CodingKeys.names()), ("scales", ScaleRow.CodingKeys.names()),
    ("blocks", BlockRow.CodingKeys.names()),
    (
      "recipes",
      RecipeRow.CodingKeys.names() + ZeroScaleField.Fields.CodingKeys.names(behind: "zero.")
        + NaNElementField.Fields.CodingKeys.names(behind: "nanElement.")
    ),
    (
      "accumulators",
      AccumulatorRow.CodingKeys.names()
        + AccumulatorRow.Float32Field.CodingKeys.names(behind: "float32.")
        + AccumulatorRow.FusedField.CodingKeys.names(behind: "fused.")
        + AccumulatorRow.LateField.CodingKeys.names(behind: "fused.late.")
        + AccumulatorRow.IntegerField.CodingKeys.names(behind: "integer.")
        + AccumulatorRow.FixedField.CodingKeys.names(behind: "fixed.")
    ),
  ]
}

/// The fields that a table's file really has, against those that its rows can have: a decoder passes
/// over a misspelt one, and the row would mean something else than was written.
struct FieldNames: Decodable {
  private var unknown: [UnknownField] = []

  /// The first field that nothing reads; nil where all are read.
  var firstUnknown: UnknownField? { unknown.first }

  private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Fields of one row, those of objects in it behind the object's name and a dot.
  private struct Row: Decodable {
    var name: String?
    var fields: [String] = []

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: AnyKey.self)
      collect(container, behind: "")
      name = try AnyKey(stringValue: "name").flatMap {
        try container.decodeIfPresent(String.self, forKey: $0)
      }
    }

    private mutating func collect(
      _ container: KeyedDecodingContainer<AnyKey>, behind path: String
    ) {
      for key in container.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
        let field = path + key.stringValue
        fields.append(field)
        if let inner = try? container.nestedContainer(keyedBy: AnyKey.self, forKey: key) {
          collect(inner, behind: field + ".")
        }
      }
    }
  }

  /// Every field that a row of each table can have.
  private static let tables: [(name: String, fields: [String])] = [
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

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    let tables = Self.tables
    let known = ["version"] + tables.map(\.name)
    for key in container.allKeys.sorted(by: { $0.stringValue < $1.stringValue })
    where !known.contains(key.stringValue) {
      unknown.append(UnknownField(row: nil, field: key.stringValue, among: known))
    }
    for table in tables {
      guard let key = AnyKey(stringValue: table.name) else { continue }
      for (index, row) in (try container.decodeIfPresent([Row].self, forKey: key) ?? [])
        .enumerated()
      {
        for field in row.fields where !table.fields.contains(field) {
          let name = row.name ?? "\(table.name)[\(index)]"
          unknown.append(UnknownField(row: name, field: field, among: table.fields))
        }
      }
    }
  }
}

/// A field that nothing reads.
package struct UnknownField: Hashable, Sendable {
  /// The row's name, or its place where it has none; nil beside the tables.
  package var row: String?
  package var field: String
  /// The known field that takes the fewest changes of a letter.
  package var nearest: String

  package init(row: String?, field: String, among known: [String]) {
    self.row = row
    self.field = field
    nearest = nearestName(to: field, among: known)
  }
}

/// The known name that takes the fewest changes of a letter, whatever its case; empty without names.
package func nearestName(to name: String, among known: [String]) -> String {
  let distances = known.map {
    (name: $0, changes: letterChanges($0.lowercased(), name.lowercased()))
  }
  return distances.min { $0.changes < $1.changes }?.name ?? ""
}

/// Letters inserted, removed or replaced to turn one word into another (Levenshtein distance).
private func letterChanges(_ first: String, _ second: String) -> Int {
  let letters = Array(second)
  var row = Array(0...letters.count)
  for (index, letter) in first.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for column in letters.indices {
      let change = diagonal + (letters[column] == letter ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(change, row[column] + 1, diagonal + 1)
    }
  }
  return row[letters.count]
}

extension CaseIterable where Self: CodingKey {
  /// The names of all keys, behind that of the object that holds them.
  fileprivate static func names(behind path: String = "") -> [String] {
    allCases.map { path + $0.stringValue }
  }
}

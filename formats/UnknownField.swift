/// A key of any name.
package struct AnyKey: CodingKey {
  package var stringValue: String
  package var intValue: Int? { nil }

  package init(_ name: String) { stringValue = name }
  package init?(stringValue: String) { self.stringValue = stringValue }
  package init?(intValue: Int) { nil }
}

/// A field that nothing reads.
package struct UnknownField: Hashable, Sendable {
  /// The row's name, or its place where it has none; nil beside the tables.
  package var row: String?
  package var field: String
  /// The known field that takes the fewest changes of a letter.
  package var nearest: String

  /// What an error says of it.
  package var problem: String { Self.problem(field, nearest: nearest) }

  static func problem(_ field: String, nearest: String) -> String {
    "unknown field \"\(field)\" (nearest: \"\(nearest)\")"
  }

  package init(row: String?, field: String, among known: [String]) {
    self.row = row
    self.field = field
    nearest = nearestName(to: field, among: known)
  }
}

extension Decoder {
  /// The first field, in the order of names, of the object here that has no key; nil where all have
  /// one. A decoder passes over a misspelt field, and the object would mean something else than was
  /// written.
  package func unknownField<Keys: CodingKey & CaseIterable>(
    among keys: Keys.Type
  ) throws -> UnknownField? {
    let known = keys.names()
    let found = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    return found.first { !known.contains($0) }.map {
      UnknownField(row: nil, field: $0, among: known)
    }
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
  package static func names(behind path: String = "") -> [String] {
    allCases.map { path + $0.stringValue }
  }
}

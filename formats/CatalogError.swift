/// Why rows of a format table cannot be used. Each case names the file and the row.
public enum CatalogError: Error, Sendable, Hashable {
  case unreadable(file: String, reason: String)
  /// Not JSON5, or a field of the wrong type.
  case malformed(file: String, reason: String)
  /// A `version` other than 1, or none.
  case version(file: String)
  /// A row whose numbers contradict each other.
  case badRow(file: String, row: String, reason: String)
  /// A field that no row of its table has; `row` is nil beside the tables.
  case unknownField(file: String, row: String?, field: String, nearest: String)
  /// A name or alias that another row of the same kind has.
  case duplicateName(file: String, row: String, name: String)
  /// A row that refers to one that does not exist.
  case unknownReference(file: String, row: String, name: String)
}

extension CatalogError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .malformed(let file, let reason): "\(file): not a format table: \(reason)"
    case .version(let file): "\(file): expected version: 1"
    case .badRow(let file, let row, let reason): "\(file): row \"\(row)\": \(reason)"
    case .unknownField(let file, let row, let field, let nearest):
      "\(file): \(row.map { "row \"\($0)\": " } ?? "")"
        + UnknownField.problem(field, nearest: nearest)
    case .duplicateName(let file, let row, let name):
      "\(file): row \"\(row)\": the name \"\(name)\" is taken"
    case .unknownReference(let file, let row, let name):
      "\(file): row \"\(row)\": no row is called \"\(name)\""
    }
  }
}

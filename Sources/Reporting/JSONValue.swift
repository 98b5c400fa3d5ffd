import TensorIO

/// A JSON document, with object keys in the order in which they were given.
public enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  /// Written with the fewest digits that read back as the same double; null where not finite.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([JSONField])

  /// A number, or null.
  public init(_ value: Double?) { self = value.map { .number($0) } ?? .null }
  /// A count, or null.
  public init(_ value: Int?) { self = value.map { .int($0) } ?? .null }
  /// A text, or null.
  public init(_ value: String?) { self = value.map { .string($0) } ?? .null }
}

/// One key of a JSON object and its value.
public struct JSONField: Sendable, Equatable {
  public var key: String
  public var value: JSONValue

  public init(_ key: String, _ value: JSONValue) {
    self.key = key
    self.value = value
  }
}

extension JSONValue {
  /// The document in one line.
  public var compact: String {
    var text = ""
    write(into: &text, indent: nil)
    return text
  }

  /// The document over several lines: arrays of plain values and small things stay in one.
  public var pretty: String {
    var text = ""
    write(into: &text, indent: 0)
    return text
  }

  /// Whether it is neither an array nor an object.
  var isPlain: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  private func isNumbers(_ fields: [JSONField]) -> Bool {
    fields.allSatisfy {
      switch $0.value {
      case .int, .number: true
      default: false
      }
    }
  }

  private func write(into text: inout String, indent: Int?) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += String(value)
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): text += quotedJSON(value)
    case .array(let values):
      let inner = values.allSatisfy(\.isPlain) ? nil : indent
      Self.writeList(values, "[", "]", into: &text, indent: inner) { value, text, indent in
        value.write(into: &text, indent: indent)
      }
    case .object(let fields):
      let fits = fields.allSatisfy { $0.value.isPlain } && (fields.count <= 6 || isNumbers(fields))
      Self.writeList(fields, "{", "}", into: &text, indent: fits ? nil : indent) {
        field, text, indent in
        text += quotedJSON(field.key)
        text += ": "
        field.value.write(into: &text, indent: indent)
      }
    }
  }

  private static func writeList<Item>(
    _ items: [Item], _ open: String, _ close: String, into text: inout String, indent: Int?,
    writeItem: (Item, inout String, Int?) -> Void
  ) {
    text += open
    let inner = indent.map { $0 + 1 }
    for (index, item) in items.enumerated() {
      if index > 0 { text += inner == nil ? ", " : "," }
      if let inner { text += "\n" + String(repeating: " ", count: inner) }
      writeItem(item, &text, inner)
    }
    if let indent, !items.isEmpty { text += "\n" + String(repeating: " ", count: indent) }
    text += close
  }
}

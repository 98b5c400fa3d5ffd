/// A JSON value as the headers use it. Objects keep the order of their keys, which Foundation's
/// decoder loses, and duplicate keys are refused.
enum HeaderJSON: Hashable {
  case null
  case bool(Bool)
  /// A number written as digits with an optional minus sign, where it fits.
  case integer(Int)
  /// Any other number, as written.
  case number(String)
  case string(String)
  case array([HeaderJSON])
  case object([Member])

  struct Member: Hashable {
    var key: String
    var value: HeaderJSON
  }

  /// What is wrong, at a byte offset of the text.
  struct Fault: Error, Hashable {
    var position: Int
    var problem: String
  }

  /// Parses one value and nothing but white space behind it (RFC 8259). The text must be UTF-8.
  static func parse(_ text: UnsafeRawBufferPointer) throws(Fault) -> HeaderJSON {
    var parser = HeaderJSONParser(text: text)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.position == text.count else { throw parser.fault("text behind the JSON value") }
    return value
  }

  static func parse(_ text: String) throws(Fault) -> HeaderJSON {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(Fault) -> HeaderJSON in try parse(buffer) }
    }
    return try result.get()
  }

  subscript(key: String) -> HeaderJSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  var integer: Int? {
    if case .integer(let value) = self { return value }
    return nil
  }

  var bool: Bool? {
    if case .bool(let value) = self { return value }
    return nil
  }

  /// A list of non-negative integers.
  var lengths: [Int]? {
    guard case .array(let items) = self else { return nil }
    var result: [Int] = []
    for item in items {
      guard let length = item.integer, length >= 0 else { return nil }
      result.append(length)
    }
    return result
  }

  /// The value as compact JSON text, keys in their order.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .number(let text): text
    case .string(let text): quotedJSON(text)
    case .array(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{"
        + members.map { quotedJSON($0.key) + ":" + $0.value.text }.joined(separator: ",")
        + "}"
    }
  }
}

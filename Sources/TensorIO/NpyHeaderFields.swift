/// The three fields of an .npy header, read from its Python dictionary literal by a parser that
/// knows nothing else of Python.
struct NpyHeaderFields {
  var description: String
  var isFortranOrder: Bool
  var shape: [Int]

  struct Fault: Error {
    var position: Int
    var problem: String
    var expected: String
  }

  init(_ text: UnsafeRawBufferPointer, isUTF8: Bool) throws(Fault) {
    var parser = Parser(text: text, isUTF8: isUTF8)
    var description: String?
    var order: Bool?
    var shape: [Int]?
    try parser.take("{")
    while !parser.takeIf("}") {
      let start = parser.position
      let key = try parser.string()
      try parser.take(":")
      switch key {
      case "descr" where description == nil: description = try parser.type()
      case "fortran_order" where order == nil: order = try parser.boolean()
      case "shape" where shape == nil: shape = try parser.tuple()
      default:
        throw Fault(
          position: start, problem: "key '\(key)' in the header",
          expected: "descr, fortran_order and shape, once each")
      }
      if !parser.takeIf(",") {
        try parser.take("}")
        break
      }
    }
    try parser.end()
    guard let description, let order, let shape else {
      throw Fault(
        position: 0, problem: "the header lacks a key", expected: "descr, fortran_order and shape")
    }
    self.description = description
    self.isFortranOrder = order
    self.shape = shape
  }

  private struct Parser {
    let text: UnsafeRawBufferPointer
    let isUTF8: Bool
    var position = 0

    init(text: UnsafeRawBufferPointer, isUTF8: Bool) {
      self.text = text
      self.isUTF8 = isUTF8
    }

    func fault(_ problem: String, _ expected: String) -> Fault {
      Fault(position: position, problem: problem, expected: expected)
    }

    private var current: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
      while let byte = current, byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    }

    mutating func takeIf(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard current == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    mutating func take(_ character: Unicode.Scalar) throws(Fault) {
      guard takeIf(character) else {
        throw fault("the header is not a Python dictionary of this form", "'\(character)'")
      }
    }

    mutating func end() throws(Fault) {
      skipSpace()
      guard position == text.count else { throw fault("text behind the header", "white space") }
    }

    /// A quoted string without escapes.
    mutating func string() throws(Fault) -> String {
      skipSpace()
      guard let quote = current, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
        throw fault("the header is not a Python dictionary of this form", "a quoted string")
      }
      let start = position + 1
      var end = start
      while end < text.count, text[end] != quote {
        guard text[end] != UInt8(ascii: "\\"), text[end] >= 0x20 else {
          position = end
          throw fault("an escape or control character in a string", "plain text")
        }
        end += 1
      }
      guard end < text.count else { throw fault("the header ends in a string", "a closing quote") }
      let bytes = text[start..<end]
      guard isUTF8 else {
        position = end + 1
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
      }
      guard let result = String(validating: bytes, as: UTF8.self) else {
        throw fault("a string that is not UTF-8", "UTF-8 in version 3.0")
      }
      position = end + 1
      return result
    }

    /// The type string. A list is a record type, which has no single element type.
    mutating func type() throws(Fault) -> String {
      skipSpace()
      guard current != UInt8(ascii: "[") else {
        throw fault("a record type with named fields", "one number type, such as '<f4'")
      }
      return try string()
    }

    mutating func boolean() throws(Fault) -> Bool {
      skipSpace()
      for (word, value) in [("True", true), ("False", false)] {
        let bytes = Array(word.utf8)
        if text[position...].prefix(bytes.count).elementsEqual(bytes) {
          position += bytes.count
          return value
        }
      }
      throw fault("fortran_order is not a boolean", "True or False")
    }

    /// `()`, `(3,)`, `(2, 3)`, `(2, 3,)`; Python 2's `3L` is accepted, as NumPy does.
    mutating func tuple() throws(Fault) -> [Int] {
      try take("(")
      var lengths: [Int] = []
      while !takeIf(")") {
        lengths.append(try length())
        if takeIf(",") { continue }
        guard lengths.count > 1 else { throw fault("the shape is not a tuple", "','") }
        try take(")")
        break
      }
      return lengths
    }

    private mutating func length() throws(Fault) -> Int {
      skipSpace()
      let start = position
      var value = 0
      while let byte = current, (0x30...0x39).contains(byte) {
        let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(Int(byte - 0x30))
        guard !overflow, !carry else {
          position = start
          throw fault("a length that does not fit 63 bits", "a smaller length")
        }
        value = sum
        position += 1
      }
      guard position > start else {
        throw fault("the shape holds something other than lengths", "integers from 0 up")
      }
      if current == UInt8(ascii: "L") { position += 1 }
      return value
    }
  }
}

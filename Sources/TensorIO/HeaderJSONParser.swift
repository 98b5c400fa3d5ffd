/// A strict recursive parser of RFC 8259 text with bounded depth.
struct HeaderJSONParser {
  let text: UnsafeRawBufferPointer
  var position = 0

  /// Headers nest three deep; more than this is refused before the stack is at risk.
  private static let maximumDepth = 32

  init(text: UnsafeRawBufferPointer) { self.text = text }

  func fault(_ problem: String) -> HeaderJSON.Fault {
    HeaderJSON.Fault(position: position, problem: problem)
  }

  private var current: UInt8? { position < text.count ? text[position] : nil }

  mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) throws(HeaderJSON.Fault) {
    guard current == UInt8(ascii: character) else { throw fault("no '\(character)' here") }
    position += 1
  }

  private mutating func literal(_ word: StaticString) throws(HeaderJSON.Fault) {
    let count = word.utf8CodeUnitCount
    guard position + count <= text.count,
      (0..<count).allSatisfy({ text[position + $0] == word.utf8Start[$0] })
    else { throw fault("no JSON value here") }
    position += count
  }

  mutating func value(depth: Int) throws(HeaderJSON.Fault) -> HeaderJSON {
    guard depth < Self.maximumDepth else { throw fault("nested deeper than \(Self.maximumDepth)") }
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try literal("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try literal("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try literal("null")
      return .null
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(HeaderJSON.Fault) -> HeaderJSON {
    try take("{")
    var members: [HeaderJSON.Member] = []
    var keys: Set<String> = []
    skipSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return .object([])
    }
    while true {
      skipSpace()
      let start = position
      let key = try string()
      guard keys.insert(key).inserted else {
        position = start
        throw fault("the name \"\(key)\" appears twice")
      }
      skipSpace()
      try take(":")
      members.append(.init(key: key, value: try value(depth: depth + 1)))
      skipSpace()
      if current == UInt8(ascii: ",") {
        position += 1
        continue
      }
      try take("}")
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(HeaderJSON.Fault) -> HeaderJSON {
    try take("[")
    var items: [HeaderJSON] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if current == UInt8(ascii: ",") {
        position += 1
        continue
      }
      try take("]")
      return .array(items)
    }
  }

  private mutating func number() throws(HeaderJSON.Fault) -> HeaderJSON {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    let whole = digits()
    guard whole > 0 else {
      position = start
      throw fault("no JSON value here")
    }
    guard whole == 1 || text[firstDigit] != UInt8(ascii: "0") else {
      throw fault("a number with a leading zero")
    }
    var isInteger = true
    if current == UInt8(ascii: ".") {
      position += 1
      isInteger = false
      guard digits() > 0 else { throw fault("no digits behind the point") }
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      isInteger = false
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      guard digits() > 0 else { throw fault("no digits in the exponent") }
    }
    let written = String(decoding: text[start..<position], as: UTF8.self)
    if isInteger, let value = Int(written) { return .integer(value) }
    return .number(written)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
    return position - start
  }

  mutating func string() throws(HeaderJSON.Fault) -> String {
    try take("\"")
    var bytes: [UInt8] = []
    while let byte = current {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: bytes, as: UTF8.self) else {
          throw fault("a string that is not UTF-8")
        }
        return result
      case UInt8(ascii: "\\"): bytes.append(contentsOf: try escape())
      case 0..<0x20: throw fault("a control character inside a string")
      default: bytes.append(byte)
      }
    }
    throw fault("the text ends inside a string")
  }

  private mutating func escape() throws(HeaderJSON.Fault) -> [UInt8] {
    guard let byte = current else { throw fault("the text ends inside a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): break
    default: throw fault("an unknown escape in a string")
    }
    var code = try hexadecimal()
    if (0xD800..<0xDC00).contains(code) {
      try take("\\")
      try take("u")
      let low = try hexadecimal()
      guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair") }
    return Array(Character(scalar).utf8)
  }

  private mutating func hexadecimal() throws(HeaderJSON.Fault) -> UInt32 {
    guard position + 4 <= text.count else { throw fault("the text ends inside a string") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(text[position])).hexDigitValue else {
        throw fault("a \\u escape without four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}

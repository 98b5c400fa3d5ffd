import TensorIO

/// The packed words of one file in their order, each `layout.bytes` bytes, little-endian.
final class WordReader {
  private enum Form {
    case memory
    case raw
    /// The column of each field, that of the case's number, and how many there are.
    case table(columns: [Int], number: Int?, count: Int)
  }

  let path: String
  let layout: WordLayout
  /// Words read so far.
  private(set) var count = 0
  private let reader: ByteReader
  private var digits: HexadecimalDigits
  private var form: Form
  private var line = 1

  /// A device's results: `.bin` and `.raw` are packed words, `.csv` has a column for each expected
  /// field, anything else is a memory file for `$readmemh`.
  ///
  /// - Parameter mask: bits that count; digits x and z are taken where none of theirs does.
  init(results path: String, layout: WordLayout, mask: [UInt8]) throws(TensorIOError) {
    self.path = path
    self.layout = layout
    reader = try ByteReader(path)
    digits = HexadecimalDigits(path: path, mask: mask)
    form = .memory
    let lower = path.lowercased()
    if lower.hasSuffix(".bin") || lower.hasSuffix(".raw") { form = .raw }
    if lower.hasSuffix(".csv") { form = try table() }
  }

  /// Words in hexadecimal between white space; `//` and `/* */` are comments, `_` is skipped, and an
  /// `@address` must be that of the next word.
  init(memory reader: ByteReader, layout: WordLayout) {
    path = reader.path
    self.layout = layout
    self.reader = reader
    digits = HexadecimalDigits(path: reader.path, mask: [])
    form = .memory
  }

  /// The next word; nil at the end.
  func next() throws(TensorIOError) -> [UInt8]? {
    let word: [UInt8]?
    switch form {
    case .memory: word = try memoryWord()
    case .raw: word = try rawWord()
    case .table(let columns, let number, let cells):
      word = try tableWord(columns, number, cells)
    }
    if word != nil { count += 1 }
    return word
  }

  private func rawWord() throws(TensorIOError) -> [UInt8]? {
    var word: [UInt8] = []
    word.reserveCapacity(layout.bytes)
    while word.count < layout.bytes, let byte = try reader.next() { word.append(byte) }
    if word.isEmpty { return nil }
    guard word.count == layout.bytes else {
      throw VectorFolder.bad(
        path, "\(count * layout.bytes + word.count) bytes",
        expected: "words of \(layout.bytes) bytes")
    }
    try digits.checkSpare(word, layout, "word \(count)")
    return word
  }

  private func memoryWord() throws(TensorIOError) -> [UInt8]? {
    var token: [UInt8] = []
    while true {
      let byte = try reader.next()
      var ends = true
      if let byte, !Self.isSpace(byte) {
        ends = byte == UInt8(ascii: "/") ? try isComment() : false
      }
      if ends {
        let at = line
        if byte == 0x0A { line += 1 }
        if byte == UInt8(ascii: "/") { try skipComment() }
        if token.first == UInt8(ascii: "@") {
          try checkAddress(token, at)
        } else if !token.isEmpty {
          let word = try digits.word(token, layout, "line \(at)")
          try digits.checkSpare(word, layout, "line \(at)")
          return word
        }
        if byte == nil { return nil }
        token.removeAll(keepingCapacity: true)
      } else if let byte, byte != UInt8(ascii: "_") {
        // One digit too many is enough to refuse a word, and all that is kept of a file without
        // white space.
        if token.count <= layout.digits + 16 { token.append(byte) }
      }
    }
  }

  /// Of the characters below the digits, these alone stand between words.
  @inline(__always)
  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private func isComment() throws(TensorIOError) -> Bool {
    let next = try reader.peek()
    return next == UInt8(ascii: "/") || next == UInt8(ascii: "*")
  }

  /// Behind the first stroke.
  private func skipComment() throws(TensorIOError) {
    let first = line
    let isBlock = try reader.next() == UInt8(ascii: "*")
    var last: UInt8 = 0
    while let byte = try reader.next() {
      if byte == 0x0A { line += 1 }
      if !isBlock, byte == 0x0A { return }
      if isBlock, last == UInt8(ascii: "*"), byte == UInt8(ascii: "/") { return }
      last = byte
    }
    if isBlock {
      throw VectorFolder.bad(path, "line \(first): a comment without an end", expected: "*/")
    }
  }

  private func checkAddress(_ token: [UInt8], _ line: Int) throws(TensorIOError) {
    let text = String(decoding: token.dropFirst(), as: UTF8.self)
    guard Int(text, radix: 16) == count else {
      throw VectorFolder.bad(
        path, "line \(line): address @\(text)", expected: "@\(String(count, radix: 16))")
    }
  }
}

// Tables: a header with every expected field's name, and perhaps `case`, which must count from 0.
extension WordReader {
  /// The longest line that is read: a tile's own, its debug columns included, is far shorter.
  private static let longestLine = 1 << 26

  private func table() throws(TensorIOError) -> Form {
    let header = Self.cells(try textLine() ?? []).map { String(decoding: $0, as: UTF8.self) }
    var columns: [Int] = []
    for field in layout.fields {
      guard let column = header.firstIndex(of: field.name) else {
        throw VectorFolder.bad(path, "line 1: no column \"\(field.name)\"")
      }
      guard header.lastIndex(of: field.name) == column else {
        throw VectorFolder.bad(
          path, "line 1: two columns \"\(field.name)\"", expected: "one for each field")
      }
      columns.append(column)
    }
    return .table(
      columns: columns, number: header.firstIndex(of: "case"), count: header.count)
  }

  private func tableWord(
    _ columns: [Int], _ number: Int?, _ count: Int
  ) throws(TensorIOError) -> [UInt8]? {
    guard let text = try textLine() else { return nil }
    let cells = Self.cells(text)
    let label = "line \(line - 1)"
    guard cells.count == count else {
      throw VectorFolder.bad(path, "\(label): \(cells.count) cells", expected: "\(count)")
    }
    if let number, Int(String(decoding: cells[number], as: UTF8.self)) != self.count {
      throw VectorFolder.bad(path, "\(label): not case \(self.count)")
    }
    return try digits.word(columns.map { Array(cells[$0]) }, layout, label)
  }

  /// A line without its end; nil behind the last one.
  private func textLine() throws(TensorIOError) -> [UInt8]? {
    guard try reader.peek() != nil else { return nil }
    var text: [UInt8] = []
    while let byte = try reader.next(), byte != 0x0A {
      guard text.count < Self.longestLine else {
        throw VectorFolder.bad(path, "line \(line): longer than \(Self.longestLine) bytes")
      }
      text.append(byte)
    }
    line += 1
    if text.last == 0x0D { text.removeLast() }
    return text
  }

  private static func cells(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    text.split(separator: 0x2C, omittingEmptySubsequences: false)
  }
}

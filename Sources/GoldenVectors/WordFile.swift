import TensorIO

/// Packed words of one file, each `layout.bytes` bytes, little-endian.
public struct WordFile: Sendable {
  public let path: String
  public let layout: WordLayout
  private var bytes: [UInt8] = []
  public private(set) var count = 0

  /// A word's bytes.
  func word(_ index: Int) -> [UInt8] {
    Array(bytes[(index * layout.bytes)..<((index + 1) * layout.bytes)])
  }

  /// A device's results: `.bin` and `.raw` are packed words, `.csv` has a column for each expected
  /// field, anything else is a memory file for `$readmemh`.
  ///
  /// - Parameter mask: bits that count; digits x and z are taken where none of theirs does.
  public init(results path: String, layout: WordLayout, mask: [UInt8]) throws(TensorIOError) {
    let data = try VectorFolder.bytes(path)
    let lower = path.lowercased()
    if lower.hasSuffix(".bin") || lower.hasSuffix(".raw") {
      try self.init(raw: data, path: path, layout: layout)
    } else if lower.hasSuffix(".csv") {
      try self.init(csv: data, path: path, layout: layout, mask: mask)
    } else {
      try self.init(memory: data, path: path, layout: layout, mask: mask)
    }
  }

  private init(raw data: [UInt8], path: String, layout: WordLayout) throws(TensorIOError) {
    self.path = path
    self.layout = layout
    guard data.count % layout.bytes == 0 else {
      throw VectorFolder.bad(
        path, "\(data.count) bytes", expected: "words of \(layout.bytes) bytes")
    }
    bytes = data
    count = data.count / layout.bytes
    for index in 0..<count { try checkSpare(word(index), "word \(index)") }
  }

  /// Words in hexadecimal between white space; `//` and `/* */` are comments, `_` is skipped, and an
  /// `@address` must be that of the next word.
  init(
    memory data: [UInt8], path: String, layout: WordLayout, mask: [UInt8] = []
  ) throws(TensorIOError) {
    self.path = path
    self.layout = layout
    var place = 0
    var line = 1
    var token: [UInt8] = []
    while place <= data.count {
      let byte = place < data.count ? data[place] : 0x0A
      let next = place + 1 < data.count ? data[place + 1] : 0
      let isComment = byte == UInt8(ascii: "/") && (next == byte || next == UInt8(ascii: "*"))
      if isComment || byte <= 0x20 {
        if !token.isEmpty { try take(token, "line \(line)", mask) }
        token = []
      }
      if isComment {
        let isBlock = next == UInt8(ascii: "*")
        place += 2
        while place < data.count {
          if !isBlock, data[place] == 0x0A { break }
          if isBlock, data[place] == UInt8(ascii: "*"), place + 1 < data.count,
            data[place + 1] == UInt8(ascii: "/")
          {
            place += 2
            break
          }
          if data[place] == 0x0A { line += 1 }
          place += 1
        }
        continue
      }
      if byte > 0x20 { token.append(byte) }
      if byte == 0x0A { line += 1 }
      place += 1
    }
  }

  private mutating func take(
    _ token: [UInt8], _ label: String, _ mask: [UInt8]
  ) throws(TensorIOError) {
    if token.first == UInt8(ascii: "@") {
      let text = String(decoding: token.dropFirst(), as: UTF8.self)
      guard Int(text, radix: 16) == count else {
        throw VectorFolder.bad(
          path, "\(label): address @\(text)", expected: "@\(String(count, radix: 16))")
      }
      return
    }
    try append(Array(token.filter { $0 != UInt8(ascii: "_") }), layout, label, mask)
    count += 1
  }

  /// Appends a hexadecimal number that fills `fields`.
  private mutating func append(
    _ digits: [UInt8], _ fields: WordLayout, _ label: String, _ mask: [UInt8]
  ) throws(TensorIOError) {
    guard digits.count == fields.digits else {
      throw VectorFolder.bad(
        path, "\(label): \(digits.count) digits", expected: "\(fields.digits) digits")
    }
    var word = [UInt8](repeating: 0, count: fields.bytes)
    for (place, digit) in digits.reversed().enumerated() {
      let value: UInt8
      switch digit {
      case 0x30...0x39: value = digit - 0x30
      case 0x61...0x66: value = digit - 0x57
      case 0x41...0x46: value = digit - 0x37
      case UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "z"), UInt8(ascii: "Z"):
        let counts = place / 2 < mask.count ? mask[place / 2] >> UInt8(place % 2 * 4) & 15 : 15
        guard counts == 0 else {
          throw VectorFolder.bad(
            path, "\(label): an x or z digit where bits count", expected: "hexadecimal digits")
        }
        value = 0
      default:
        throw VectorFolder.bad(
          path, "\(label): \"\(String(decoding: digits, as: UTF8.self))\"",
          expected: "hexadecimal digits")
      }
      word[place / 2] |= value << UInt8(place % 2 * 4)
    }
    if fields.width == layout.width { try checkSpare(word, label) }
    bytes += word
  }

  /// Bits above the word's width are zero.
  private func checkSpare(_ word: [UInt8], _ label: String) throws(TensorIOError) {
    let used = UInt8(layout.width % 8)
    guard used == 0 || (word.last ?? 0) >> used == 0 else {
      throw VectorFolder.bad(
        path, "\(label): bits above the word's \(layout.width) are set", expected: "zeros")
    }
  }

  /// A header with every expected field's name, and perhaps `case`, which must count from 0.
  private init(
    csv data: [UInt8], path: String, layout: WordLayout, mask: [UInt8]
  ) throws(TensorIOError) {
    self.path = path
    self.layout = layout
    let lines = data.split(separator: 0x0A, omittingEmptySubsequences: false)
      .map { $0.last == 0x0D ? $0.dropLast() : $0 }
    let header = (lines.first ?? []).split(separator: 0x2C, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    var columns: [Int] = []
    for field in layout.fields {
      guard let column = header.firstIndex(of: field.name) else {
        throw VectorFolder.bad(path, "line 1: no column \"\(field.name)\"")
      }
      columns.append(column)
    }
    let numbers = header.firstIndex(of: "case")
    for (index, line) in lines.enumerated().dropFirst() {
      if line.isEmpty, index == lines.count - 1 { break }
      let cells = line.split(separator: 0x2C, omittingEmptySubsequences: false)
      guard cells.count == header.count else {
        throw VectorFolder.bad(
          path, "line \(index + 1): \(cells.count) cells", expected: "\(header.count)")
      }
      if let numbers, Int(String(decoding: cells[numbers], as: UTF8.self)) != count {
        throw VectorFolder.bad(path, "line \(index + 1): not case \(count)")
      }
      try take(cells: columns.map { Array(cells[$0]) }, "line \(index + 1)", mask)
    }
  }

  private mutating func take(
    cells: [[UInt8]], _ label: String, _ mask: [UInt8]
  ) throws(TensorIOError) {
    var lanes: [UInt64] = []
    let all = mask.isEmpty ? [] : layout.unpack(mask)
    for (cell, field) in zip(cells, layout.fields) {
      let alone = WordLayout(fields: [
        VectorField(name: field.name, lsb: 0, lanes: field.lanes, laneWidth: field.laneWidth)
      ])
      var part = WordFile(path: path, layout: alone)
      var bits: [UInt8] = []
      if !all.isEmpty {
        alone.pack(Array(all[lanes.count..<(lanes.count + field.lanes)]), into: &bits)
      }
      try part.append(cell, alone, "\(label), \(field.name)", bits)
      lanes += alone.unpack(part.bytes)
    }
    var word: [UInt8] = []
    layout.pack(lanes, into: &word)
    bytes += word
    count += 1
  }

  private init(path: String, layout: WordLayout) {
    self.path = path
    self.layout = layout
  }
}

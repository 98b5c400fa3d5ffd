import TensorIO

/// Reads hexadecimal numbers of a known width.
struct HexadecimalDigits {
  let path: String
  /// Bits that count, of the whole word; empty: all of them.
  let mask: [UInt8]

  /// A number that fills `layout`, as little-endian bytes.
  func word(
    _ digits: [UInt8], _ layout: WordLayout, _ label: String
  ) throws(TensorIOError) -> [UInt8] {
    try word(digits, layout, label, counting: mask)
  }

  /// A number for each field, as one packed word.
  func word(
    _ cells: [[UInt8]], _ layout: WordLayout, _ label: String
  ) throws(TensorIOError) -> [UInt8] {
    var lanes: [UInt64] = []
    let all = mask.isEmpty ? [] : layout.unpack(mask)
    for (cell, field) in zip(cells, layout.fields) {
      let alone = WordLayout(fields: [
        VectorField(name: field.name, lsb: 0, lanes: field.lanes, laneWidth: field.laneWidth)
      ])
      var bits: [UInt8] = []
      if !all.isEmpty {
        alone.pack(Array(all[lanes.count..<(lanes.count + field.lanes)]), into: &bits)
      }
      let name = "\(label), \(field.name)"
      let part = try word(cell, alone, name, counting: bits)
      try checkSpare(part, alone, name)
      lanes += alone.unpack(part)
    }
    var packed: [UInt8] = []
    layout.pack(lanes, into: &packed)
    return packed
  }

  /// Bits above the word's width are zero.
  func checkSpare(
    _ word: [UInt8], _ layout: WordLayout, _ label: String
  ) throws(TensorIOError) {
    let used = UInt8(layout.width % 8)
    guard used == 0 || (word.last ?? 0) >> used == 0 else {
      throw VectorFolder.bad(
        path, "\(label): bits above the word's \(layout.width) are set", expected: "zeros")
    }
  }

  private func word(
    _ digits: [UInt8], _ layout: WordLayout, _ label: String, counting mask: [UInt8]
  ) throws(TensorIOError) -> [UInt8] {
    guard digits.count == layout.digits else {
      let most = digits.count > layout.digits + 16 ? "more than " : ""
      throw VectorFolder.bad(
        path, "\(label): \(most)\(digits.count) digits", expected: "\(layout.digits) digits")
    }
    var word = [UInt8](repeating: 0, count: layout.bytes)
    var place = digits.count
    for digit in digits {
      place -= 1
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
        let shown = String(decoding: digits.prefix(64), as: UTF8.self)
        throw VectorFolder.bad(
          path, "\(label): \"\(shown)\"", expected: "hexadecimal digits")
      }
      word[place / 2] |= value << UInt8(place % 2 * 4)
    }
    return word
  }
}

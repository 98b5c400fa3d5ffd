import TensorIO
import Testing

@Suite struct CodePackingTests {
  private func pack(_ codes: [UInt8], _ packing: CodePacking, _ block: Int = 1) -> [UInt8] {
    var bytes = [UInt8](
      repeating: 0xEE, count: packing.rowBytes(columns: codes.count, splitBlock: block))
    codes.withUnsafeBytes { source in
      bytes.withUnsafeMutableBytes { packing.pack(source, splitBlock: block, into: $0) }
    }
    return bytes
  }

  private func unpack(
    _ bytes: [UInt8], _ packing: CodePacking, _ block: Int, _ columns: Range<Int>, of count: Int
  ) -> [UInt8] {
    var codes = [UInt8](repeating: 0xEE, count: columns.count)
    bytes.withUnsafeBytes { source in
      codes.withUnsafeMutableBytes {
        packing.unpack(
          source, columns: columns, rowLength: count, splitBlock: block, into: $0)
      }
    }
    return codes
  }

  @Test("Each packing puts the nibbles where its stacks look for them")
  func knownBytes() {
    #expect(pack([1, 2, 3, 4, 5], .low) == [0x21, 0x43, 0x05])
    #expect(pack([1, 2, 3, 4, 5], .high) == [0x12, 0x34, 0x50])
    #expect(pack([1, 2, 3, 4, 5, 6, 7, 8], .split, 4) == [0x31, 0x42, 0x75, 0x86])
    // ggml's block of 32: qs[j] holds x[j] below and x[j + 16] above.
    let block = (0..<32).map { UInt8($0 % 16 ^ $0 / 16) }
    #expect(
      pack(block, .split, 32) == (0..<16).map { block[$0] | block[$0 + 16] << 4 })
    // An odd tail: 3 codes after a block of 4, and a lone code.
    #expect(pack([1, 2, 3, 4, 5, 6, 7], .split, 4) == [0x31, 0x42, 0x75, 0x06])
    #expect(pack([1, 2, 3, 4, 5], .split, 4) == [0x31, 0x42, 0x05])
    #expect(pack([1, 2, 3, 4], .split, 3) == [0x31, 0x02, 0x04])
    #expect(pack([0xF7, 0xF8], .low) == [0x87])
    #expect(pack([9, 200], .none) == [9, 200])
  }

  @Test("Unpacking any part of a packed row gives its codes back", arguments: CodePacking.allCases)
  func roundTrip(packing: CodePacking) {
    var random = SplitMix(state: 3)
    for count in 0...35 {
      for block in packing == .split ? [1, 2, 3, 5, 8, 16, 32, 35] : [1] {
        let codes = (0..<count).map { _ in UInt8.random(in: 0..<16, using: &random) }
        let bytes = pack(codes, packing, block)
        for start in 0...count {
          let end = Int.random(in: start...count, using: &random)
          let part = unpack(bytes, packing, block, start..<end, of: count)
          #expect(
            part == Array(codes[start..<end]),
            "\(packing) block \(block): \(start)..<\(end) of \(codes), packed \(bytes)")
        }
      }
    }
  }
}

@Suite struct ScaleLayoutTests {
  @Test("The 128x4 layout walks rows in steps of 16 bytes, quarters of 128 in steps of 4")
  func knownOffsets() {
    let layout = ScaleLayout.swizzled128x4
    let cases: [(row: Int, column: Int, offset: Int)] = [
      (0, 0, 0), (0, 3, 3), (1, 0, 16), (31, 0, 496), (32, 0, 4), (64, 1, 9), (127, 3, 511),
      (0, 4, 512), (128, 0, 1536), (129, 5, 2065),
    ]
    for item in cases {
      #expect(layout.offset(row: item.row, column: item.column, columns: 9) == item.offset)
    }
    #expect(layout.storedShape(rows: 129, columns: 9) == (256, 12))
  }

  @Test("Arranging pads with zeros, and restoring gives the scales back")
  func roundTrip() {
    for rows in [0, 1, 31, 32, 127, 128, 129, 300] {
      for columns in [1, 3, 4, 5, 9] {
        let scales = (0..<(rows * columns)).map { UInt8($0 % 255 + 1) }
        let stored = ScaleLayout.swizzled128x4.arrange(scales, rows: rows, columns: columns)
        #expect(stored.count == (rows + 127) / 128 * 128 * ((columns + 3) / 4 * 4))
        #expect(stored.filter { $0 != 0 }.count == scales.count)
        #expect(
          ScaleLayout.swizzled128x4.restore(stored, rows: rows, columns: columns) == scales)
        #expect(ScaleLayout.linear.arrange(scales, rows: rows, columns: columns) == scales)
      }
    }
  }
}

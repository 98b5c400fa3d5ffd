/// How codes of at most 4 bits lie in bytes, row by row along the last axis.
///
/// | packing | byte j of a row | used by |
/// |---|---|---|
/// | none | code j | `--unpacked`, and every wider code |
/// | low | code 2j below, code 2j+1 above | most stacks |
/// | high | code 2j above, code 2j+1 below | ModelOpt's INT4 |
/// | split | in a block of N: code j below, code j+N/2 above | ggml |
///
/// Each row starts a new byte; the nibble behind an odd end is 0. A `split` block of n codes (the
/// last one of a row may be shorter, and n may be odd) takes ⌈n/2⌉ bytes: the first ⌈n/2⌉ codes lie
/// below, the rest above. Source: spec/recipes.md sections 3.2, 3.6 and 3.9.
public enum CodePacking: String, Sendable, Hashable, CaseIterable {
  case none, low, high, split

  /// Bytes of a row of `columns` one-byte codes.
  ///
  /// - Parameter splitBlock: N of `split`, at least 1; the others ignore it.
  public func rowBytes(columns: Int, splitBlock: Int) -> Int {
    switch self {
    case .none: return columns
    case .low, .high: return columns / 2 + columns % 2
    case .split:
      let (whole, rest) = columns.quotientAndRemainder(dividingBy: max(1, splitBlock))
      return whole * ((max(1, splitBlock) + 1) / 2) + (rest + 1) / 2
    }
  }

  /// Packs one row of codes, one per byte; bits above the fourth are dropped.
  ///
  /// - Parameter bytes: room for `rowBytes(columns: codes.count, splitBlock:)` bytes.
  public func pack(
    _ codes: UnsafeRawBufferPointer, splitBlock: Int, into bytes: UnsafeMutableRawBufferPointer
  ) {
    switch self {
    case .none: bytes.copyMemory(from: codes)
    case .low, .high:
      let (evenShift, oddShift): (UInt8, UInt8) = self == .low ? (0, 4) : (4, 0)
      for index in 0..<(codes.count / 2) {
        bytes[index] =
          (codes[2 &* index] & 15) &<< evenShift | (codes[2 &* index &+ 1] & 15) &<< oddShift
      }
      if let last = codes.last, codes.count % 2 == 1 {
        bytes[codes.count / 2] = (last & 15) &<< evenShift
      }
    case .split:
      var byte = 0
      for start in stride(from: 0, to: codes.count, by: max(1, splitBlock)) {
        let count = min(max(1, splitBlock), codes.count - start)
        let half = (count + 1) / 2
        for index in 0..<half {
          let above = half + index < count ? codes[start + half + index] & 15 : 0
          bytes[byte + index] = codes[start + index] & 15 | above << 4
        }
        byte += half
      }
    }
  }

  /// Unpacks part of one row.
  ///
  /// - Parameters:
  ///   - bytes: the whole packed row.
  ///   - columns: which of its codes are wanted.
  ///   - rowLength: how many codes the row holds.
  ///   - codes: room for `columns.count` bytes.
  public func unpack(
    _ bytes: UnsafeRawBufferPointer, columns: Range<Int>, rowLength: Int, splitBlock: Int,
    into codes: UnsafeMutableRawBufferPointer
  ) {
    let first = columns.lowerBound
    switch self {
    case .none:
      codes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[columns]))
    case .low, .high:
      let flip = self == .low ? 0 : 1
      for column in columns {
        let shift = UInt8(truncatingIfNeeded: (column ^ flip) & 1) &<< 2
        codes[column &- first] = bytes[column &>> 1] &>> shift & 15
      }
    case .split:
      let size = max(1, splitBlock)
      for column in columns {
        let (block, index) = column.quotientAndRemainder(dividingBy: size)
        let half = (min(size, rowLength - block * size) + 1) / 2
        let start = block * ((size + 1) / 2)
        codes[column - first] =
          index < half ? bytes[start + index] & 15 : bytes[start + index - half] >> 4
      }
    }
  }
}

import CBlockKernels
import NumberFormats

/// What a whole operand's scaled values look like, line by line.
///
/// A value is a_k·s_k, exact in float64. Positions count bits upwards from 2^−298
/// (`BK_EXACT_POINT`).
struct ExactLines {
  /// The position of the lowest one of each line; 0 where all is zero.
  private(set) var lowest: [Int32]
  /// Positions from the lowest to the highest one, 0 to 554.
  private(set) var width: [Int]
  /// Whether a line holds NaN or infinity.
  private(set) var isSpecial: [Bool]
  /// The lines by falling width, so that those of wide range meet in few tiles.
  private(set) var order: [Int]

  /// Lines of at most this many positions make, with others like them, sums of two words.
  static let narrow = 57
  static let words = Int(BK_EXACT_WORDS)

  init(_ operand: UnsafePointer<bk_operand>, target: Int32) {
    let lines = Int(operand.pointee.lines)
    let depth = Int(operand.pointee.depth)
    lowest = Array(repeating: 0, count: lines)
    width = Array(repeating: 0, count: lines)
    isSpecial = Array(repeating: false, count: lines)
    order = Array(0..<lines)
    let piece = 4096
    let values = UnsafeMutablePointer<Double>.allocate(capacity: min(piece, max(1, depth)))
    defer { values.deallocate() }
    for line in 0..<lines {
      var bits = [UInt64](repeating: 0, count: Self.words)
      for start in stride(from: 0, to: depth, by: piece) {
        let count = min(piece, depth - start)
        bk_exact_values(target, operand, Int64(line), Int64(start), Int64(count), values)
        if bk_exact_bits(values, Int64(count), &bits) != 0 { isSpecial[line] = true }
      }
      guard let first = bits.firstIndex(where: { $0 != 0 }),
        let last = bits.lastIndex(where: { $0 != 0 })
      else { continue }
      let low = 64 * first + bits[first].trailingZeroBitCount
      lowest[line] = Int32(low)
      width[line] = 64 * last + 64 - bits[last].leadingZeroBitCount - low
    }
    let width = width
    order.sort { width[$0] != width[$1] ? width[$0] > width[$1] : $0 < $1 }
  }

  /// Cuts `order` into ranges, none with both wide and narrow lines.
  ///
  /// - Parameter limit: how many lines a range may hold whose widest has this width.
  func bands(limit: (_ width: Int) -> Int) -> [Range<Int>] {
    let wide = order.firstIndex { width[$0] <= Self.narrow } ?? order.count
    var bands: [Range<Int>] = []
    var start = 0
    while start < order.count {
      let end = min(start + limit(width[order[start]]), start < wide ? wide : order.count)
      bands.append(start..<end)
      start = end
    }
    return bands
  }
}

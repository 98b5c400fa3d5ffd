import CBlockKernels
import NumberFormats

/// Some lines of an operand over some k: their values, and these cut into slices of few bits.
///
/// A slice of a value is the signed integer that its bits at `width` neighbouring positions make.
/// Each line is cut where its own ones are, so that gaps cost nothing and a line of wide range
/// costs only itself: slot s holds the lines that have more than s slices.
final class ExactTile {
  struct Slot {
    /// Index within the tile, and where the slice starts above the line's lowest one.
    var line: [Int32] = []
    var shift: [Int32] = []
    fileprivate var position: [Int32] = []
  }

  private let operand: UnsafePointer<bk_operand>
  private let target: Int32
  let lines: ExactLines
  private(set) var values: [Double] = []
  private var bits: [UInt64] = []
  /// Lines of the operand.
  private(set) var members: ArraySlice<Int> = []
  private(set) var depth = 0
  private(set) var slots: [Slot] = []
  /// 0 where the lines are not cut.
  private(set) var width = 0

  init(_ operand: UnsafePointer<bk_operand>, _ lines: ExactLines, target: Int32) {
    self.operand = operand
    self.lines = lines
    self.target = target
  }

  /// Reads the lines of `range` in the operand's order, at `k`.
  func read(_ range: Range<Int>, k: Range<Int>) {
    members = lines.order[range]
    depth = k.count
    width = 0
    if values.count < range.count * depth {
      values = Array(repeating: 0, count: range.count * depth)
    }
    bits = Array(repeating: 0, count: range.count * ExactLines.words)
    values.withUnsafeMutableBufferPointer { values in
      bits.withUnsafeMutableBufferPointer { bits in
        guard var value = values.baseAddress, var bit = bits.baseAddress else { return }
        for line in members {
          bk_exact_values(
            target, operand, Int64(line), Int64(k.lowerBound), Int64(depth), value)
          _ = bk_exact_bits(value, Int64(depth), bit)
          value += depth
          bit += ExactLines.words
        }
      }
    }
  }

  /// How many slices the lines have together, for each width from 0 to `limit`; at width 0 a
  /// number that no choice prefers.
  func sliceCounts(limit: Int) -> [Int] {
    bits.withUnsafeBufferPointer { bits in
      guard let first = bits.baseAddress else { return Array(repeating: 0, count: limit + 1) }
      return (0...limit).map { width in
        guard width > 0 else { return Int(Int32.max) }
        var sum = 0
        for index in 0..<members.count {
          sum += Int(bk_exact_cut(first + index * ExactLines.words, Int32(width), nil))
        }
        return sum
      }
    }
  }

  /// Cuts the lines into slices of `width` positions.
  func cut(_ width: Int) {
    guard width != self.width else { return }
    self.width = width
    slots = []
    var positions = [Int32](repeating: 0, count: 64 * ExactLines.words)
    bits.withUnsafeBufferPointer { bits in
      guard let first = bits.baseAddress else { return }
      for (index, line) in members.enumerated() {
        let count = Int(bk_exact_cut(first + index * ExactLines.words, Int32(width), &positions))
        while slots.count < count { slots.append(Slot()) }
        for slot in 0..<count {
          slots[slot].line.append(Int32(index))
          slots[slot].position.append(positions[slot])
          slots[slot].shift.append(positions[slot] - lines.lowest[line])
        }
      }
    }
  }

  /// The slices of one slot, a row for each of its lines.
  func slices(_ slot: Int, into buffer: inout [Double]) {
    let slot = slots[slot]
    if buffer.count < slot.line.count * depth {
      buffer = Array(repeating: 0, count: slot.line.count * depth)
    }
    buffer.withUnsafeMutableBufferPointer { buffer in
      values.withUnsafeBufferPointer { values in
        guard var row = buffer.baseAddress, let first = values.baseAddress else { return }
        for (line, position) in zip(slot.line, slot.position) {
          bk_exact_slice(
            target, first + Int(line) * depth, Int64(depth), position, Int32(width), row)
          row += depth
        }
      }
    }
  }
}

extension ExactTile.Slot {
  /// The kernels' view of the slot's lines.
  func withList<R>(_ body: (UnsafePointer<bk_exact_list>) -> R) -> R {
    line.withUnsafeBufferPointer { line in
      shift.withUnsafeBufferPointer { shift in
        var list = bk_exact_list(
          line: line.baseAddress, shift: shift.baseAddress, count: Int64(line.count))
        return body(&list)
      }
    }
  }
}

/// Why a cost cannot be told.
public enum HardwareCostError: Error, Sendable, Hashable {
  case unreadable(file: String, reason: String)
  /// Not JSON5, not CSV, or a field of the wrong type.
  case malformed(file: String, reason: String)
  /// A row that means nothing: an unknown name, a number out of range.
  case badRow(file: String, row: String, reason: String)
  /// An accumulator that could not hold the carries of a block.
  case narrowAccumulator(format: String, block: Int, bits: Int, least: Int)
}

extension HardwareCostError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .malformed(let file, let reason): "\(file): not a table of gates: \(reason)"
    case .badRow(let file, let row, let reason): "\(file): row \"\(row)\": \(reason)"
    case .narrowAccumulator(let format, let block, let bits, let least):
      "\(format), blocks of \(block): an accumulator of \(bits) bits cannot hold the sum;"
        + " expected \(least) or more"
    }
  }
}

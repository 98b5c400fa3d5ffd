import NumberFormats

/// Bits of the accumulator that holds a block's sum.
public enum AccumulatorWidth: Sendable, Hashable {
  /// As many as the exact sum needs.
  case exact
  /// At most this many: the products lose low bits where the exact sum needs more.
  case bits(Int)

  /// Reads `exact` or a number of bits, 2 or more; nil otherwise.
  public init?(_ text: String) {
    if text.lowercased() == "exact" {
      self = .exact
    } else if let bits = Int(text), bits >= 2 {
      self = .bits(bits)
    } else {
      return nil
    }
  }
}

/// The tile of results that a matrix unit keeps while K runs: rows of A × columns of B. Each operand is
/// fetched once for the tile.
public struct ResultTile: Sendable, Hashable {
  public var rows: Int
  public var columns: Int

  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// Reads `RxC`, both 1 or more; nil otherwise.
  public init?(_ text: String) {
    guard case .tile(let rows, let columns) = BlockShape(text) else { return nil }
    self.init(rows: rows, columns: columns)
  }
}

extension ResultTile: CustomStringConvertible {
  public var description: String { "\(rows)x\(columns)" }
}

/// What a cost is asked for, beside the format and its block.
public struct CostQuery: Sendable, Hashable {
  public var accumulator: AccumulatorWidth
  /// The most products that one engine takes at once. A larger block takes several steps, and as many
  /// engines share its scaling and its joining.
  public var lanes: Int
  public var tile: ResultTile
  /// K, the length of the axis that blocks run along: the block of formats scaled by axis or tensor.
  public var length: Int

  public init(
    accumulator: AccumulatorWidth = .exact, lanes: Int = 128,
    tile: ResultTile = ResultTile(rows: 128, columns: 128), length: Int = 4096
  ) {
    self.accumulator = accumulator
    self.lanes = lanes
    self.tile = tile
    self.length = length
  }
}

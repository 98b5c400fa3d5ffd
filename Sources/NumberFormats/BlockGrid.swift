/// Why a tensor cannot be cut into blocks as asked.
public enum BlockGridError: Error, Sendable, Hashable {
  /// `axis` is not in −rank ..< rank.
  case axisOutOfRange(axis: Int, rank: Int)
  /// A tile needs at least two axes.
  case tileNeedsTwoAxes(rank: Int)
  /// Block sizes start at 1.
  case emptyBlock
}

extension BlockGridError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .axisOutOfRange(let axis, let rank):
      "axis \(axis) is outside a tensor of rank \(rank) (expected \(-rank) to \(rank - 1))"
    case .tileNeedsTwoAxes(let rank):
      "a tile lies on the last two axes, and the tensor has rank \(rank)"
    case .emptyBlock: "a block size is at least 1"
    }
  }
}

/// A tensor cut into blocks: `outer` matrices of `rows` × `columns` in row-major order, each cut
/// into tiles of `tileRows` × `tileColumns`, clipped at the right and bottom edges.
///
/// Every block shape is such a tiling. Runs along the last axis are 1 × Q_b tiles; runs along
/// another axis are Q_b × 1 tiles of the matrix (axis length) × (product of the axes behind it);
/// per-tensor is one tile. Blocks never straddle lines.
public struct BlockGrid: Sendable, Hashable {
  public var shape: [Int]
  /// The axis the block runs along, counted from 0.
  public var axis: Int
  public var block: BlockShape
  public var outer: Int
  public var rows: Int
  public var columns: Int
  public var tileRows: Int
  public var tileColumns: Int

  /// - Parameters:
  ///   - shape: lengths of the axes, row-major; an empty shape is a single number.
  ///   - axis: the axis along which blocks run, negative from the end. Ignored for tiles.
  ///   - block: a size longer than the axis is one short block.
  public init(shape: [Int], axis: Int = -1, block: BlockShape) throws(BlockGridError) {
    let lengths = shape.isEmpty ? [1] : shape
    let rank = lengths.count
    guard axis >= -rank, axis < rank else {
      throw .axisOutOfRange(axis: axis, rank: shape.count)
    }
    let position = axis < 0 ? axis + rank : axis
    let count = lengths.reduce(1, *)
    let behind = lengths[(position + 1)...].reduce(1, *)
    let length = lengths[position]
    self.shape = shape
    self.axis = position
    self.block = block
    outer = lengths[..<position].reduce(1, *)
    rows = length
    columns = behind
    tileColumns = 1
    switch block {
    case .line(let size):
      guard size >= 1 else { throw .emptyBlock }
      tileRows = max(1, min(size, length))
    case .axis:
      tileRows = max(1, length)
    case .tile(let tileHeight, let tileWidth):
      guard tileHeight >= 1, tileWidth >= 1 else { throw .emptyBlock }
      guard rank >= 2 else { throw .tileNeedsTwoAxes(rank: rank) }
      self.axis = rank - 1
      outer = lengths[..<(rank - 2)].reduce(1, *)
      rows = lengths[rank - 2]
      columns = lengths[rank - 1]
      tileRows = max(1, min(tileHeight, rows))
      tileColumns = max(1, min(tileWidth, columns))
      return
    case .tensor:
      outer = 1
      rows = 1
      columns = count
      tileRows = 1
      tileColumns = max(1, count)
      return
    }
    if behind == 1 {
      // Lines along the last axis: make them rows, so that a block is contiguous.
      rows = outer
      columns = length
      outer = 1
      tileColumns = tileRows
      tileRows = 1
    }
  }

  public var elementCount: Int { outer * rows * columns }
  /// Blocks down and across one matrix.
  public var blockRows: Int { rows == 0 ? 0 : (rows + tileRows - 1) / tileRows }
  public var blockColumns: Int { columns == 0 ? 0 : (columns + tileColumns - 1) / tileColumns }
  public var blockCount: Int { outer * blockRows * blockColumns }

  /// The shape of the scales: the tensor's with the axis divided by Q_b, rounded up (both of the
  /// last two axes for tiles); `[1]` for per-tensor (`[0]` for a tensor without elements). Its row-major order is the order of blocks.
  public var scaleShape: [Int] {
    switch block {
    case .tensor: return [blockCount]
    case .tile:
      return Array(shape.dropLast(2)) + [blockRows, blockColumns]
    case .line, .axis:
      guard !shape.isEmpty else { return [1] }
      var result = shape
      let size = tileRows * tileColumns
      result[axis] = (shape[axis] + size - 1) / size
      return result
    }
  }

  /// Row-major index of the block that holds the element at row-major `index`.
  public func blockIndex(ofElement index: Int) -> Int {
    let (row, column) = index.quotientAndRemainder(dividingBy: columns)
    let (matrix, line) = row.quotientAndRemainder(dividingBy: rows)
    return (matrix * blockRows + line / tileRows) * blockColumns + column / tileColumns
  }

  /// The number of elements of the block at row-major `index`, clipped at the edges.
  public func elementCount(ofBlock index: Int) -> Int {
    let (line, blockColumn) = index.quotientAndRemainder(dividingBy: blockColumns)
    let blockRow = line % blockRows
    return min(tileRows, rows - blockRow * tileRows)
      * min(tileColumns, columns - blockColumn * tileColumns)
  }
}

import NumberFormats

/// A run of a tensor in row-major order that an engine takes in one call.
struct TensorPiece: Sendable, Hashable {
  /// The piece as a grid of its own.
  var grid: BlockGrid
  /// Its elements and its blocks in the tensor.
  var elements: Range<Int>
  var blocks: Range<Int>
}

/// Consecutive pieces that are read together.
struct PieceBatch: Sendable, Hashable {
  var pieces: Range<Int>
  var elements: Range<Int>
  var blocks: Range<Int>
}

/// A tensor cut for streaming and for threads. The cuts depend on the grid alone.
struct TensorPieces: Sendable, Hashable {
  /// Elements of a piece, where its blocks are no larger.
  static let pieceSize = 1 << 16
  /// Elements read together; larger blocks are split.
  static let batchSize = 1 << 20

  var pieces: [TensorPiece] = []
  var batches: [PieceBatch] = []
  /// Whether blocks are split, so that their scales must be known before.
  var splitsBlocks = false

  /// - Parameter maySplitBlocks: false keeps every block whole, whatever memory that takes.
  init(_ grid: BlockGrid, maySplitBlocks: Bool) {
    let band = grid.tileRows * grid.columns
    if grid.elementCount == 0 { return }
    if band <= Self.batchSize {
      append(grid.slabs(maximumElements: Self.pieceSize))
    } else if grid.tileRows == 1, maySplitBlocks || grid.tileColumns <= Self.batchSize {
      splitRows(of: grid)
    } else if maySplitBlocks {
      splitBands(of: grid)
    } else {
      append(grid.slabs(maximumElements: Self.pieceSize))
    }
    formBatches()
  }

  private mutating func append(_ slabs: [BlockGridSlab]) {
    pieces += slabs.map { TensorPiece(grid: $0.grid, elements: $0.elements, blocks: $0.blocks) }
  }

  /// Cuts long rows, between blocks where these are short enough.
  private mutating func splitRows(of grid: BlockGrid) {
    splitsBlocks = grid.tileColumns > Self.batchSize
    let step =
      splitsBlocks
      ? Self.pieceSize : max(1, Self.pieceSize / grid.tileColumns) * grid.tileColumns
    for row in 0..<(grid.outer * grid.rows) {
      for start in stride(from: 0, to: grid.columns, by: step) {
        let end = min(start + step, grid.columns)
        var part = grid
        part.outer = 1
        part.rows = 1
        part.columns = end - start
        part.tileColumns = min(grid.tileColumns, part.columns)
        let firstBlock = row * grid.blockColumns
        let first = row * grid.columns
        pieces.append(
          TensorPiece(
            grid: part, elements: (first + start)..<(first + end),
            blocks: (firstBlock + start / grid.tileColumns)..<(firstBlock + (end - 1)
              / grid.tileColumns + 1)))
      }
    }
  }

  /// Cuts tall blocks between rows.
  private mutating func splitBands(of grid: BlockGrid) {
    splitsBlocks = true
    let step = max(1, Self.pieceSize / grid.columns)
    for matrix in 0..<grid.outer {
      for row in stride(from: 0, to: grid.rows, by: grid.tileRows) {
        let bandEnd = min(row + grid.tileRows, grid.rows)
        let band = (matrix * grid.blockRows + row / grid.tileRows) * grid.blockColumns
        for start in stride(from: row, to: bandEnd, by: step) {
          let end = min(start + step, bandEnd)
          var part = grid
          part.outer = 1
          part.rows = end - start
          part.tileRows = part.rows
          let first = matrix * grid.rows * grid.columns
          pieces.append(
            TensorPiece(
              grid: part,
              elements: (first + start * grid.columns)..<(first + end * grid.columns),
              blocks: band..<(band + grid.blockColumns)))
        }
      }
    }
  }

  private mutating func formBatches() {
    var start = 0
    while start < pieces.count {
      let first = pieces[start].elements.lowerBound
      var end = start + 1
      while end < pieces.count, pieces[end].elements.upperBound - first <= Self.batchSize {
        end += 1
      }
      let last = pieces[end - 1]
      batches.append(
        PieceBatch(
          pieces: start..<end, elements: first..<last.elements.upperBound,
          blocks: pieces[start].blocks.lowerBound..<last.blocks.upperBound))
      start = end
    }
  }
}

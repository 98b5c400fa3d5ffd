/// A run of whole block rows of a grid, contiguous in the tensor's row-major order.
public struct BlockGridSlab: Sendable, Hashable {
  /// The slab as a grid of its own: `outer` matrices or, when one matrix is split, part of its rows.
  public var grid: BlockGrid
  /// Row-major indices of its elements in the tensor.
  public var elements: Range<Int>
  /// Indices of its blocks in the tensor's scales.
  public var blocks: Range<Int>
}

extension BlockGrid {
  /// Cuts the tensor into slabs of whole block rows, each of at most `maximumElements` elements
  /// where a single row of blocks fits, in row-major order.
  public func slabs(maximumElements: Int) -> [BlockGridSlab] {
    guard elementCount > 0 else { return [] }
    let matrix = rows * columns
    if matrix <= maximumElements { return slabsOfMatrices(max(1, maximumElements / matrix)) }
    var result: [BlockGridSlab] = []
    let bandsPerSlab = max(1, maximumElements / (tileRows * columns))
    for index in 0..<outer {
      for band in stride(from: 0, to: blockRows, by: bandsPerSlab) {
        let bands = min(bandsPerSlab, blockRows - band)
        let start = index * matrix + band * tileRows * columns
        let firstBlock = (index * blockRows + band) * blockColumns
        var part = self
        part.outer = 1
        part.rows = min(bands * tileRows, rows - band * tileRows)
        result.append(
          BlockGridSlab(
            grid: part, elements: start..<(start + part.rows * columns),
            blocks: firstBlock..<(firstBlock + bands * blockColumns)))
      }
    }
    return result
  }

  private func slabsOfMatrices(_ matrices: Int) -> [BlockGridSlab] {
    let matrix = rows * columns
    let blocks = blockRows * blockColumns
    return stride(from: 0, to: outer, by: matrices).map { index in
      var part = self
      part.outer = min(matrices, outer - index)
      return BlockGridSlab(
        grid: part, elements: (index * matrix)..<((index + part.outer) * matrix),
        blocks: (index * blocks)..<((index + part.outer) * blocks))
    }
  }
}

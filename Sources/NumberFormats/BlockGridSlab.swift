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
    var result: [BlockGridSlab] = []
    let bandElements = tileRows * columns
    let bandsPerSlab = max(1, maximumElements / bandElements)
    var element = 0
    var blockStart = 0
    for _ in 0..<outer {
      var band = 0
      while band < blockRows {
        let bands = min(bandsPerSlab, blockRows - band)
        var part = self
        part.outer = 1
        part.rows = min(bands * tileRows, rows - band * tileRows)
        let count = part.rows * columns
        let blocks = bands * blockColumns
        result.append(
          BlockGridSlab(
            grid: part, elements: element..<(element + count),
            blocks: blockStart..<(blockStart + blocks)))
        element += count
        blockStart += blocks
        band += bands
      }
    }
    return result
  }
}

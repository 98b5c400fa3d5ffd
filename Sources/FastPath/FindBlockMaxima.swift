import CBlockKernels
import KernelDescriptors
import NumberFormats

/// Finds the largest |x| of every block.
///
/// - Parameters:
///   - values: `grid.elementCount` numbers, row-major.
///   - maxima: room for `grid.blockCount` bit patterns of float32, in the order of the grid's blocks. As
///     unsigned integers are ordered, NaN's are above infinity's.
public func findBlockMaxima(
  _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, target: VectorTarget = .auto,
  into maxima: UnsafeMutableBufferPointer<UInt32>
) {
  precondition(values.count == grid.elementCount)
  find(UnsafeRawPointer(values.baseAddress), kernelGrid(grid), target, maxima)
}

/// Finds the largest |x| of every block from the maxima of smaller blocks.
///
/// - Parameters:
///   - smaller: the maxima of a grid of which `grid.isMade(of:)`, in its order.
///   - rows: the height of the smaller blocks.
///   - columns: their width.
///   - grid: the blocks wanted.
///   - maxima: room for `grid.blockCount` bit patterns, as of ``findBlockMaxima(_:grid:target:into:)``.
public func foldBlockMaxima(
  _ smaller: UnsafeBufferPointer<UInt32>, rows: Int, columns: Int, into grid: BlockGrid,
  target: VectorTarget = .auto, maxima: UnsafeMutableBufferPointer<UInt32>
) {
  // The smaller blocks are the elements.
  var folded = kernelGrid(grid)
  if grid.blockCount == 1 {
    let count = Int64(smaller.count)
    folded = bk_grid(outer: 1, rows: 1, columns: count, tile_rows: 1, tile_columns: count)
  } else {
    folded.rows = Int64((grid.rows + rows - 1) / rows)
    folded.columns = Int64((grid.columns + columns - 1) / columns)
    folded.tile_rows = Int64((grid.tileRows + rows - 1) / rows)
    folded.tile_columns = Int64((grid.tileColumns + columns - 1) / columns)
    precondition(Int64(smaller.count) == folded.outer * folded.rows * folded.columns)
  }
  find(UnsafeRawPointer(smaller.baseAddress), folded, target, maxima)
}

private func find(
  _ numbers: UnsafeRawPointer?, _ grid: bk_grid, _ target: VectorTarget,
  _ maxima: UnsafeMutableBufferPointer<UInt32>
) {
  guard let numbers, grid.outer * grid.rows * grid.columns > 0 else { return }
  var grid = grid
  bk_block_maxima(target.raw, &grid, numbers, maxima.baseAddress)
}

extension BlockGrid {
  /// Whether the blocks, clipped ones included, are made of whole blocks of a grid over the same tensor.
  public func isMade(of smaller: BlockGrid) -> Bool {
    guard elementCount == smaller.elementCount, elementCount > 0 else { return false }
    if blockCount == 1 { return true }
    // One-row blocks do not mind where matrices end.
    guard columns == smaller.columns, smaller.tileRows == 1 || rows == smaller.rows else {
      return false
    }
    return (blockRows == 1 || tileRows % smaller.tileRows == 0)
      && (blockColumns == 1 || tileColumns % smaller.tileColumns == 0)
  }
}

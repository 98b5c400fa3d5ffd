import CBlockKernels

/// The largest |x| and Σx² of the blocks of one row of blocks: lines of equal length, cut at the same
/// columns. Summed per line in eight fixed lanes and over the lines in order: the same bits for every
/// instruction set.
public struct BlockMoments: Sendable, Equatable {
  /// The largest |x| of each block; NaN ignored.
  public let amax: [Float]
  /// Σx² of each block, in double; NaN or infinite where an x is.
  public let sumSquares: [Double]
  /// Lines: the height of the blocks.
  public let rows: Int
  /// Elements in a line.
  public let columns: Int
  /// The width of a block; the last of the row may be narrower.
  public let tileColumns: Int

  /// Computes the moments of the blocks in a row of blocks.
  ///
  /// - Parameters:
  ///   - x: The lines, one behind the other.
  ///   - rows: How many lines, at least 1.
  ///   - tileColumns: The width of a block, at least 1.
  ///   - target: The instruction set.
  public init(
    x: UnsafeBufferPointer<Float>, rows: Int = 1, tileColumns: Int,
    target: KernelTarget = .automatic
  ) {
    self.init(x: x, rows: rows, tileColumns: tileColumns, maxima: nil, target: target)
  }

  /// The same where the blocks' maxima are known.
  ///
  /// - Parameter maxima: the bits of the largest |x| of each block. NaN's, which may be above all others,
  ///   become the block's amax, where nil ignores them.
  init(
    x: UnsafeBufferPointer<Float>, rows: Int, tileColumns: Int,
    maxima: UnsafeBufferPointer<UInt32>?, target: KernelTarget
  ) {
    precondition(tileColumns > 0 && rows > 0 && x.count % rows == 0)
    self.tileColumns = tileColumns
    self.rows = rows
    columns = x.count / rows
    let columns = columns
    let count = x.isEmpty ? 0 : (columns - 1) / tileColumns + 1
    var sums = [Double](repeating: 0, count: count)
    if let maxima {
      precondition(maxima.count == count)
      if let base = x.baseAddress {
        bk_block_moments(base, rows, columns, tileColumns, nil, &sums, target.code)
      }
      amax = maxima.map { Float(bitPattern: $0) }
      sumSquares = sums
      return
    }
    amax = [Float](unsafeUninitializedCapacity: count) { amax, filled in
      if let base = x.baseAddress, let out = amax.baseAddress {
        bk_block_moments(base, rows, columns, tileColumns, out, &sums, target.code)
      }
      filled = count
    }
    sumSquares = sums
  }

  /// Elements of block `index`: its lines times its width.
  public func length(of index: Int) -> Int {
    rows * min(tileColumns, columns - index * tileColumns)
  }
}

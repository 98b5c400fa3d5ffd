import ErrorStatistics
import NumberFormats

/// Crest factors of a tensor's blocks, batch by batch. They depend on the blocks alone, so the cases
/// that share a block share them.
final class CrestFactors {
  private let cuts: TensorPieces
  private var histogram = CrestHistogram()
  /// Sums of split blocks, by index.
  private var split: [(amax: Float, sumSquares: Double, length: Int)] = []

  init(_ grid: BlockGrid, _ cuts: TensorPieces) {
    self.cuts = cuts
    if cuts.splitsBlocks {
      split = Array(repeating: (0, 0, 0), count: grid.blockCount)
    }
  }

  /// Adds the blocks of a batch, given by its number.
  ///
  /// - Parameter maxima: the blocks' maxima; nil: to be found.
  func add(
    _ number: Int, _ values: Storage<Float>, maxima: Storage<UInt32>? = nil, parallel: Parallel
  ) {
    let cuts = cuts
    let batch = cuts.batches[number]
    let parts = parallel.map(batch.pieces.count) { index -> Part in
      let piece = cuts.pieces[batch.pieces.lowerBound + index]
      let x = values.reading(piece.elements.relative(to: batch.elements.lowerBound))
      let known = maxima?.reading(piece.blocks.relative(to: batch.blocks.lowerBound))
      return Part(x, piece, known, keepsMoments: cuts.splitsBlocks)
    }
    for (index, part) in parts.enumerated() {
      histogram.merge(part.histogram)
      guard let moments = part.moments else { continue }
      let first = cuts.pieces[batch.pieces.lowerBound + index].blocks.lowerBound
      for block in moments.amax.indices {
        split[first + block].amax = max(split[first + block].amax, moments.amax[block])
        split[first + block].sumSquares += moments.sumSquares[block]
        split[first + block].length += moments.length(of: block)
      }
    }
  }

  func finish() -> CrestHistogram {
    for block in split {
      histogram.add(amax: block.amax, sumSquares: block.sumSquares, length: block.length)
    }
    split = []
    return histogram
  }

  /// One piece's blocks: a histogram of them, or the moments of one split block row.
  private struct Part: Sendable {
    var histogram = CrestHistogram()
    var moments: BlockMoments?

    init(
      _ x: UnsafeBufferPointer<Float>, _ piece: TensorPiece,
      _ maxima: UnsafeBufferPointer<UInt32>?, keepsMoments: Bool
    ) {
      if keepsMoments {
        moments = BlockMoments(x: x, rows: piece.grid.rows, tileColumns: piece.grid.tileColumns)
      } else {
        histogram.add(x: x, grid: piece.grid, maxima: maxima)
      }
    }
  }
}

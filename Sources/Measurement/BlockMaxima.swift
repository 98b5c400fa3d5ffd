import FastPath
import NumberFormats

/// The largest |x| of every block of a batch, for each grid that a group of cases cuts it by.
///
/// The blocks of a grid that smaller ones divide get the largest of theirs: only grids that no other
/// divides look at the numbers. Bits and order are those of `QuantizationEngine.quantize`'s `maxima`.
struct BlockMaxima {
  fileprivate struct Entry {
    let grid: BlockGrid
    let cuts: TensorPieces
    /// The earlier entry that this one's blocks are made of; nil where they are made of numbers.
    let source: Int?
    let maxima = Storage<UInt32>()
  }

  /// Smaller blocks first.
  private var entries: [Entry] = []
  private var places: [BlockGrid: Int] = [:]

  /// - Parameter jobs: Jobs whose batches hold the same elements. One alone finds its maxima while it
  ///   quantises, and so does one whose blocks are split.
  init(_ jobs: [QuantizeJob]) {
    guard jobs.count > 1 else { return }
    let ascending = jobs.filter { !$0.cuts.splitsBlocks }.enumerated().sorted {
      (size($0.element.grid), $0.offset) < (size($1.element.grid), $1.offset)
    }
    for (_, job) in ascending where places[job.grid] == nil {
      let source = entries.lastIndex { job.grid.isMade(of: $0.grid) }
      places[job.grid] = entries.count
      entries.append(Entry(grid: job.grid, cuts: job.cuts, source: source))
    }
  }

  /// The maxima of the last batch's blocks, in their order; nil for a grid that has none.
  subscript(grid: BlockGrid) -> Storage<UInt32>? { places[grid].map { entries[$0].maxima } }

  /// Finds the maxima of a batch, given by its number.
  func find(_ number: Int, _ values: Storage<Float>, parallel: Parallel) {
    for entry in entries {
      let batch = entry.cuts.batches[number]
      entry.maxima.reserve(batch.blocks.count)
      let source = entry.source.map { entries[$0] }
      let (cuts, maxima) = (entry.cuts, entry.maxima)
      parallel.forEach(batch.pieces.count) { index in
        let piece = cuts.pieces[batch.pieces.lowerBound + index]
        let output = maxima[piece.blocks.relative(to: batch.blocks.lowerBound)]
        if let source {
          source.fold(number, piece, into: output)
        } else {
          let elements = piece.elements.relative(to: batch.elements.lowerBound)
          findBlockMaxima(values.reading(elements), grid: piece.grid, into: output)
        }
      }
    }
  }
}

/// Elements of a block.
private func size(_ grid: BlockGrid) -> Int { grid.tileRows * grid.tileColumns }

extension BlockMaxima.Entry {
  /// Folds the maxima of a batch into those of a larger grid's piece within it.
  fileprivate func fold(
    _ number: Int, _ piece: TensorPiece, into output: UnsafeMutableBufferPointer<UInt32>
  ) {
    // A piece of whole larger blocks is one of whole smaller blocks.
    let first = grid.blockIndex(ofElement: piece.elements.lowerBound)
    let end = grid.blockIndex(ofElement: piece.elements.upperBound - 1) + 1
    let blocks = (first..<end).relative(to: cuts.batches[number].blocks.lowerBound)
    foldBlockMaxima(
      maxima.reading(blocks), rows: grid.tileRows, columns: grid.tileColumns, into: piece.grid,
      maxima: output)
  }
}

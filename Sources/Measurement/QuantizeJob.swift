import FastPath
import NumberFormats
import TensorIO

/// One tensor being quantised in one way: its cuts and its scales so far.
struct QuantizeJob: Sendable {
  let engine: any QuantizationEngine
  let tensor: InputTensor
  let spec: QuantizationSpec
  let grid: BlockGrid
  let tensorScale: TensorScale
  let cuts: TensorPieces
  /// Where blocks are split: every block's scale, and how many of them met an end of the range.
  private(set) var givenScales: [UInt32]?
  private(set) var givenClamped = 0

  /// - Parameters:
  ///   - amax: The tensor's largest finite magnitude.
  ///   - keepsBlocksWhole: Never splits a block, whatever memory that takes; as for named recipes.
  ///   - scratch: Memory for a pass over the tensor where large blocks need one.
  init(
    _ engine: any QuantizationEngine, _ tensor: InputTensor, spec: QuantizationSpec, axis: Int,
    block: BlockShape, amax: Float, keepsBlocksWhole: Bool = false, scratch: Storage<Float>,
    parallel: Parallel
  ) throws {
    self.engine = engine
    self.tensor = tensor
    self.spec = spec
    do throws(BlockGridError) {
      grid = try BlockGrid(shape: tensor.info.shape, axis: axis, block: block)
    } catch {
      throw MeasurementError.grid(file: tensor.path, tensor: tensor.name, error)
    }
    do throws(QuantizeError) {
      tensorScale = try engine.tensorScale(amax: amax, spec: spec)
    } catch {
      throw MeasurementError.quantize(file: tensor.path, tensor: tensor.name, error)
    }
    // One random value an element: a file of another length belongs to another tensor.
    if case .given(let bits) = spec.randomBits, case .stochastic? = spec.rounding,
      bits.count != tensor.info.count
    {
      throw MeasurementError.randomBitsCount(
        file: tensor.path, tensor: tensor.name, given: bits.count, expected: tensor.info.count)
    }
    cuts = TensorPieces(grid, maySplitBlocks: spec.recipe.isExact && !keepsBlocksWhole)
    if cuts.splitsBlocks { try computeScales(scratch, parallel) }
  }

  /// A tensor whose codes and scales exist already.
  init(
    stored original: InputTensor, engine: any QuantizationEngine, spec: QuantizationSpec,
    grid: BlockGrid, tensorScale: TensorScale
  ) {
    self.engine = engine
    tensor = original
    self.spec = spec
    self.grid = grid
    self.tensorScale = tensorScale
    cuts = TensorPieces(grid, maySplitBlocks: true)
  }

  /// Quantises a batch.
  ///
  /// - Parameters:
  ///   - values: The batch's elements.
  ///   - maxima: The maxima of the batch's blocks, where they are known (`BlockMaxima`).
  ///   - codes: Bytes for the batch's codes, one code per element.
  ///   - scales: Room for the batch's scales.
  func quantize(
    _ batch: PieceBatch, values: Storage<Float>, maxima: Storage<UInt32>? = nil,
    codes: Storage<UInt8>, scales: Storage<UInt32>, parallel: Parallel
  ) throws(MeasurementError) -> QuantizeCounts {
    let width = spec.format.element.codeBytes
    if let givenScales {
      for block in batch.blocks {
        scales[0..<batch.blocks.count][block - batch.blocks.lowerBound] = givenScales[block]
      }
    }
    let counts = try parallel.map(batch.pieces.count) {
      (index) throws(MeasurementError) -> QuantizeCounts in
      let piece = cuts.pieces[batch.pieces.lowerBound + index]
      let elements = piece.elements.relative(to: batch.elements.lowerBound)
      let bytes = (elements.lowerBound * width)..<(elements.upperBound * width)
      let blocks = piece.blocks.relative(to: batch.blocks.lowerBound)
      do throws(QuantizeError) {
        return try engine.quantize(
          values.reading(elements), grid: piece.grid, spec: spec, tensorScale: tensorScale,
          firstElement: piece.elements.lowerBound, scalesGiven: givenScales != nil,
          maxima: maxima?.reading(blocks), codes: UnsafeMutableRawBufferPointer(codes[bytes]),
          scales: scales[blocks])
      } catch {
        throw .quantize(file: tensor.path, tensor: tensor.name, error)
      }
    }
    return counts.reduce(into: QuantizeCounts()) { $0 += $1 }
  }

  /// Blocks of the batch that no earlier batch had.
  func newBlocks(of batch: PieceBatch) -> Range<Int> {
    let first = batch.blocks.lowerBound
    guard cuts.splitsBlocks, batch.pieces.lowerBound > 0 else { return batch.blocks }
    let seen = cuts.pieces[batch.pieces.lowerBound - 1].blocks.upperBound
    return max(first, min(seen, batch.blocks.upperBound))..<batch.blocks.upperBound
  }

  private mutating func computeScales(_ scratch: Storage<Float>, _ parallel: Parallel) throws {
    var maxima = [UInt32](repeating: 0, count: grid.blockCount)
    for batch in cuts.batches {
      scratch.reserve(batch.elements.count)
      try tensor.read(batch.elements, into: scratch, parallel: parallel)
      let found = parallel.map(batch.pieces.count) { [cuts] index -> [UInt32] in
        let piece = cuts.pieces[batch.pieces.lowerBound + index]
        let elements = piece.elements.relative(to: batch.elements.lowerBound)
        return [UInt32](unsafeUninitializedCapacity: piece.grid.blockCount) { output, count in
          count = piece.grid.blockCount
          findBlockMaxima(
            scratch.reading(elements), grid: piece.grid,
            into: UnsafeMutableBufferPointer(rebasing: output[0..<count]))
        }
      }
      for (index, values) in found.enumerated() {
        let first = cuts.pieces[batch.pieces.lowerBound + index].blocks.lowerBound
        for (offset, value) in values.enumerated() {
          maxima[first + offset] = max(maxima[first + offset], value)
        }
      }
    }
    var scales: [UInt32] = []
    scales.reserveCapacity(maxima.count)
    for bits in maxima {
      let amax = bits < 0x7F80_0000 ? Float(bitPattern: bits) : .nan
      do throws(QuantizeError) {
        let scale = try engine.exactScale(amax: amax, spec: spec, tensorScale: tensorScale)
        scales.append(scale.code)
        givenClamped += scale.clamped ? 1 : 0
      } catch {
        throw MeasurementError.quantize(file: tensor.path, tensor: tensor.name, error)
      }
    }
    givenScales = scales
  }
}

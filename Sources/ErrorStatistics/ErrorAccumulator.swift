import CBlockKernels
import NumberFormats

/// Streams elements in row-major order and cuts them into the tensor's fixed chunks.
///
/// A value covers a run of elements from a chunk border on; whatever the calls' lengths, and whatever
/// instruction set runs, the chunks' sums have the same bits. To use several threads, give each a run
/// that starts at a multiple of ``ChunkSums/size`` elements and append the chunks of all of them to one
/// ``TensorErrorAccumulator`` in index order.
public struct ErrorAccumulator: Sendable {
  /// The element format's values.
  public let element: ElementSpacing
  /// The ends of the scales' range.
  public let limits: ScaleLimits
  /// The instruction set asked for.
  public let target: KernelTarget
  /// Row-major index in the tensor of the next element.
  public private(set) var nextIndex: Int
  /// The chunks that are complete, in index order, as far as ``takeCompleted()`` has not taken them.
  public private(set) var completed: [ChunkSums] = []

  private var state = bk_error_state()

  /// An accumulator without elements.
  ///
  /// - Parameters:
  ///   - element: The element format's values.
  ///   - limits: The ends of the scales' range, by which parts of the error are told.
  ///   - startIndex: Row-major index of the first element, a multiple of ``ChunkSums/size``.
  ///   - target: The instruction set.
  public init(
    element: ElementSpacing, limits: ScaleLimits = .none, startIndex: Int = 0,
    target: KernelTarget = .automatic
  ) {
    precondition(startIndex >= 0 && startIndex % ChunkSums.size == 0)
    self.element = element
    self.limits = limits
    self.target = target
    nextIndex = startIndex
  }

  /// Adds the next elements, with one divisor each.
  ///
  /// - Parameters:
  ///   - x: The originals.
  ///   - values: The decoded element values v, as many.
  ///   - divisors: s·T of each element, as many: exact or correctly rounded, zero or of magnitude
  ///     2^-600 to 2^600, of either sign; NaN where the scale is NaN.
  public mutating func add(
    x: UnsafeBufferPointer<Float>, values: UnsafeBufferPointer<Float>,
    divisors: UnsafeBufferPointer<Double>
  ) {
    precondition(values.count == x.count && divisors.count == x.count)
    guard let x0 = x.baseAddress, let v0 = values.baseAddress, let d0 = divisors.baseAddress
    else { return }
    addByChunk(count: x.count) { state, parameters, done, count, index, target in
      bk_error_accumulate(
        state, x0 + done, v0 + done, d0 + done, count, index, parameters, target)
    }
  }

  /// Adds the next elements, with one divisor per block.
  ///
  /// - Parameters:
  ///   - x: The originals.
  ///   - values: The decoded element values v, as many.
  ///   - blockDivisors: s·T of blocks in the tensor's row-major order of blocks: at least all those in
  ///     the rows of blocks that these elements touch; in the range of ``add(x:values:divisors:)``.
  ///   - firstBlock: The tensor's index of the block of `blockDivisors[0]`.
  ///   - grid: The blocks of the whole tensor.
  public mutating func add(
    x: UnsafeBufferPointer<Float>, values: UnsafeBufferPointer<Float>,
    blockDivisors: UnsafeBufferPointer<Double>, firstBlock: Int, grid: BlockGrid
  ) {
    precondition(values.count == x.count && nextIndex + x.count <= grid.elementCount)
    guard let x0 = x.baseAddress, let v0 = values.baseAddress, !x.isEmpty else { return }
    var tiling = bk_tiling()
    tiling.rows = grid.rows
    tiling.columns = grid.columns
    tiling.tile_rows = grid.tileRows
    tiling.tile_columns = grid.tileColumns
    let width = grid.blockColumns
    let low = grid.blockIndex(ofElement: nextIndex) / width * width
    let high = (grid.blockIndex(ofElement: nextIndex + x.count - 1) / width + 1) * width
    precondition(firstBlock <= low && high - firstBlock <= blockDivisors.count)
    guard let d0 = blockDivisors.baseAddress else { return }
    addByChunk(count: x.count) { state, parameters, done, count, index, target in
      bk_error_accumulate_tiles(
        state, x0 + done, v0 + done, d0 + (grid.blockIndex(ofElement: index) - firstBlock), count,
        index, &tiling, parameters, target)
    }
  }

  /// Hands over the complete chunks and forgets them.
  public mutating func takeCompleted() -> [ChunkSums] {
    defer { completed = [] }
    return completed
  }

  /// Hands over all chunks not yet taken, the last possibly short: call it at the tensor's end, or at
  /// the end of the run.
  public mutating func finish() -> [ChunkSums] {
    if state.count > 0 { closeChunk() }
    return takeCompleted()
  }

  private typealias Kernel = (
    _ state: UnsafeMutablePointer<bk_error_state>, _ parameters: UnsafePointer<bk_error_params>,
    _ done: Int, _ count: Int, _ index: Int, _ target: Int32
  ) -> Void

  private mutating func addByChunk(count: Int, _ kernel: Kernel) {
    var done = 0
    while done < count {
      let part = min(count - done, ChunkSums.size - nextIndex % ChunkSums.size)
      element.withParameters(limits) { kernel(&state, $0, done, part, nextIndex, target.code) }
      done += part
      nextIndex += part
      if nextIndex % ChunkSums.size == 0 { closeChunk() }
    }
  }

  private mutating func closeChunk() {
    var sums = bk_error_sums()
    bk_error_reduce(&state, &sums)
    completed.append(ChunkSums(index: (nextIndex - 1) / ChunkSums.size, sums))
    state = bk_error_state()
  }
}

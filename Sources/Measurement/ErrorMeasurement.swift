import ErrorStatistics
import NumberFormats

/// Error statistics of one tensor under one case, batch by batch.
final class ErrorMeasurement {
  let job: QuantizeJob
  private let spacing: ElementSpacing
  private let limits: ScaleLimits
  private var total: TensorErrorAccumulator
  /// Holds the chunk that the last batch began and the next goes on with.
  private var open: ErrorAccumulator
  private let isWideScale: Bool

  init(_ job: QuantizeJob) {
    self.job = job
    spacing = job.spec.format.element.spacing
    limits = ScaleLimits(job.spec.format, tensorScale: Double(job.tensorScale.decode))
    isWideScale = job.spec.format.scale.storedBits > 8
    total = TensorErrorAccumulator(scales: isWideScale ? .emptyExponents : .emptyCodes)
    open = ErrorAccumulator(element: spacing, limits: limits)
    total.clampedScales = job.givenClamped
  }

  /// Quantises a batch and adds its errors. Batches come in order.
  ///
  /// - Parameter maxima: the maxima of the batch's blocks; nil: to be found.
  func add(
    _ batch: PieceBatch, _ memory: ErrorMemory, maxima: Storage<UInt32>?, parallel: Parallel
  ) throws(MeasurementError) {
    memory.reserve(batch, codeBytes: job.spec.format.element.codeBytes)
    let counts = try job.quantize(
      batch, values: memory.values, maxima: maxima, codes: memory.codes, scales: memory.scales,
      parallel: parallel)
    total.clampedScales += counts.clampedScales
    judge(batch, memory, parallel: parallel)
  }

  /// Adds the errors of a batch whose codes and scales are in memory.
  func judge(_ batch: PieceBatch, _ memory: ErrorMemory, parallel: Parallel) {
    decode(batch, memory, parallel)
    countScales(batch, memory)
    addElements(batch, memory, parallel)
  }

  /// The statistics after the last batch.
  func finish(crest: CrestHistogram, bitsPerElement: Double?) -> TensorErrorAccumulator {
    total.append(open.finish())
    total.crest = crest
    if let bitsPerElement { total.setBits(perElement: bitsPerElement) }
    return total
  }

  private func decode(_ batch: PieceBatch, _ memory: ErrorMemory, _ parallel: Parallel) {
    let format = job.spec.format
    let engine = job.engine
    let width = format.element.codeBytes
    let step = TensorPieces.pieceSize
    let count = batch.elements.count
    parallel.forEach((count + step - 1) / step) { index in
      let part = (index * step)..<min(count, (index + 1) * step)
      let bytes = (part.lowerBound * width)..<(part.upperBound * width)
      engine.decode(
        codes: UnsafeRawBufferPointer(memory.codes.reading(bytes)), element: format.element,
        into: memory.decoded[part])
    }
    let blocks = 0..<batch.blocks.count
    let scales = memory.decodedScales[blocks]
    engine.decodeScales(memory.scales.reading(blocks), format: format.scale, into: scales)
    let factor = Double(job.tensorScale.decode)
    let divisors = memory.divisors[blocks]
    for block in blocks { divisors[block] = Double(scales[block]) * factor }
  }

  private func countScales(_ batch: PieceBatch, _ memory: ErrorMemory) {
    let new = job.newBlocks(of: batch).relative(to: batch.blocks.lowerBound)
    guard !new.isEmpty else { return }
    if isWideScale {
      total.addScales(decoded: memory.decodedScales.reading(new))
    } else {
      total.addScales(codes: memory.scales.reading(new))
    }
  }

  /// Whole chunks by threads of their own; the first part may close the chunk left open, the last
  /// leaves one open. A chunk's sums have the same bits however it is cut.
  private func addElements(_ batch: PieceBatch, _ memory: ErrorMemory, _ parallel: Parallel) {
    let size = ChunkSums.size
    let first = batch.elements.lowerBound
    let end = batch.elements.upperBound
    let firstBorder = min(end, (first + size - 1) / size * size)
    if first < firstBorder {
      feed(&open, first..<firstBorder, batch, memory)
      total.append(open.takeCompleted())
    }
    guard firstBorder < end else { return }
    let lastBorder = end / size * size
    let chunks = (lastBorder - firstBorder) / size
    let job = job
    let (spacing, limits) = (spacing, limits)
    let sums = parallel.map(max(0, chunks)) { index -> [ChunkSums] in
      let start = firstBorder + index * size
      var accumulator = ErrorAccumulator(element: spacing, limits: limits, startIndex: start)
      feedErrors(&accumulator, start..<(start + size), batch, memory, job)
      return accumulator.finish()
    }
    for chunk in sums { total.append(chunk) }
    open = ErrorAccumulator(element: spacing, limits: limits, startIndex: lastBorder)
    if lastBorder < end { feed(&open, lastBorder..<end, batch, memory) }
  }

  private func feed(
    _ accumulator: inout ErrorAccumulator, _ range: Range<Int>, _ batch: PieceBatch,
    _ memory: ErrorMemory
  ) {
    feedErrors(&accumulator, range, batch, memory, job)
  }
}

/// Adds elements of a batch, with a divisor per block; per element where the batch ends inside a row
/// of blocks, as it does in a line longer than a batch.
private func feedErrors(
  _ accumulator: inout ErrorAccumulator, _ range: Range<Int>, _ batch: PieceBatch,
  _ memory: ErrorMemory, _ job: QuantizeJob
) {
  let grid = job.grid
  let inBatch = range.relative(to: batch.elements.lowerBound)
  let x = memory.values.reading(inBatch)
  let values = memory.decoded.reading(inBatch)
  let divisors = memory.divisors.reading(0..<batch.blocks.count)
  let first = batch.blocks.lowerBound
  if first % grid.blockColumns == 0, batch.blocks.upperBound % grid.blockColumns == 0 {
    accumulator.add(x: x, values: values, blockDivisors: divisors, firstBlock: first, grid: grid)
    return
  }
  let each = [Double](unsafeUninitializedCapacity: range.count) { output, count in
    count = range.count
    for (offset, element) in range.enumerated() {
      output[offset] = divisors[grid.blockIndex(ofElement: element) - first]
    }
  }
  each.withUnsafeBufferPointer { accumulator.add(x: x, values: values, divisors: $0) }
}

/// The buffers of an error experiment, for one batch of one case.
final class ErrorMemory: Sendable {
  let values = Storage<Float>()
  let codes = Storage<UInt8>()
  let scales = Storage<UInt32>()
  let decoded = Storage<Float>()
  let decodedScales = Storage<Float>()
  let divisors = Storage<Double>()

  /// Makes room; `values` are kept, as they were read before.
  func reserve(_ batch: PieceBatch, codeBytes: Int) {
    codes.reserve(batch.elements.count * codeBytes)
    decoded.reserve(batch.elements.count)
    scales.reserve(batch.blocks.count)
    decodedScales.reserve(batch.blocks.count)
    divisors.reserve(batch.blocks.count)
  }
}

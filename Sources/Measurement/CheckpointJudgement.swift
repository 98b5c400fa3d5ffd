import ErrorStatistics
import FormatCatalog
import NumberFormats
import TensorIO

/// Judges a checkpoint that somebody quantised against its original.
public struct CheckpointJudgement: Sendable {
  public var engine: any QuantizationEngine
  public var parallel: Parallel

  public init(engine: any QuantizationEngine, parallel: Parallel) {
    self.engine = engine
    self.parallel = parallel
  }

  /// The errors of every quantised tensor, and their total where all are quantised one way.
  ///
  /// Originals are found by name. Clamped scales are unknown and counted as none.
  /// - Returns: results, a total per way of quantising, and originals without a quantised tensor.
  /// - Throws: `badData` for a quantised tensor without an original or of another shape.
  public func run(
    _ stored: StoredTensors, against originals: [InputTensor],
    progress: (Int, String) -> Void = { _, _ in }
  ) throws -> (results: [ErrorResult], totals: [ErrorResult], skipped: [SkippedItem]) {
    let memory = ErrorMemory()
    var results: [ErrorResult] = []
    var order: [Way] = []
    var sums: [Way: (statistics: TensorErrorAccumulator, narrowed: Int)] = [:]
    for tensor in stored.tensors {
      let original = try original(of: tensor, originals)
      let (statistics, narrowed) = try judge(tensor, original, memory) {
        progress($0, tensor.record.name)
      }
      let way = Way(
        how: ErrorCase(
          spec: tensor.spec, axis: tensor.record.axis, block: tensor.record.block),
        rounding: tensor.record.rounding)
      if sums[way] == nil { order.append(way) }
      sums[way, default: (.total(), 0)].statistics.merge(statistics)
      sums[way, default: (.total(), 0)].narrowed += narrowed
      results.append(
        ErrorResult(
          file: tensor.file.file.path, tensor: tensor.record.name, shape: tensor.record.shape,
          errorCase: way.how, rounding: way.rounding, narrowed: narrowed,
          tensorScale: tensor.record.tensorScale?.decode,
          report: ErrorReport(statistics)))
    }
    let totals = order.compactMap { way in
      sums[way].map {
        ErrorResult(
          file: "", tensor: "", shape: [], errorCase: way.how, rounding: way.rounding,
          narrowed: $0.narrowed, tensorScale: nil, report: ErrorReport($0.statistics))
      }
    }
    let used = Set(stored.tensors.map(\.record.name))
    let skipped = originals.filter { !used.contains($0.name) }
      .map { SkippedItem(file: $0.path, name: $0.name, reason: "not quantised") }
    return (results, totals, skipped)
  }

  /// Tensors of one total.
  private struct Way: Hashable {
    var how: ErrorCase
    var rounding: String?
  }

  private func original(
    of tensor: StoredTensor, _ originals: [InputTensor]
  ) throws(MeasurementError) -> InputTensor {
    let record = tensor.record
    let path = tensor.file.file.path
    guard let original = originals.first(where: { $0.name == record.name }) else {
      throw .badData(
        file: path, tensor: record.name,
        "no original of this name (expected one among \(originals.count) tensors)")
    }
    guard original.info.shape == record.shape else {
      throw .badData(
        file: path, tensor: record.name,
        "shape \(record.shape) (expected \(original.info.shape), as in \(original.path))")
    }
    return original
  }

  private func judge(
    _ tensor: StoredTensor, _ original: InputTensor, _ memory: ErrorMemory,
    progress: (Int) -> Void
  ) throws -> (TensorErrorAccumulator, narrowed: Int) {
    let job = QuantizeJob(
      stored: original, engine: engine, spec: tensor.spec, grid: tensor.grid,
      tensorScale: tensor.tensorScale)
    let measurement = ErrorMeasurement(job)
    let crest = CrestFactors(job.grid, job.cuts)
    var narrowed = 0
    for (number, batch) in job.cuts.batches.enumerated() {
      memory.values.reserve(batch.elements.count)
      narrowed += try original.read(batch.elements, into: memory.values, parallel: parallel)
      try tensor.read(batch, into: memory)
      measurement.judge(batch, memory, parallel: parallel)
      crest.add(number, memory.values, parallel: parallel)
      progress(batch.elements.count)
    }
    let statistics = measurement.finish(
      crest: crest.finish(),
      bitsPerElement: tensor.spec.bitsPerElement(
        job.grid, storesTensorScale: tensor.record.tensorScale != nil))
    return (statistics, narrowed)
  }
}

import NumberFormats
import TensorIO

/// Quantises tensors into a file, batch by batch.
public struct TensorQuantization: Sendable {
  public var engine: any QuantizationEngine
  public var parallel: Parallel
  public var how: ErrorCase
  public var storage: StorageRequest

  public init(
    engine: any QuantizationEngine, parallel: Parallel, how: ErrorCase, storage: StorageRequest
  ) {
    self.engine = engine
    self.parallel = parallel
    self.how = how
    self.storage = storage
  }

  /// Writes every tensor's codes, scales and tensor scale.
  ///
  /// - Parameter progress: Called with the elements done since the last call.
  @discardableResult
  public func write(
    _ tensors: [InputTensor], to path: String, progress: (Int, String) -> Void = { _, _ in }
  ) throws -> [WrittenTensor] {
    try checkNames(tensors)
    let records = try tensors.map(record)
    let writer = try QuantizedWriter(path: path, records: records)
    let memory = ErrorMemory()
    var written: [WrittenTensor] = []
    for (index, tensor) in tensors.enumerated() {
      let survey = try tensor.survey(parallel: parallel)
      let job = try QuantizeJob(
        engine, tensor, spec: how.spec, axis: how.axis, block: how.block, amax: survey.amax,
        scratch: memory.values, parallel: parallel)
      if how.spec.storesTensorScale {
        try check(job.tensorScale, of: tensor, amax: survey.amax)
        writer.setTensorScale(job.tensorScale, of: index)
      }
      var rows = RowCollector(record: records[index])
      var clamped = job.givenClamped
      for batch in job.cuts.batches {
        memory.reserve(batch, codeBytes: how.spec.format.element.codeBytes)
        memory.values.reserve(batch.elements.count)
        try tensor.read(batch.elements, into: memory.values, parallel: parallel)
        clamped += try job.quantize(
          batch, values: memory.values, codes: memory.codes, scales: memory.scales,
          parallel: parallel
        ).clampedScales
        let bytes = batch.elements.count * how.spec.format.element.codeBytes
        try rows.add(memory.codes.reading(0..<bytes), to: writer, index)
        let new = job.newBlocks(of: batch).relative(to: batch.blocks.lowerBound)
        try writer.appendScales(memory.scales.reading(new), to: index)
        progress(batch.elements.count, tensor.name)
      }
      written.append(summary(job, clamped: clamped, narrowed: survey.narrowed))
    }
    try writer.finish()
    return written
  }

  /// A file can hold a tensor scale that is finite and above 0 only, on the side its keys store.
  private func check(
    _ scale: TensorScale, of tensor: InputTensor, amax: Float
  ) throws(MeasurementError) {
    let isEncodeSide = storage.keys == .compressedTensors
    let stored = isEncodeSide ? scale.encode ?? 1 / scale.decode : scale.decode
    guard !(stored.isFinite && stored > 0) else { return }
    if case .given = how.spec.tensorScale {
      throw .quantize(file: tensor.path, tensor: tensor.name, .badTensorScale(stored))
    }
    throw .badData(
      file: tensor.path, tensor: tensor.name,
      "recipe \(how.spec.recipe.name): \(isEncodeSide ? "encode" : "decode")-side tensor scale"
        + " \(stored) for the largest magnitude \(amax) (expected a finite number above 0)")
  }

  private func summary(_ job: QuantizeJob, clamped: Int, narrowed: Int) -> WrittenTensor {
    WrittenTensor(
      source: job.tensor.path, name: job.tensor.name, shape: job.tensor.info.shape,
      format: how.spec.format,
      axis: how.axis, block: how.block, recipe: how.spec.recipe, rounding: how.spec.roundingName,
      blocks: job.grid.blockCount, elements: job.grid.elementCount,
      tensorScale: how.spec.storesTensorScale ? job.tensorScale.decode : nil,
      clampedScales: clamped, narrowed: narrowed)
  }

  private func checkNames(_ tensors: [InputTensor]) throws(MeasurementError) {
    var seen: Set<String> = []
    for tensor in tensors where !seen.insert(tensor.name).inserted {
      throw .usage("two inputs hold a tensor \"\(tensor.name)\", and one output cannot")
    }
  }

  private func record(_ tensor: InputTensor) throws -> QuantizedTensorRecord {
    let spec = how.spec
    do throws(BlockGridError) {
      _ = try BlockGrid(shape: tensor.info.shape, axis: how.axis, block: how.block)
    } catch {
      throw MeasurementError.grid(file: tensor.path, tensor: tensor.name, error)
    }
    return QuantizedTensorRecord(
      name: tensor.name, shape: tensor.info.shape, format: spec.format.name, block: how.block,
      axis: how.axis, recipe: spec.recipe.name, rounding: spec.roundingName,
      packing: try storage.packing(for: spec.format.element), scaleLayout: storage.scaleLayout,
      codeBytes: spec.format.element.codeBytes, scaleStorage: spec.format.scale.storage,
      tensorScale: spec.storesTensorScale ? .one : nil, toolVersion: toolVersion,
      keys: storage.keys)
  }
}

/// Hands codes to the writer, which packs whole rows only: a row longer than a batch is gathered.
private struct RowCollector {
  let rowBytes: Int
  var pending: [UInt8] = []

  init(record: QuantizedTensorRecord) {
    rowBytes = record.packing == .none ? 1 : max(1, record.shape.last ?? 1) * record.codeBytes
  }

  mutating func add(
    _ codes: UnsafeBufferPointer<UInt8>, to writer: QuantizedWriter, _ index: Int
  ) throws(TensorIOError) {
    if pending.isEmpty, codes.count % rowBytes == 0 {
      return try writer.appendCodes(UnsafeRawBufferPointer(codes), to: index)
    }
    pending += codes
    guard pending.count % rowBytes == 0 else { return }
    let rows = pending
    pending = []
    let outcome = rows.withUnsafeBytes { bytes in
      Result { () throws(TensorIOError) in try writer.appendCodes(bytes, to: index) }
    }
    try outcome.get()
  }
}

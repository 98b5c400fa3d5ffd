import NumberFormats
import TensorIO

/// Two recipes on one tensor: how many scales and codes differ, and the first that do.
public struct RecipeDifference: Sendable {
  public var file: String
  public var tensor: String
  public var first: ErrorCase
  public var second: ErrorCase
  public var blocks: Int
  public var elements: Int
  public var differingScales: Int
  public var differingCodes: Int
  /// Numbers of the input that float32 cannot hold, which were rounded on reading.
  public var narrowed: Int
  /// Decode-side tensor scales, 1 where there is none.
  public var tensorScales: (first: Float, second: Float)
  public var places: [Place]

  /// A scale or a code that differs.
  public struct Place: Sendable, Hashable {
    public enum Kind: String, Sendable { case scale, code }
    public var kind: Kind
    /// Row-major index of the block or the element in the tensor.
    public var index: Int
    public var first: CodeValue
    public var second: CodeValue
    /// The element's input; nil for scales.
    public var input: Float?
  }
}

/// Quantises tensors by several recipes and compares all with the first.
public struct RecipeComparison: Sendable {
  public var engine: any QuantizationEngine
  public var parallel: Parallel
  /// Cases that differ in their recipes; the first is what the others are compared with.
  public var cases: [ErrorCase]
  /// Scales and codes that are listed, each at most so many per pair.
  public var placeLimit: Int

  public init(
    engine: any QuantizationEngine, parallel: Parallel, cases: [ErrorCase], placeLimit: Int
  ) {
    self.engine = engine
    self.parallel = parallel
    self.cases = cases
    self.placeLimit = placeLimit
  }

  /// The differences of every case after the first.
  public func run(
    _ tensor: InputTensor, progress: (Int) -> Void = { _ in }
  ) throws -> [RecipeDifference] {
    let memories = cases.map { _ in ErrorMemory() }
    let values = memories[0].values
    let survey = try tensor.survey(parallel: parallel)
    let jobs = try cases.map { how in
      try QuantizeJob(
        engine, tensor, spec: how.spec, axis: how.axis, block: how.block, amax: survey.amax,
        keepsBlocksWhole: cases.contains { !$0.spec.recipe.isExact }, scratch: values,
        parallel: parallel)
    }
    var differences = zip(cases, jobs).dropFirst().map { how, job in
      RecipeDifference(
        file: tensor.path, tensor: tensor.name, first: cases[0], second: how,
        blocks: job.grid.blockCount, elements: job.grid.elementCount, differingScales: 0,
        differingCodes: 0, narrowed: survey.narrowed,
        tensorScales: (jobs[0].tensorScale.decode, job.tensorScale.decode),
        places: [])
    }
    for batch in jobs[0].cuts.batches {
      values.reserve(batch.elements.count)
      try tensor.read(batch.elements, into: values, parallel: parallel)
      for (job, memory) in zip(jobs, memories) {
        memory.reserve(batch, codeBytes: job.spec.format.element.codeBytes)
        _ = try job.quantize(
          batch, values: values, codes: memory.codes, scales: memory.scales, parallel: parallel)
        progress(batch.elements.count)
      }
      for index in differences.indices {
        compare(
          batch, jobs[0], values, (memories[0], memories[index + 1]), &differences[index])
      }
    }
    return differences
  }

  private func compare(
    _ batch: PieceBatch, _ job: QuantizeJob, _ values: Storage<Float>,
    _ memory: (ErrorMemory, ErrorMemory), _ difference: inout RecipeDifference
  ) {
    let format = job.spec.format
    let scales = (memory.0.scales, memory.1.scales)
    let new = job.newBlocks(of: batch).relative(to: batch.blocks.lowerBound)
    let differingScales = new.filter {
      scales.0.reading(new)[$0 - new.lowerBound] != scales.1.reading(new)[$0 - new.lowerBound]
    }
    difference.differingScales += differingScales.count
    let width = format.element.codeBytes
    let codes = (memory.0.codes, memory.1.codes)
    let differingCodes = differingElements(batch.elements.count, width: width, codes)
    difference.differingCodes += differingCodes.count
    let scaleRow = NumberFormatRow.scale(format.scale)
    for offset in differingScales.prefix(placeLimit - difference.count(of: .scale)) {
      let patterns = [scales.0.reading(new), scales.1.reading(new)].map {
        $0[offset - new.lowerBound]
      }
      difference.add(
        .scale, batch.blocks.lowerBound + offset, patterns, scaleRow, engine, input: nil)
    }
    let elementRow = NumberFormatRow.element(format.element)
    for offset in differingCodes.prefix(placeLimit - difference.count(of: .code)) {
      let patterns = [codes.0, codes.1].map { code($0, at: offset, width: width) }
      difference.add(
        .code, batch.elements.lowerBound + offset, patterns, elementRow, engine,
        input: values.reading(offset..<(offset + 1))[0])
    }
  }

  private func code(_ codes: Storage<UInt8>, at offset: Int, width: Int) -> UInt32 {
    (0..<width).reduce(0) {
      $0 | UInt32(codes.reading((offset * width + $1)..<(offset * width + $1 + 1))[0])
        << UInt32(8 * $1)
    }
  }

  /// Offsets at which two runs of codes differ, by several threads.
  private func differingElements(
    _ count: Int, width: Int, _ codes: (Storage<UInt8>, Storage<UInt8>)
  ) -> [Int] {
    let step = TensorPieces.pieceSize
    let parts = parallel.map((count + step - 1) / step) { part -> [Int] in
      let range = (part * step)..<min(count, (part + 1) * step)
      let bytes = (range.lowerBound * width)..<(range.upperBound * width)
      let first = codes.0.reading(bytes)
      let second = codes.1.reading(bytes)
      var found: [Int] = []
      for offset in 0..<range.count {
        let places = (offset * width)..<((offset + 1) * width)
        if places.contains(where: { first[$0] != second[$0] }) {
          found.append(range.lowerBound + offset)
        }
      }
      return found
    }
    return parts.flatMap { $0 }
  }
}

extension RecipeDifference {
  fileprivate func count(of kind: Place.Kind) -> Int { places.count { $0.kind == kind } }

  fileprivate mutating func add(
    _ kind: Place.Kind, _ index: Int, _ patterns: [UInt32], _ row: NumberFormatRow,
    _ engine: any QuantizationEngine, input: Float?
  ) {
    let values = row.decode(patterns, engine: engine)
    places.append(
      Place(
        kind: kind, index: index, first: CodeValue(code: patterns[0], value: values[0]),
        second: CodeValue(code: patterns[1], value: values[1]), input: input))
  }
}

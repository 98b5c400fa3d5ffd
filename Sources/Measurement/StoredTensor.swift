import FormatCatalog
import NumberFormats
import TensorIO

/// A quantised tensor of a checkpoint with the rows it refers to.
struct StoredTensor: Sendable {
  let file: QuantizedFile
  let index: Int
  let spec: QuantizationSpec
  let grid: BlockGrid
  let tensorScale: TensorScale

  var record: QuantizedTensorRecord { file.records[index] }

  /// - Parameter recipe: Overrides what the file says; by default exact where it says nothing.
  init(
    _ file: QuantizedFile, _ index: Int, catalog: FormatCatalog, recipe override: Recipe?
  ) throws(MeasurementError) {
    self.file = file
    self.index = index
    let record = file.records[index]
    func bad(_ text: String) -> MeasurementError {
      .badData(file: file.file.path, tensor: record.name, text)
    }
    guard let format = catalog.block(record.format) else {
      throw bad("no block format is called \"\(record.format)\" (expected a row, see --formats)")
    }
    guard format.element.codeBytes == record.codeBytes,
      format.scale.storage == record.scaleStorage
    else {
      throw bad(
        "codes of \(record.codeBytes) bytes with scales \(record.scaleStorage.rawValue) (expected"
          + " \(format.element.codeBytes) and \(format.scale.storage.rawValue) for \(format.name))")
    }
    guard record.packing == .none || format.element.bits <= 4 else {
      throw bad(
        "packed codes of \(format.name), whose element \(format.element.name) has"
          + " \(format.element.bits) bits (expected at most 4, or codes that are not packed)")
    }
    var recipe = override
    if recipe == nil, let name = record.recipe {
      guard let found = catalog.recipe(name) else { throw bad("no recipe is called \"\(name)\"") }
      recipe = found
    }
    spec = QuantizationSpec(
      format: format, recipe: recipe ?? Self.readingBack(record, format, catalog))
    tensorScale = record.tensorScale ?? .one
    do throws(BlockGridError) {
      grid = try record.grid()
    } catch {
      throw .grid(file: file.file.path, tensor: record.name, error)
    }
  }

  /// How a checkpoint that names no recipe is read: as its stack does where the file stores the
  /// encode-side factor, which has no exact reciprocal; else as one real number, rounded once.
  private static func readingBack(
    _ record: QuantizedTensorRecord, _ format: BlockFormat, _ catalog: FormatCatalog
  ) -> Recipe {
    if record.tensorScale?.encode != nil, let stack = catalog.recipe("ct-nvfp4"),
      stack.formats.contains(format.name)
    {
      return stack
    }
    return Recipe(name: "exact", steps: .exact(.floor))
  }

  /// Reads a batch's codes and scales into memory.
  func read(_ batch: PieceBatch, into memory: ErrorMemory) throws(TensorIOError) {
    memory.reserve(batch, codeBytes: record.codeBytes)
    let bytes = 0..<(batch.elements.count * record.codeBytes)
    try file.readCodes(
      index, elements: batch.elements, into: UnsafeMutableRawBufferPointer(memory.codes[bytes]))
    try file.readScales(
      index, blocks: batch.blocks, into: memory.scales[0..<batch.blocks.count])
  }
}

/// The quantised tensors of a checkpoint.
public struct StoredTensors: Sendable {
  let tensors: [StoredTensor]
  /// Tensors that look quantised and cannot be read so.
  public let skipped: [SkippedItem]
  public var count: Int { tensors.count }
  public var elementCount: Int { tensors.reduce(0) { $0 + $1.grid.elementCount } }
  /// What each is.
  public var summaries: [WrittenTensor] {
    tensors.map {
      WrittenTensor(
        source: $0.file.file.path, name: $0.record.name, shape: $0.record.shape,
        format: $0.spec.format,
        axis: $0.record.axis, block: $0.record.block, recipe: $0.spec.recipe,
        rounding: $0.record.rounding, blocks: $0.grid.blockCount,
        elements: $0.grid.elementCount, tensorScale: $0.record.tensorScale?.decode,
        clampedScales: nil, narrowed: nil)
    }
  }
  /// How each is stored.
  public var specs: [QuantizationSpec] { tensors.map(\.spec) }

  /// - Parameter argument: `FILE` or `FILE:PATTERN`.
  /// - Throws: `badData` where nothing in the file is a quantised tensor.
  public init(_ argument: String, catalog: FormatCatalog, recipe: Recipe?) throws {
    let (path, pattern) = InputSelection.split(argument)
    let file = try QuantizedFile(try TensorFile.open(path))
    tensors = try file.records.indices.filter { index in
      pattern.map { matchesGlob(file.records[index].name, $0) } ?? true
    }.map { try StoredTensor(file, $0, catalog: catalog, recipe: recipe) }
    skipped = file.unreadable.map {
      SkippedItem(file: path, name: $0.fault.tensor ?? "", reason: $0.fault.problem)
    }
    guard tensors.isEmpty else { return }
    if let first = file.unreadable.first { throw first }
    throw MeasurementError.badData(
      file: path, tensor: nil,
      pattern.map { "no quantised tensor matches \"\($0)\"" }
        ?? "no quantised tensors (expected NAME.codes with NAME.scales, or another stack's keys)")
  }
}

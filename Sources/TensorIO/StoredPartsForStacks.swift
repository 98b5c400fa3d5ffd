import NumberFormats

/// What compressed-tensors and ModelOpt store, as far as it could be established.
///
/// Sources: compressed-tensors, src/compressed_tensors/compressors (nvfp4, mxfp4, mxfp8,
/// naive_quantized, pack_quantized); Model-Optimizer, modelopt/torch/export/quant_utils.py
/// (`pack_int4_in_uint8` for INT4). Both
/// hold matrices [rows, columns] with blocks along the columns and linear scales.
extension StoredParts {
  /// - Throws: `usage` for a format, block or layout that the stack's loader does not take.
  init(stack record: QuantizedTensorRecord, grid: BlockGrid, path: String) throws(TensorIOError) {
    func refuse(_ problem: String, _ expected: String) -> TensorIOError {
      .usage(
        path, tensor: record.name, "\(record.keys.rawValue) keys cannot hold \(problem)",
        expected: expected)
    }
    guard record.shape.count == 2, record.axis == -1 || record.axis == 1 else {
      throw refuse(
        "shape \(record.shape) with blocks along axis \(record.axis)", "a matrix, axis -1")
    }
    guard record.scaleLayout == .linear else { throw refuse("the 128x4 scale layout", "linear") }
    let (rows, columns) = (record.shape[0], record.shape[1])
    if case .line(let size) = record.block {
      guard columns % size == 0 else {
        throw refuse("block \(size) in rows of \(columns)", "a block that divides the row")
      }
    }
    (scaleRows, scaleColumns) = record.scaleMatrix(grid)
    let isModelOpt = record.keys == .modelOpt
    let kind = StackFormat(record.format, block: record.block, keys: record.keys)
    switch kind {
    case .fourBitFloat:
      guard record.packing == .low, columns % 2 == 0 else {
        throw refuse("\(record.packing) packing of rows of \(columns)", "low, and even rows")
      }
      codesForm = .nibbles(.low, splitBlock: 1)
      codes = Declaration(
        name: isModelOpt ? record.name : record.name + "_packed", dtype: .u8,
        shape: [rows, columns / 2])
    case .fourBitInteger:
      guard record.packing == .low, columns % 8 == 0 else {
        throw refuse("\(record.packing) packing of rows of \(columns)", "low, and a multiple of 8")
      }
      codesForm = .offsetWords(bits: 4)
      codes = Declaration(name: record.name + "_packed", dtype: .i32, shape: [rows, columns / 8])
      shape = Declaration(name: record.name + "_shape", dtype: .i64, shape: [2])
    case .fourBitRowPairs:
      guard record.packing == .low, rows % 2 == 0 else {
        throw refuse("\(record.packing) packing of \(rows) rows", "low, and an even number of rows")
      }
      codesForm = .rowPairs
      codes = Declaration(name: record.name, dtype: .u8, shape: [rows / 2, columns])
    case .eightBitFloat, .eightBitInteger:
      codesForm = .whole(bytes: 1)
      codes = Declaration(
        name: record.name, dtype: kind == .eightBitFloat ? .f8e4m3 : .i8, shape: record.shape)
    case nil:
      throw refuse(
        "format \(record.format) with block \(record.block)",
        StackFormat.supported(record.keys))
    }
    let scaleType: TensorDType =
      record.format == "nvfp4" ? .f8e4m3 : record.scaleStorage.dtype
    var scaleShape = grid.scaleShape
    if isModelOpt, record.block == .tensor { scaleShape = [] }
    if isModelOpt, record.block == .axis { scaleShape = [rows] }
    scales = Declaration(name: record.name + "_scale", dtype: scaleType, shape: scaleShape)
    if record.format == "nvfp4" {
      storesEncodeScale = !isModelOpt
      tensorScale = Declaration(
        name: record.name + (isModelOpt ? "_scale_2" : "_global_scale"), dtype: .f32,
        shape: isModelOpt ? [] : [1])
    } else if record.tensorScale != nil {
      throw refuse("a tensor scale with format \(record.format)", "nvfp4")
    }
  }
}

/// How a stack stores the codes of a format.
private enum StackFormat {
  case fourBitFloat, fourBitInteger, fourBitRowPairs, eightBitFloat, eightBitInteger

  init?(_ format: String, block: BlockShape, keys: QuantizedKeys) {
    let isLine: Bool
    if case .line = block { isLine = true } else { isLine = false }
    switch (format, block) {
    case ("nvfp4", .line(16)), ("mxfp4", .line(32)): self = .fourBitFloat
    case ("mxfp8_e4m3", .line(32)), ("fp8_tensor", .tensor), ("fp8_channel", .axis):
      self = .eightBitFloat
    case ("int8_channel", .axis): self = .eightBitInteger
    case ("int4_full", .line) where keys == .modelOpt: self = .fourBitRowPairs
    default:
      guard keys == .compressedTensors else { return nil }
      switch format {
      case "fp8_128x128", "fp8_128x128_pow2":
        guard block == .tile(rows: 128, columns: 128) else { return nil }
        self = .eightBitFloat
      case "fp8_1x128", "fp8_1x128_pow2":
        guard isLine else { return nil }
        self = .eightBitFloat
      case "int8_tensor" where block == .tensor: self = .eightBitInteger
      case "int8", "int8_fp16":
        guard isLine || block == .axis else { return nil }
        self = .eightBitInteger
      case "int4", "int4_fp16", "int4_full", "int4_full_fp16":
        guard isLine || block == .axis else { return nil }
        self = .fourBitInteger
      default: return nil
      }
    }
  }

  static func supported(_ keys: QuantizedKeys) -> String {
    let both = "nvfp4 with 16, mxfp4 and mxfp8_e4m3 with 32, fp8_tensor, fp8_channel, int8_channel"
    guard keys == .compressedTensors else { return both + ", int4_full in groups" }
    return both + ", int8_tensor, fp8_128x128, fp8_1x128, int8, int4 and int4_full in groups"
  }
}

import NumberFormats

/// How a record's codes lie in their tensor.
enum StoredCodes: Hashable, Sendable {
  /// Unpacked little-endian codes of 1, 2 or 4 bytes.
  case whole(bytes: Int)
  case nibbles(CodePacking, splitBlock: Int)
  /// compressed-tensors' `pack-quantized`: int32 words, lowest bits first, each code plus
  /// 2^(bits − 1); 4 or 8 bits.
  case offsetWords(bits: Int)
  /// ModelOpt's INT4: byte (r, c) holds row 2r's code below and row 2r+1's above, two's complement.
  case rowPairs

  /// How many rows share one row of bytes.
  var sharedRows: Int { self == .rowPairs ? 2 : 1 }

  /// Bytes of one row, or of the rows that share them.
  func rowBytes(columns: Int) -> Int {
    switch self {
    case .whole(let bytes): columns * bytes
    case .nibbles(let packing, let splitBlock):
      packing.rowBytes(columns: columns, splitBlock: splitBlock)
    case .rowPairs: columns
    case .offsetWords(let bits): (columns * bits + 31) / 32 * 4
    }
  }
}

/// The tensors of a file that make up one record, as they are to be written.
struct StoredParts {
  typealias Declaration = SafetensorsWriter.Declaration

  var codes: Declaration
  var codesForm: StoredCodes
  var scales: Declaration
  var tensorScale: Declaration?
  /// Whether `tensorScale` holds the encode side.
  var storesEncodeScale = false
  /// A tensor that holds the shape itself (I64).
  var shape: Declaration?
  /// The scales seen as a matrix: all axes but the last, by the last.
  var scaleRows: Int
  var scaleColumns: Int

  var declarations: [Declaration] { [codes, scales] + [tensorScale, shape].compactMap { $0 } }

  /// - Throws: `usage` where the record does not fit its keys.
  init(_ record: QuantizedTensorRecord, path: String) throws(TensorIOError) {
    let grid: BlockGrid
    do {
      guard elementCount(shape: record.shape) != nil else {
        throw TensorIOError.usage(
          path, tensor: record.name, "impossible shape \(record.shape)", expected: possibleShape)
      }
      grid = try record.grid()
    } catch let error as TensorIOError {
      throw error
    } catch {
      throw .usage(path, tensor: record.name, "\(error)")
    }
    switch record.keys {
    case .blockscale: try self.init(own: record, grid: grid, path: path)
    case .compressedTensors, .modelOpt: try self.init(stack: record, grid: grid, path: path)
    case .gptOSS, .torchAO, .deepSeek:
      throw .usage(
        path, tensor: record.name, "\(record.keys.rawValue) keys are only read",
        expected: "blockscale, compressed-tensors or modelopt")
    }
  }

  private init(own record: QuantizedTensorRecord, grid: BlockGrid, path: String)
    throws(TensorIOError)
  {
    var codesShape = record.shape
    if record.packing == .none {
      codesForm = .whole(bytes: record.codeBytes)
    } else {
      guard record.codeBytes == 1 else {
        throw .usage(
          path, tensor: record.name, "codes of \(record.codeBytes) bytes cannot be packed",
          expected: "codes of at most 4 bits")
      }
      guard let splitBlock = record.packing == .split ? record.splitBlock : 1 else {
        throw .usage(
          path, tensor: record.name, "split packing with block \(record.block)",
          expected: "blocks along the last axis")
      }
      codesForm = .nibbles(record.packing, splitBlock: splitBlock)
      codesShape = record.shape.dropLast() + [codesForm.rowBytes(columns: record.rowLength)]
    }
    (scaleRows, scaleColumns) = record.scaleMatrix(grid)
    let codesType: TensorDType = record.codeBytes == 1 ? .u8 : record.codeBytes == 2 ? .u16 : .u32
    codes = Declaration(name: record.name + ".codes", dtype: codesType, shape: codesShape)
    var scaleShape = grid.scaleShape
    if record.scaleLayout == .swizzled128x4 {
      guard record.scaleStorage == .u8 else {
        throw .usage(
          path, tensor: record.name, "the 128x4 layout with \(record.scaleStorage.rawValue) scales",
          expected: "8-bit scales")
      }
      let stored = record.scaleLayout.storedShape(rows: scaleRows, columns: scaleColumns)
      scaleShape = [stored.rows, stored.columns]
    }
    scales = Declaration(
      name: record.name + ".scales", dtype: record.scaleStorage.dtype, shape: scaleShape)
    if record.tensorScale != nil {
      tensorScale = Declaration(name: record.name + ".tensor_scale", dtype: .f32, shape: [1])
    }
  }
}

extension ScaleStorage {
  var dtype: TensorDType {
    switch self {
    case .u8: .u8
    case .f16: .f16
    case .bf16: .bf16
    case .f32: .f32
    }
  }
}

extension QuantizedTensorRecord {
  /// The scales seen as a matrix: all axes but the last, by the last.
  func scaleMatrix(_ grid: BlockGrid) -> (rows: Int, columns: Int) {
    let shape = grid.scaleShape
    return (shape.dropLast().reduce(1, *), shape.last ?? 1)
  }
}

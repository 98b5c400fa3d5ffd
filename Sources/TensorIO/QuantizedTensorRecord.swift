import NumberFormats

/// Whose names and shapes a quantised checkpoint's tensors have.
public enum QuantizedKeys: String, Sendable, Hashable, CaseIterable {
  /// `NAME.codes`, `NAME.scales`, `NAME.tensor_scale`, with a JSON entry under `__metadata__`.
  case blockscale
  /// `NAME_packed` or `NAME`, `NAME_scale`, `NAME_global_scale` (encode side).
  case compressedTensors = "compressed-tensors"
  /// `NAME`, `NAME_scale`, `NAME_scale_2` (decode side).
  case modelOpt = "modelopt"
  /// `NAME_blocks`, `NAME_scales`; read only.
  case gptOSS = "gpt-oss"
  /// `MODULE._NAME_qdata`, `_scale`, `_per_tensor_scale`; read only.
  case torchAO = "torchao"
  /// `NAME`, `NAME_scale_inv` (decode side, as DeepSeek's checkpoints have it); read only.
  case deepSeek = "deepseek"
}

/// The stored pattern of one scale.
public enum ScaleStorage: String, Sendable, Hashable, CaseIterable {
  case u8 = "U8"
  case f16 = "F16"
  case bf16 = "BF16"
  case f32 = "F32"

  public var bytes: Int {
    switch self {
    case .u8: 1
    case .f16, .bf16: 2
    case .f32: 4
    }
  }
}

/// One quantised tensor: what it is, without its codes and scales.
public struct QuantizedTensorRecord: Sendable, Hashable {
  public var name: String
  /// Shape of the tensor that was quantised.
  public var shape: [Int]
  /// Name of the block format's row.
  public var format: String
  public var block: BlockShape
  /// The axis along which blocks run; negative counts from the end.
  public var axis: Int
  /// nil where a checkpoint of another tool does not say.
  public var recipe: String?
  public var rounding: String?
  public var packing: CodePacking
  public var scaleLayout: ScaleLayout
  /// Bytes of one unpacked code: 1, 2 or 4.
  public var codeBytes: Int
  /// The pattern in which scales are handed in and out. BF16 and F16 scales of other tools are
  /// widened to F32, exactly.
  public var scaleStorage: ScaleStorage
  /// value = code × scale × decode; `encode` is set where the file stores that side. nil for none.
  public var tensorScale: TensorScale?
  /// The version of this tool that wrote it, where it did.
  public var toolVersion: String?
  public var keys: QuantizedKeys

  public init(
    name: String, shape: [Int], format: String, block: BlockShape, axis: Int = -1,
    recipe: String? = nil, rounding: String? = nil, packing: CodePacking,
    scaleLayout: ScaleLayout = .linear, codeBytes: Int = 1, scaleStorage: ScaleStorage,
    tensorScale: TensorScale? = nil, toolVersion: String? = nil, keys: QuantizedKeys = .blockscale
  ) {
    self.name = name
    self.shape = shape
    self.format = format
    self.block = block
    self.axis = axis
    self.recipe = recipe
    self.rounding = rounding
    self.packing = packing
    self.scaleLayout = scaleLayout
    self.codeBytes = codeBytes
    self.scaleStorage = scaleStorage
    self.tensorScale = tensorScale
    self.toolVersion = toolVersion
    self.keys = keys
  }

  /// The blocks; its `scaleShape` and row-major order are those of the scales.
  public func grid() throws(BlockGridError) -> BlockGrid {
    try BlockGrid(shape: shape, axis: axis, block: block)
  }

  /// Length of the last axis, 1 for a single number.
  var rowLength: Int { shape.last ?? 1 }

  /// N of the `split` packing: the block size where blocks run along the last axis; nil elsewhere.
  var splitBlock: Int? {
    guard axis == -1 || axis == shape.count - 1 else { return nil }
    switch block {
    case .line(let size): return max(1, min(size, max(1, rowLength)))
    case .axis: return max(1, rowLength)
    case .tile, .tensor: return nil
    }
  }
}

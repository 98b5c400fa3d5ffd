import ErrorStatistics
import FormatCatalog
import NumberFormats

/// One way of quantising that an error experiment judges.
public struct ErrorCase: Sendable, Hashable {
  public var spec: QuantizationSpec
  /// As asked for: negative from the end.
  public var axis: Int
  public var block: BlockShape
  /// What the numbers go through first; the statistics are of the rotated numbers.
  public var rotation: HadamardRotation?

  public init(
    spec: QuantizationSpec, axis: Int, block: BlockShape, rotation: HadamardRotation? = nil
  ) {
    self.spec = spec
    self.axis = axis
    self.block = block
    self.rotation = rotation
  }

  /// What was done to the numbers before quantisation.
  public var transform: OperandTransform { rotation.map { .hadamard($0) } ?? .none }
}

/// The error of one tensor, or of all in total, under one case.
public struct ErrorResult: Sendable {
  public var file: String
  public var tensor: String
  public var shape: [Int]
  public var errorCase: ErrorCase
  /// How elements were rounded, by name; nil where a checkpoint does not say.
  public var rounding: String?
  /// Numbers of the input that float32 cannot hold, which were rounded on reading.
  public var narrowed: Int
  /// The decode-side tensor scale; nil where there is none, and in totals.
  public var tensorScale: Float?
  public var report: ErrorReport
}

/// A combination or a tensor that was left out, and why.
public struct SkippedItem: Sendable, Hashable {
  public var file: String?
  /// A tensor's name, or the format and recipe of a combination.
  public var name: String
  public var reason: String

  public init(file: String?, name: String, reason: String) {
    self.file = file
    self.name = name
    self.reason = reason
  }
}

extension QuantizationSpec {
  /// Stored bits per element of a tensor cut so.
  func bitsPerElement(_ grid: BlockGrid, storesTensorScale: Bool) -> Double {
    guard grid.elementCount > 0 else { return 0 }
    var format = format
    format.hasTensorScale = storesTensorScale
    return format.bitsPerElement(elements: grid.elementCount, blocks: grid.blockCount)
  }

  /// Whether a tensor scale is stored beside the block scales.
  public var storesTensorScale: Bool {
    switch tensorScale {
    case .none: return false
    case .given: return true
    case .auto:
      if case .named(let steps) = recipe.steps { return steps.tensorScale != .none }
      return format.hasTensorScale
    }
  }
}

extension Recipe {
  /// Whether the recipe is defined for a format with a block.
  ///
  /// Sizes are those of the runs along the axis: N of runs, the width of tiles, which must be
  /// square or one row high.
  public func isDefined(for format: BlockFormat, block: BlockShape) -> Bool {
    guard formats.isEmpty || formats.contains(format.name) else { return false }
    guard !blockSizes.isEmpty else { return true }
    switch block {
    case .line(let size): return blockSizes.contains(size)
    case .tile(let rows, let columns):
      return blockSizes.contains(columns) && (rows == 1 || rows == columns)
    case .axis, .tensor: return false
    }
  }
}

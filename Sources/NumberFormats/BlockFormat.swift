/// Which elements share a scale (spec/exact.md, step 1).
public enum BlockShape: Sendable, Hashable {
  /// Runs of Q_b elements along the chosen axis.
  case line(Int)
  /// Tiles of `rows` × `columns` on the last two axes.
  case tile(rows: Int, columns: Int)
  /// One block for each whole line along the axis (per-channel).
  case axis
  /// One block for the whole tensor (per-tensor).
  case tensor

  /// Reads `N`, `RxC`, `axis` or `tensor`; nil otherwise, and for sizes below 1.
  public init?(_ text: String) {
    let lower = text.lowercased()
    switch lower {
    case "axis": self = .axis
    case "tensor": self = .tensor
    default:
      let parts = lower.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.allSatisfy({ ($0 ?? 0) >= 1 }) else { return nil }
      switch parts.count {
      case 1: self = .line(parts[0] ?? 1)
      case 2: self = .tile(rows: parts[0] ?? 1, columns: parts[1] ?? 1)
      default: return nil
      }
    }
  }
}

extension BlockShape: CustomStringConvertible {
  public var description: String {
    switch self {
    case .line(let size): "\(size)"
    case .tile(let rows, let columns): "\(rows)x\(columns)"
    case .axis: "axis"
    case .tensor: "tensor"
    }
  }
}

/// One row of `formats/blocks.json5`: an element format, a scale format and the default block.
public struct BlockFormat: Sendable, Hashable {
  public var name: String
  public var aliases: [String]
  public var source: String
  public var checked: String
  public var element: ElementFormat
  public var scale: ScaleFormat
  /// Whether an FP32 scale is rounded up to a power of two (spec/exact.md, step 4).
  public var powerOfTwoScale: Bool
  /// The default block; Q_b is a parameter, not a property of the format.
  public var block: BlockShape
  /// Whether the format has a float32 tensor scale above the block scales (NVFP4).
  public var hasTensorScale: Bool

  public init(
    name: String, aliases: [String] = [], source: String = "", checked: String = "no",
    element: ElementFormat, scale: ScaleFormat, powerOfTwoScale: Bool = false, block: BlockShape,
    hasTensorScale: Bool = false
  ) {
    self.name = name
    self.aliases = aliases
    self.source = source
    self.checked = checked
    self.element = element
    self.scale = scale
    self.powerOfTwoScale = powerOfTwoScale
    self.block = block
    self.hasTensorScale = hasTensorScale
  }

  /// Storage in bits per element of `elements` values in `blocks` blocks: the element codes, the
  /// stored scales, and 32 bits for the tensor scale where there is one.
  public func bitsPerElement(elements: Int, blocks: Int) -> Double {
    guard elements > 0 else { return 0 }
    let total =
      Double(elements) * Double(element.bits) + Double(blocks) * Double(scale.storedBits)
      + (hasTensorScale ? 32 : 0)
    return total / Double(elements)
  }
}

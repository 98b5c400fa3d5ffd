import NumberFormats
import TensorIO

/// How quantised tensors are laid out in a file.
public struct StorageRequest: Sendable, Hashable {
  /// nil: low nibble first where codes have at most 4 bits, else a byte or more each.
  public var packing: CodePacking?
  public var scaleLayout: ScaleLayout
  public var keys: QuantizedKeys

  public init(packing: CodePacking?, scaleLayout: ScaleLayout, keys: QuantizedKeys) {
    self.packing = packing
    self.scaleLayout = scaleLayout
    self.keys = keys
  }

  /// The packing for a format's codes.
  ///
  /// - Throws: `usage` where nibbles are asked for and codes do not fit.
  func packing(for element: ElementFormat) throws(MeasurementError) -> CodePacking {
    guard let packing, packing != .none else {
      return packing ?? (element.bits <= 4 ? .low : .none)
    }
    guard element.bits <= 4 else {
      throw .usage(
        "--packing \(packing.rawValue): codes of \(element.name) have \(element.bits) bits"
          + " (expected at most 4)")
    }
    return packing
  }
}

extension ScaleFormat {
  /// The pattern that a stored scale has.
  public var storage: ScaleStorage {
    switch storedBits {
    case 8: .u8
    case 16: layout.exponentBits == 8 ? .bf16 : .f16
    default: .f32
    }
  }
}

extension QuantizationSpec {
  /// How elements are rounded, as metadata name it.
  public var roundingName: String {
    if let rounding { return rounding.description }
    guard case .named(let steps) = recipe.steps else { return Rounding.tiesToEven.description }
    return steps.elementRounding.rawValue
  }
}

/// The alternatives of the exact recipe for an E8M0 scale (spec/exact.md, step 4). Other scale
/// formats have one exact rule, and all five names mean it.
public enum ExactScaleRule: String, Sendable, Hashable, Codable, CaseIterable {
  /// The OCP rule: exponent of a/T minus emaxE.
  case floor
  /// ⌈log2(a/(maxE·T))⌉
  case rceil
  /// ⌈log2(a/T)⌉ − emaxE
  case ceil
  /// The OCP exponent, one more when the significand of a/T is at least 2 − 2^−(m+1).
  case even
  /// ⌊log2(a/T) + ½⌋ − emaxE
  case nearest
}

/// One row of `formats/recipes.json5`: how a scale and codes are computed.
public struct Recipe: Sendable, Hashable {
  public enum Steps: Sendable, Hashable {
    /// Every quantity is a real number rounded once (spec/exact.md).
    case exact(ExactScaleRule)
    /// One stack's float32 operations in its order (spec/recipes.md section 4).
    case named(NamedRecipe)
  }
  public var name: String
  public var aliases: [String]
  /// The version or date of the stack whose bits these are; empty for the exact recipes.
  public var version: String
  public var source: String
  /// What the recipe was checked against, or `no`.
  public var checked: String
  /// Block formats the recipe is defined for, by canonical name; empty means all.
  public var formats: [String]
  /// Block sizes the stack accepts; empty means any.
  public var blockSizes: [Int]
  /// The recipe that stands in when no tensor scale is wanted (torchao's one-level NVFP4).
  public var withoutTensorScale: String?
  public var steps: Steps

  public init(
    name: String, aliases: [String] = [], version: String = "", source: String = "",
    checked: String = "no", formats: [String] = [], blockSizes: [Int] = [],
    withoutTensorScale: String? = nil, steps: Steps
  ) {
    self.name = name
    self.aliases = aliases
    self.version = version
    self.source = source
    self.checked = checked
    self.formats = formats
    self.blockSizes = blockSizes
    self.withoutTensorScale = withoutTensorScale
    self.steps = steps
  }

  public var isExact: Bool {
    if case .exact = steps { return true }
    return false
  }
}

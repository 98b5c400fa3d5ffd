import NumberFormats

/// A tensor that was written, for a summary.
public struct WrittenTensor: Sendable {
  public var name: String
  public var shape: [Int]
  public var format: BlockFormat
  public var axis: Int
  public var block: BlockShape
  public var recipe: Recipe
  public var rounding: String
  public var blocks: Int
  public var elements: Int
  /// The decode-side factor; nil where there is none.
  public var tensorScale: Float?
  /// Blocks whose scale met an end of its format's range; nil where that is not known.
  public var clampedScales: Int?
}

import NumberFormats

/// A tensor that was written, for a summary.
public struct WrittenTensor: Sendable {
  /// The file that it was read from.
  public var source: String
  public var name: String
  public var shape: [Int]
  public var format: BlockFormat
  public var axis: Int
  public var block: BlockShape
  public var recipe: Recipe
  /// How elements were rounded, by name; nil where a checkpoint does not say.
  public var rounding: String?
  public var blocks: Int
  public var elements: Int
  /// The decode-side factor; nil where there is none.
  public var tensorScale: Float?
  /// Blocks whose scale met an end of its format's range; nil where that is not known.
  public var clampedScales: Int?
  /// Numbers of the input that float32 cannot hold, which were rounded on reading; nil where codes
  /// were read.
  public var narrowed: Int?
}

import GRDB

/// One row of a store's `results`: what was measured, on what, and what came out.
///
/// Columns and their meaning are one list: ``CodingKeys``. Hashes of tensors are SHA-256, those of rows
/// of the format tables the `row_hash` of the JSON reports. A row follows from its key alone: the files
/// are those of the tensors of the same name and hash (``TensorRecord``), which may be several.
public struct StoredResult: Codable, Sendable, Hashable, FetchableRecord, PersistableRecord {
  public static let databaseTableName = "results"

  /// SHA-256 over everything that decides the result; equal keys are equal work.
  public var key: String
  /// `tensor` or `product`.
  public var kind: String
  /// The tensor's name, A's of a product.
  public var tensor: String
  public var tensorHash: String
  /// B's name and hash.
  public var other: String?
  public var otherHash: String?
  /// `[rows, columns]`, the product's own shape for a product.
  public var shape: String
  /// Elements, or outputs computed.
  public var count: Int
  /// A block format's name; `none` where A was not quantised.
  public var format: String
  public var formatHash: String
  /// B's where they are not A's.
  public var formatB: String?
  public var formatBHash: String?
  /// As `--block` takes it; `16 x 64` where B of a product has its own.
  public var block: String
  /// Q_b of a run; nil for tiles and whole axes or tensors.
  public var blockSize: Int?
  public var axis: Int
  public var recipe: String
  public var recipeHash: String
  public var rounding: String
  public var tensorScale: String
  /// The type that a stack computes in (`--as-dtype`).
  public var computeType: String
  public var accumulator: String?
  public var accumulatorHash: String?
  /// Whether B of a product is [n, k]; nil for a tensor.
  public var transposesB: Bool?
  /// What was done to the numbers before quantisation: `none`, `hadamard:N`, `outliers:values:P` or
  /// `outliers:columns:P`.
  public var transform: String
  /// The share of a product's outputs computed.
  public var fraction: Double?
  /// nil where nothing random took part.
  public var seed: Int?
  public var toolVersion: String
  /// Stored bits per element, scales included; of a product over both operands.
  public var bitsPerElement: Double?
  /// Σe²/Σx²; nil where undefined or infinite.
  public var nmse: Double?
  /// Decibels; nil where undefined or infinite.
  public var sqnrDecibels: Double?
  /// One member of `results` as `blockscale error --as json` or `matmul --as json` print it, without the
  /// files' names.
  public var report: String

  public enum CodingKeys: String, CodingKey, CaseIterable {
    case key, kind, tensor
    case tensorHash = "tensor_hash"
    case other
    case otherHash = "other_hash"
    case shape, count, format
    case formatHash = "format_hash"
    case formatB = "format_b"
    case formatBHash = "format_b_hash"
    case block
    case blockSize = "block_size"
    case axis, recipe
    case recipeHash = "recipe_hash"
    case rounding
    case tensorScale = "tensor_scale"
    case computeType = "as_dtype"
    case accumulator
    case accumulatorHash = "accumulator_hash"
    case transposesB = "transpose_b"
    case transform, fraction, seed
    case toolVersion = "tool_version"
    case bitsPerElement = "bits_per_element"
    case nmse
    case sqnrDecibels = "sqnr_db"
    case report
  }
}

/// One row of a store's `tensors`: a tensor as a sweep found it.
public struct TensorRecord: Codable, Sendable, Hashable, FetchableRecord, PersistableRecord {
  public static let databaseTableName = "tensors"

  /// SHA-256 of type, shape, order and bytes.
  public var hash: String
  /// From the root, the same however a sweep was told of it.
  public var file: String
  public var name: String
  /// `weight`, `activation`, or `operand` where only products read it.
  public var role: String
  public var shape: String
  public var dtype: String
  public var count: Int
  /// The largest finite magnitude.
  public var maxAbs: Double
  /// Of the finite numbers; nil where there are none.
  public var rms: Double?
  /// Quantiles of amax/rms over blocks of 32 along the last axis, by the share of blocks below, as
  /// JSON; nil without blocks that have one.
  public var crestQuantiles: String?

  public enum CodingKeys: String, CodingKey, CaseIterable {
    case hash, file, name, role, shape, dtype, count
    case maxAbs = "max_abs"
    case rms
    case crestQuantiles = "crest_quantiles"
  }
}

extension StoredResult {
  /// In words, for messages.
  var title: String {
    let sides = other.map { "\(tensor) x \($0)" } ?? tensor
    let words = [
      formatB.map { "\(format) x \($0)" } ?? format, block, recipe, accumulator,
      transform == "none" ? nil : transform,
    ]
    return "\(sides): \(words.compactMap { $0 }.joined(separator: " "))"
  }
}

import Measurement
import NumberFormats

/// What a sweep measures, as asked for: names that nobody has looked up yet.
///
/// Tensors are measured under every format × recipe × rounding × block × transform; products also under every
/// accumulator, both sides alike unless ``ProductPlan/formatsB`` says otherwise.
public struct SweepPlan: Sendable, Hashable {
  /// The plan's file; nil where flags said it.
  public var file: String?
  /// `FILE` or `FILE:PATTERN`.
  public var weights: [String] = []
  public var activations: [String] = []
  public var products: [ProductPlan] = []
  public var formats: [String] = []
  /// Empty: each format's own.
  public var blocks: [BlockShape] = []
  public var recipes: [String] = ["exact"]
  /// Of elements, in place of the recipe's. Empty: the recipe's alone.
  public var roundings: [Rounding] = []
  public var accumulators: [String] = ["exact"]
  /// What operands go through first. Empty: nothing. Outlier splits are of products alone.
  public var transforms: [OperandTransform] = []
  /// That blocks of weights and activations run along; negative from the end.
  public var axis = -1
  public var tensorScale: TensorScaleChoice = .auto
  public var computeType: ComputeType = .fp32
  /// Of stochastic rounding and of sampled products, at most 2^63 − 1.
  public var seed: UInt64 = 1
  /// The share of a product's outputs computed, over 0 and at most 1.
  public var fraction = 1.0
  /// Further format tables.
  public var formatFiles: [String] = []

  public init(file: String? = nil) { self.file = file }

  /// How a field is called in errors: `formats[2]`, or the flag.
  func field(_ name: String, _ index: Int? = nil) -> String {
    guard file != nil else { return Self.flags[name] ?? "--\(name)" }
    return index.map { "\(name)[\($0)]" } ?? name
  }

  private static let flags = [
    "weights": "in", "formats": "--format", "blocks": "--block", "recipes": "--recipe",
    "roundings": "--rounding", "rotations": "--rotate", "outliers": "--outliers",
    "accumulators": "--accumulator", "products": "--product",
  ]
}

/// Pairs of tensors that are multiplied: A [m, k], activations, by B [k, n], weights.
public struct ProductPlan: Sendable, Hashable {
  /// `FILE:PATTERN` each. Tensors meet whose names put the same text in the place of the patterns'
  /// wildcards: `*.input` and `*.weight`.
  public var a: String
  public var b: String
  /// B is [n, k].
  public var transposesB = false
  /// These replace the plan's where they are given.
  public var formats: [String]?
  /// B's formats, each with every one of A's; nil: B has A's.
  public var formatsB: [String]?
  public var blocks: [BlockShape]?
  /// B's blocks, each with every one of A's; nil: B has A's.
  public var blocksB: [BlockShape]?
  public var recipes: [String]?
  public var accumulators: [String]?
  public var fraction: Double?

  public init(a: String, b: String, transposesB: Bool = false) {
    self.a = a
    self.b = b
    self.transposesB = transposesB
  }
}

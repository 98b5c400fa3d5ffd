/// The type a stack computes in when it follows its input's type (`--as-dtype`).
public enum ComputeType: String, Sendable, Hashable, CaseIterable {
  case fp32, bf16, fp16
}

/// What is asked about the tensor scale (`--tensor-scale`).
public enum TensorScaleChoice: Sendable, Hashable {
  /// From the tensor's amax, where the format or recipe has one; 1 elsewhere.
  case auto
  /// T = 1.
  case none
  /// A decode-side factor (value = code × scale × factor), finite and positive.
  case given(Float)
}

/// Everything that decides how a tensor is quantised, apart from the tensor and its block grid.
public struct QuantizationSpec: Sendable, Hashable {
  public var format: BlockFormat
  public var recipe: Recipe
  /// Replaces the recipe's element rounding.
  public var rounding: Rounding?
  public var tensorScale: TensorScaleChoice
  public var computeType: ComputeType
  /// Consumed by stochastic rounding only.
  public var randomBits: RandomBits

  public init(
    format: BlockFormat, recipe: Recipe, rounding: Rounding? = nil,
    tensorScale: TensorScaleChoice = .auto, computeType: ComputeType = .fp32,
    randomBits: RandomBits = .philox(seed: 1)
  ) {
    self.format = format
    self.recipe = recipe
    self.rounding = rounding
    self.tensorScale = tensorScale
    self.computeType = computeType
    self.randomBits = randomBits
  }
}

/// A tensor's scale as the engines use it.
public struct TensorScale: Sendable, Hashable {
  /// The decode-side factor T or P: value = code × scale × decode. 1 where there is none.
  public var decode: Float
  /// The encode-side factor G of recipes that have one; `decode` is then 1/G in float32.
  public var encode: Float?
  /// The tensor's amax over finite values, where known.
  public var amax: Float?

  public init(decode: Float, encode: Float? = nil, amax: Float? = nil) {
    self.decode = decode
    self.encode = encode
    self.amax = amax
  }

  public static let one = TensorScale(decode: 1)
}

/// Why a tensor cannot be quantised. Positions are row-major element indices within the tensor;
/// the caller adds the file and the tensor.
public enum QuantizeError: Error, Sendable, Hashable {
  /// A block holds NaN or infinity, and neither the scale nor the element has a NaN.
  case nonFinite(position: Int, format: String)
  /// The block needs a step of the recipe that nobody has established.
  case unknownStep(recipe: String, step: String, position: Int)
  /// A tensor scale that is not finite and positive.
  case badTensorScale(Float)
  /// The recipe is not defined for the format.
  case recipeNotForFormat(recipe: String, format: String)
  /// The recipe needs a tensor scale and none was allowed.
  case needsTensorScale(recipe: String)
  /// The stack does not take this block.
  case blockNotForRecipe(recipe: String, block: String)
  /// Fewer random bits than elements, or a value not below 2^n.
  case badRandomBits(position: Int)
  /// The rounding asked for cannot replace this recipe's element step.
  case roundingNotForRecipe(recipe: String, rounding: String)
}

extension QuantizeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .nonFinite(let position, let format):
      "element \(position): NaN or infinity in a block, and \(format) has no NaN in scale or element"
    case .unknownStep(let recipe, let step, let position):
      "element \(position): recipe \(recipe) does not establish \(step); the block is refused"
    case .badTensorScale(let value):
      "tensor scale \(value): expected a finite number above 0"
    case .recipeNotForFormat(let recipe, let format):
      "recipe \(recipe) is not defined for format \(format)"
    case .needsTensorScale(let recipe):
      "recipe \(recipe) has no form without a tensor scale"
    case .blockNotForRecipe(let recipe, let block):
      "recipe \(recipe) does not take block \(block)"
    case .badRandomBits(let position):
      "element \(position): expected one random value below 2^n for each element"
    case .roundingNotForRecipe(let recipe, let rounding):
      "recipe \(recipe) has an element step of its own, which \(rounding) cannot replace"
    }
  }
}

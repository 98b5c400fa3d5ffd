import FormatCatalog
import NumberFormats

/// Formats, blocks and recipes by name, before they are combined.
public struct CaseRequest: Sendable {
  public var formats: [String]
  /// Empty means each format's own.
  public var blocks: [BlockShape]
  public var recipes: [String]
  public var axis: Int
  public var rounding: Rounding?
  public var tensorScale: TensorScaleChoice
  public var computeType: ComputeType
  public var randomBits: RandomBits

  public init(
    formats: [String], blocks: [BlockShape] = [], recipes: [String] = ["exact"], axis: Int = -1,
    rounding: Rounding? = nil, tensorScale: TensorScaleChoice = .auto,
    computeType: ComputeType = .fp32, randomBits: RandomBits = .philox(seed: 1)
  ) {
    self.formats = formats
    self.blocks = blocks
    self.recipes = recipes
    self.axis = axis
    self.rounding = rounding
    self.tensorScale = tensorScale
    self.computeType = computeType
    self.randomBits = randomBits
  }

  /// Every combination that is defined, formats first, then recipes, then blocks.
  ///
  /// - Returns: the cases, and the combinations left out because the recipe is not defined there.
  /// - Throws: `usage` for unknown names and for a recipe that no combination is left of.
  public func cases(
    in catalog: FormatCatalog
  ) throws(MeasurementError) -> (cases: [ErrorCase], skipped: [SkippedItem]) {
    var cases: [ErrorCase] = []
    var skipped: [SkippedItem] = []
    var usedRecipes: Set<String> = []
    let recipes = try recipes.map { (name) throws(MeasurementError) in try recipe(name, catalog) }
    for name in formats {
      guard let format = catalog.block(name) else {
        throw .usage("no block format is called \"\(name)\" (see: blockscale formats)")
      }
      for recipe in recipes {
        for block in blocks.isEmpty ? [format.block] : blocks {
          guard recipe.isDefined(for: format, block: block) else {
            skipped.append(
              SkippedItem(
                file: nil, name: "\(format.name) \(block) \(recipe.name)",
                reason: "recipe \(recipe.name) is not defined for format \(format.name)"
                  + " with block \(block)"))
            continue
          }
          usedRecipes.insert(recipe.name)
          cases.append(ErrorCase(spec: spec(format, recipe), axis: axis, block: block))
        }
      }
    }
    for recipe in recipes where !usedRecipes.contains(recipe.name) {
      throw .usage(Self.undefined(recipe, formats, blocks))
    }
    return (cases, skipped)
  }

  private static func undefined(
    _ recipe: Recipe, _ formats: [String], _ blocks: [BlockShape]
  ) -> String {
    var text = "recipe \(recipe.name) is not defined for \(formats.joined(separator: ", "))"
    if !blocks.isEmpty {
      text += " with block \(blocks.map(\.description).joined(separator: ", "))"
    }
    if !recipe.formats.isEmpty {
      text += " (expected format \(recipe.formats.joined(separator: " or "))"
      if !recipe.blockSizes.isEmpty {
        text += ", block \(recipe.blockSizes.map(String.init).joined(separator: " or "))"
      }
      text += ")"
    }
    return text
  }

  /// The recipe of a name, or the one that stands in for it without a tensor scale.
  private func recipe(_ name: String, _ catalog: FormatCatalog) throws(MeasurementError) -> Recipe {
    guard let recipe = catalog.recipe(name) else {
      throw .usage("no recipe is called \"\(name)\" (see: blockscale formats)")
    }
    if tensorScale == .none, let other = recipe.withoutTensorScale {
      return catalog.recipe(other) ?? recipe
    }
    return recipe
  }

  private func spec(_ format: BlockFormat, _ recipe: Recipe) -> QuantizationSpec {
    QuantizationSpec(
      format: format, recipe: recipe, rounding: rounding, tensorScale: tensorScale,
      computeType: computeType, randomBits: randomBits)
  }
}

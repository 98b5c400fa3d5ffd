import NumberFormats

/// A recipe's steps as rows: what the parametric algorithm of spec/recipes.md section 4 is set to.
enum RecipeSteps {
  static func table(_ recipe: Recipe) -> Table {
    var table = Table(columns: [Column("step"), Column("setting")])
    table.rows = rows(recipe).map { [.string($0), .string($1)] }
    return table
  }

  private static func rows(_ recipe: Recipe) -> [(String, String)] {
    guard case .named(let steps) = recipe.steps else {
      guard case .exact(let rule) = recipe.steps else { return [] }
      return [
        ("every step", "a real number, rounded once"), ("E8M0 scale", rule.rawValue),
        ("other scales", "amax/(maxE·T), tiesToEven, saturating, at least the smallest positive"),
        ("elements", "x/(s·T), tiesToEven, saturating"),
      ]
    }
    return [
      ("amax", steps.amax.rawValue), ("tensor scale", steps.tensorScale.rawValue),
      ("scale value", steps.scaleValue.rawValue), ("scale rounding", steps.scaleRounding.rawValue),
      ("scale clamp", steps.scaleClamp.map { "\($0.low) to \($0.high)" } ?? "none"),
      ("scale overflow", steps.scaleOverflow.rawValue),
      ("scale of NaN", code(steps.nonFiniteScale.nan)),
      ("scale of infinity", code(steps.nonFiniteScale.infinity)),
      ("zero scale", "\(steps.zeroScale)"), ("quotient", steps.multiplier.rawValue),
      ("element rounding", steps.elementRounding.rawValue),
      ("NaN element", "\(steps.nanElement)"), ("negative zero", steps.negativeZero.rawValue),
      ("search", steps.search.rawValue), ("dequantised", steps.dequantize.rawValue),
      ("packing", steps.packing.rawValue),
    ]
  }

  private static func code(_ code: UInt32?) -> String {
    code.map { "0x" + String($0, radix: 16) } ?? "unknown: refused"
  }
}

import FastPath
import NumberFormats
import Reference
import Testing

@Suite("Recipes: fast path equals reference")
struct RecipeEqualityTests {
  @Test(
    "Every named recipe on every format it is defined for",
    arguments: catalog.recipes.filter { !$0.isExact }.map(\.name))
  func namedRecipes(name: String) throws {
    let recipe = try #require(catalog.recipe(name))
    for formatName in recipe.formats {
      let format = try #require(catalog.block(formatName))
      for grid in try grids(recipe, format) {
        for filling in Filling.allCases {
          let values = filling.values(grid.elementCount, seed: 5)
          // One block of the specials at a time, so that refusals do not hide the rest.
          for type in [ComputeType.fp32, .bf16] {
            for choice in [TensorScaleChoice.auto, .given(0.0123)] {
              let spec = QuantizationSpec(
                format: format, recipe: recipe, tensorScale: choice, computeType: type)
              try check(
                spec, grid, values, "\(name) \(formatName) \(grid.block) \(filling) \(type)")
            }
          }
        }
      }
    }
  }

  @Test(
    "Single blocks with NaN, infinity, signed zeros and extremes",
    arguments: catalog.recipes.filter { !$0.isExact }.map(\.name))
  func directedBlocks(name: String) throws {
    let recipe = try #require(catalog.recipe(name))
    let fills: [[Float]] = [
      [0], [-0.0], [.nan, 1], [1, .nan, -.infinity], [.infinity, 2], [-.infinity, 0],
      [3e38, -3e38],
      [0x1p-133, -0x1p-136], [0x1p-149], [0x1p-126, -0x1p-127], [-0.0, 6, -6, 1e-30],
      [0.25, -0.75, 1.25, 5],
      [.greatestFiniteMagnitude], [-1, 0], [1, -0x1p-130, 0x1.fffffep-1], [0x1.fffffep19],
      [0x1.cp5, 1], [0x1.bffffep5],
    ]
    for formatName in recipe.formats {
      let format = try #require(catalog.block(formatName))
      for grid in try grids(recipe, format) {
        for fill in fills {
          var values = (0..<grid.elementCount).map { fill[$0 % fill.count] }
          for tame in [false, true] {
            if tame { for index in values.indices.dropFirst(fill.count) { values[index] = 0.5 } }
            for choice in [TensorScaleChoice.auto, .given(0x1p-20)] {
              let spec = QuantizationSpec(format: format, recipe: recipe, tensorScale: choice)
              try check(spec, grid, values, "\(name) \(formatName) \(fill) tame \(tame) \(choice)")
            }
          }
        }
      }
    }
  }

  private func grids(_ recipe: Recipe, _ format: BlockFormat) throws -> [BlockGrid] {
    let size = recipe.blockSizes.first ?? 24
    var grids = [
      try BlockGrid(shape: [3, size * 3 + size / 2], axis: -1, block: .line(size)),
      try BlockGrid(shape: [size * 2 + 3, 4], axis: 0, block: .line(size)),
    ]
    if case .tile = format.block {
      grids = [
        try BlockGrid(
          shape: [size + 5, size * 2 + 3], axis: -1, block: .tile(rows: size, columns: size))
      ]
    }
    return grids
  }

  private func check(
    _ spec: QuantizationSpec, _ grid: BlockGrid, _ values: [Float], _ place: String
  ) throws {
    let expected = outcome(MPFREngine(), values, grid, spec)
    for target in VectorTarget.available {
      let observed = outcome(try VectorEngine(target: target), values, grid, spec)
      compare(observed, expected, values, grid, spec, "\(place) \(target)")
    }
  }

  @Test(
    "Roundings that replace a recipe's own",
    arguments: ["microxcaling-py", "torchao-floor", "te-2.15"])
  func replacedRoundings(name: String) throws {
    let recipe = try #require(catalog.recipe(name))
    let format = try #require(catalog.block(recipe.formats[0]))
    let grid = try BlockGrid(shape: [4, 64], axis: -1, block: .line(recipe.blockSizes.first ?? 32))
    for rounding in Rounding.deterministic + [.stochastic(bits: 8)] {
      for filling in [Filling.normal, .ties, .bf16] {
        let spec = QuantizationSpec(format: format, recipe: recipe, rounding: rounding)
        try check(spec, grid, filling.values(grid.elementCount, seed: 9), "\(name) \(rounding)")
      }
    }
  }
}

import NumberFormats

// The named recipes' part of the engine: spec/recipes.md section 4, every operation one float32
// rounding. Nothing here looks at a recipe's name; it goes into errors only.
extension MPFREngine {
  func namedTensorScale(
    amax: Float, spec: QuantizationSpec, steps: NamedRecipe
  ) throws(QuantizeError) -> TensorScale {
    try NamedTensorScale(spec, rule: steps.tensorScale).scale(amax: amax)
  }

  func quantizeNamed(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    steps: NamedRecipe, tensorScale: TensorScale, firstElement: Int, codes: CodeBuffer,
    scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    var counts = QuantizeCounts()
    var blocks = try NamedBlocks(
      steps, spec: spec, tensorScale: tensorScale, firstElement: firstElement)
    for block in 0..<grid.blockCount {
      let stored = try blocks.quantize(
        values, elements: BlockElements(block: block, of: grid), codes: codes)
      scales[block] = stored.code
      if stored.clamped { counts.clampedScales += 1 }
    }
    return counts
  }

  /// Step 10 of spec/recipes.md section 4: the float32 value that the stack reads back.
  func dequantizeNamed(
    _ codes: CodeReader, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, steps: NamedRecipe, tensorScale: TensorScale,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let dequantizer = NamedDequantizer(steps, format: spec.format, tensorScale: tensorScale)
    for block in 0..<grid.blockCount {
      dequantizer.dequantize(
        codes, scale: scales[block], elements: BlockElements(block: block, of: grid), into: output)
    }
  }
}

extension Recipe {
  /// Whether the recipe takes that format and that block.
  ///
  /// A tile is accepted where each side is 1 or one of the recipe's sizes, and not both are 1.
  func check(_ format: BlockFormat, block: BlockShape) throws(QuantizeError) {
    if !formats.isEmpty, !formats.contains(format.name) {
      throw .recipeNotForFormat(recipe: name, format: format.name)
    }
    if blockSizes.isEmpty { return }
    let accepted: Bool
    switch block {
    case .line(let size): accepted = blockSizes.contains(size)
    case .tile(let rows, let columns):
      let sides = [rows, columns].filter { $0 != 1 }
      accepted = sides.isEmpty ? blockSizes.contains(1) : sides.allSatisfy(blockSizes.contains)
    case .axis, .tensor: accepted = false
    }
    if !accepted { throw .blockNotForRecipe(recipe: name, block: block.description) }
  }
}

import NumberFormats

/// Quantising whole blocks by a named recipe: steps 2 to 8 of spec/recipes.md section 4.
struct NamedBlocks: ~Copyable {
  private let steps: NamedRecipe
  private let spec: QuantizationSpec
  private let tensorScale: TensorScale
  private let firstElement: Int
  private let random: RandomSource
  private var blockScale: NamedBlockScale
  private let multiplier: NamedMultiplier
  private var element: NamedElement
  private let arithmetic = Float32Arithmetic()

  init(
    _ steps: NamedRecipe, spec: QuantizationSpec, tensorScale: TensorScale, firstElement: Int
  ) throws(QuantizeError) {
    self.steps = steps
    self.spec = spec
    self.tensorScale = tensorScale
    self.firstElement = firstElement
    var step = steps.elementRounding.step
    if let rounding = spec.rounding {
      guard steps.multiplier != .nearestCode,
        let replaced = steps.elementRounding.replaced(by: rounding)
      else {
        throw .roundingNotForRecipe(recipe: spec.recipe.name, rounding: "\(rounding)")
      }
      step = replaced
    }
    random = RandomSource(rounding: step.plainRounding, bits: spec.randomBits)
    blockScale = NamedBlockScale(steps, spec: spec, tensorScale: tensorScale)
    multiplier = NamedMultiplier(steps, tensorScale: tensorScale)
    element = NamedElement(steps, element: spec.format.element, step: step)
  }

  /// One block. - Returns: the stored scale and whether it was clamped.
  mutating func quantize(
    _ values: UnsafeBufferPointer<Float>, elements: BlockElements, codes: CodeBuffer
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    if steps.multiplier == .unknown {
      throw .unknownStep(
        recipe: spec.recipe.name, step: "the element step",
        position: firstElement + (elements.first ?? 0))
    }
    var scale = try blockScale.scale(values, elements: elements, position: firstElement)
    if steps.search == .fourOverSix {
      scale = try fourOverSix(values, elements: elements, six: scale)
    }
    let isPoisoned = steps.amax == .poison && elements.contains { !values[$0].isFinite }
    for index in elements {
      codes[index] = isPoisoned ? 0 : try code(values[index], scale, at: index)
    }
    return (scale.code, scale.clamped)
  }

  private mutating func code(
    _ x: Float, _ scale: NamedScale, at index: Int
  ) throws(QuantizeError) -> UInt32 {
    guard let q = multiplier.quotient(x, scale) else {
      return element.nearestCode(x, scale: scale, powerOfTwo: spec.format.scale.isPowerOfTwo)
    }
    let bits = try random.value(at: firstElement + index)
    guard let code = element.code(q, x: x, random: bits) else {
      throw .unknownStep(
        recipe: spec.recipe.name, step: "the code of a NaN or infinite quotient",
        position: firstElement + index)
    }
    return code
  }

  /// Step 8, 4over6 (spec/recipes.md section 3.4): the scale for a maximum of 6 or, ×1.5, of 4,
  /// whichever has the smaller sum of absolute errors; a tie, or a NaN sum, takes 6.
  private mutating func fourOverSix(
    _ values: UnsafeBufferPointer<Float>, elements: BlockElements, six: NamedScale
  ) throws(QuantizeError) -> NamedScale {
    let four = try blockScale.scale(
      values, elements: elements, boost: 1.5, position: firstElement)
    let errorOfSix = try error(values, elements: elements, scale: six)
    let errorOfFour = try error(values, elements: elements, scale: four)
    return errorOfFour < errorOfSix ? four : six
  }

  /// Σ |((q·s)·A)/(6·E4M3MAX) − x| in float32, in the order of the elements; the divisor is the
  /// numerator of the recipe's G.
  private mutating func error(
    _ values: UnsafeBufferPointer<Float>, elements: BlockElements, scale: NamedScale
  ) throws(QuantizeError) -> Float {
    guard let amax = tensorScale.amax, let numerator = steps.tensorScale.numerator else {
      throw .needsTensorScale(recipe: spec.recipe.name)
    }
    var sum: Float = 0
    for index in elements {
      let x = values[index]
      let q = decodeElement(try code(x, scale, at: index), spec.format.element)
      let product = arithmetic.multiply(arithmetic.multiply(q, scale.s), amax)
      let error = arithmetic.subtract(arithmetic.divide(product, numerator), x)
      sum = arithmetic.add(sum, abs(error))
    }
    return sum
  }
}

extension NamedRecipe.TensorScaleRule {
  /// The numerator of G or, for P, its divisor.
  var numerator: Float? {
    switch self {
    case .none: nil
    case .encode1536: 1536
    case .encode2688, .encodePlain2688, .encodeInputReciprocal2688, .decode2688: 2688
    }
  }
}

import NumberFormats

/// Step 3 of spec/recipes.md section 4: the tensor scale of a named recipe.
struct NamedTensorScale: ~Copyable {
  let spec: QuantizationSpec
  let rule: NamedRecipe.TensorScaleRule
  private let arithmetic = Float32Arithmetic()

  init(_ spec: QuantizationSpec, rule: NamedRecipe.TensorScaleRule) {
    self.spec = spec
    self.rule = rule
  }

  /// - Parameter amax: A, the tensor's largest finite magnitude.
  func scale(amax: Float) throws(QuantizeError) -> TensorScale {
    let name = spec.recipe.name
    switch (rule, spec.tensorScale) {
    case (.none, .given(let value)) where value != 1:
      throw .unknownStep(recipe: name, step: "a tensor scale", position: 0)
    case (.none, _): return TensorScale(decode: 1, amax: amax)
    case (_, .none): throw .needsTensorScale(recipe: name)
    case (.decode2688, .given(let value)): return TensorScale(decode: value, amax: amax)
    case (_, .given(let value)):
      return TensorScale(decode: value, encode: arithmetic.reciprocal(value), amax: amax)
    case (.decode2688, .auto):
      return TensorScale(decode: arithmetic.divide(amax, 2688), amax: amax)
    case (.encode2688, .auto): return encoded(guarded(2688, amax), amax)
    case (.encode1536, .auto): return encoded(guarded(1536, amax), amax)
    case (.encodePlain2688, .auto): return encoded(arithmetic.divide(2688, amax), amax)
    case (.encodeInputReciprocal2688, .auto): return encoded(inInputType(amax), amax)
    }
  }

  private func encoded(_ encode: Float, _ amax: Float) -> TensorScale {
    TensorScale(decode: arithmetic.reciprocal(encode), encode: encode, amax: amax)
  }

  /// G = min(numerator/A, FLT_MAX), 1 where A or G is 0.
  private func guarded(_ numerator: Float, _ amax: Float) -> Float {
    let factor = min(arithmetic.divide(numerator, amax), .greatestFiniteMagnitude)
    return amax == 0 || factor == 0 ? 1 : factor
  }

  /// round(round(1/A)·2688) in the input's type, 1 where that is not finite.
  private func inInputType(_ amax: Float) -> Float {
    let type = spec.computeType
    let inverse = arithmetic.round(arithmetic.reciprocal(amax), to: type)
    let factor = arithmetic.round(arithmetic.multiply(inverse, 2688), to: type)
    return factor.isFinite ? factor : 1
  }
}

import NumberFormats

/// A block's stored scale and the float32 numbers that lead to it.
struct NamedScale {
  var code: UInt32
  /// The decoded stored scale.
  var s: Float
  /// The float32 scale before it was stored (ggml's d); `s` where the recipe gives the code itself.
  var unrounded: Float
  /// The encode-side factor of recipes that store its reciprocal.
  var factor: Float
  var clamped: Bool
  var amaxIsZero = false
}

/// Steps 2, 4 and 5 of spec/recipes.md section 4: a block's stored scale.
struct NamedBlockScale: ~Copyable {
  private let steps: NamedRecipe
  private let spec: QuantizationSpec
  private let value: NamedScaleValue
  private var rounding: NamedScaleRounding
  private let arithmetic = Float32Arithmetic()

  init(_ steps: NamedRecipe, spec: QuantizationSpec, tensorScale: TensorScale) {
    self.steps = steps
    self.spec = spec
    value = NamedScaleValue(steps, spec: spec, tensorScale: tensorScale)
    rounding = NamedScaleRounding(steps, format: spec.format)
  }

  /// - Parameters:
  ///   - boost: what the scale value is multiplied by before it is rounded (4over6: 1.5).
  ///   - position: row-major index of the values' first element in the tensor, for errors.
  mutating func scale(
    _ values: UnsafeBufferPointer<Float>, elements: BlockElements, boost: Float = 1, position: Int
  ) throws(QuantizeError) -> NamedScale {
    let a = try amax(values, elements: elements, position: position)
    var result = try scale(amax: a, boost: boost, position: position + (elements.first ?? 0))
    result.amaxIsZero = a == 0
    return result
  }

  private mutating func scale(
    amax a: Float, boost: Float, position first: Int
  ) throws(QuantizeError) -> NamedScale {
    if a.isNaN { return try fixed(steps.nonFiniteScale.nan, "the scale of a NaN amax", first) }
    if a.isInfinite {
      return try fixed(steps.nonFiniteScale.infinity, "the scale of an infinite amax", first)
    }
    if a == 0 {
      switch steps.zeroScale {
      case .zeroAmax(let code): return stored(code)
      case .unknown: throw unknown("the scale of a block of zeros", first)
      case .asComputed, .zeroValue, .zeroCode: break
      }
    }
    var t = value.value(amax: a)
    if boost != 1 { t = arithmetic.multiply(t, boost) }
    if steps.scaleValue.isEncode { return try encodeSide(t, first) }
    if t.isNaN { return try fixed(steps.nonFiniteScale.nan, "a NaN scale", first) }
    if t.isInfinite { return try fixed(steps.nonFiniteScale.infinity, "an infinite scale", first) }
    if case .zeroValue(let replacement) = steps.zeroScale, t == 0 { t = replacement }
    return try round(t, first)
  }

  /// Step 2: the block's maximum.
  private func amax(
    _ values: UnsafeBufferPointer<Float>, elements: BlockElements, position: Int
  ) throws(QuantizeError) -> Float {
    var largest: Float?
    for index in elements {
      let x = values[index]
      if !x.isFinite {
        switch steps.amax {
        case .unknown: throw unknown("the amax of a block with NaN or infinity", position + index)
        case .poison: return .nan
        case .propagateNaN where x.isNaN: return .nan
        case .ignoreNaN, .propagateNaN, .signedFirst: break
        }
      }
      if largest.map({ abs(x) > abs($0) }) ?? !x.isNaN {
        largest = steps.amax == .signedFirst ? x : abs(x)
      }
    }
    return largest ?? 0
  }

  private mutating func round(_ t: Float, _ position: Int) throws(QuantizeError) -> NamedScale {
    switch rounding.round(t) {
    case .unknownOverflow: throw unknown("a scale above the range", position)
    case .code(var code, let clamped):
      if case .zeroCode(let replacement) = steps.zeroScale, code == 0 { code = replacement }
      var result = stored(code)
      result.unrounded = t
      result.clamped = clamped
      return result
    }
  }

  /// The encode-side factor max/a, whose reciprocal is stored. A factor that overflows becomes the
  /// input type's largest value (spec/recipes.md section 3.5).
  private mutating func encodeSide(
    _ quotient: Float, _ position: Int
  ) throws(QuantizeError) -> NamedScale {
    var factor = quotient
    if factor.isInfinite {
      guard steps.scaleOverflow == .saturate else {
        throw unknown("an encode-side factor above the range", position)
      }
      factor = spec.computeType.largest
    }
    if steps.scaleRounding == .encodePowerOfTwo {
      factor = Float(bitPattern: factor.bitPattern & 0xFF80_0000)
    }
    var result = try round(arithmetic.reciprocal(factor), position)
    result.factor = factor
    if quotient.isInfinite { result.clamped = true }
    return result
  }

  private func stored(_ code: UInt32) -> NamedScale {
    let s = decodeScale(code, spec.format.scale)
    return NamedScale(
      code: code, s: s, unrounded: s, factor: arithmetic.reciprocal(s), clamped: false)
  }

  private func fixed(
    _ code: UInt32?, _ step: String, _ position: Int
  ) throws(QuantizeError) -> NamedScale {
    guard let code else { throw unknown(step, position) }
    return stored(code)
  }

  private func unknown(_ step: String, _ position: Int) -> QuantizeError {
    .unknownStep(recipe: spec.recipe.name, step: step, position: position)
  }
}

extension ComputeType {
  /// The largest finite number, as float32.
  var largest: Float {
    switch self {
    case .fp32: .greatestFiniteMagnitude
    case .bf16: Float(bitPattern: 0x7F7F_0000)
    case .fp16: 65504
    }
  }
}

import NumberFormats

extension NamedRecipe.ScaleValue {
  /// Whether the scale is an exponent from which emax is still to be taken.
  var isExponent: Bool { self == .exponent || self == .log2Exponent }

  /// Whether the value is the encode-side factor.
  var isEncode: Bool { self == .encodeDivide }
}

/// Step 4 of spec/recipes.md section 4: the real scale before it is rounded, in float32.
struct NamedScaleValue: ~Copyable {
  private let value: NamedRecipe.ScaleValue
  private let reciprocal: NamedRecipe.ApproximateReciprocal
  private let inputType: ComputeType
  /// `max`, the element format's largest value.
  private let largest: Float
  private let elementBits: Int
  /// G and P.
  private let encode: Float
  private let decode: Float
  private let arithmetic = Float32Arithmetic()

  init(_ steps: NamedRecipe, spec: QuantizationSpec, tensorScale: TensorScale) {
    value = steps.scaleValue
    reciprocal = steps.reciprocal
    inputType = spec.computeType
    largest = spec.format.element.largestValue
    elementBits = spec.format.element.bits
    encode = tensorScale.encode ?? arithmetic.reciprocal(tensorScale.decode)
    decode = tensorScale.decode
  }

  /// - Parameter a: the block's amax; for the exponent values it is returned as it is.
  func value(amax a: Float) -> Float {
    switch value {
    case .exponent: return a
    case .log2Exponent: return a == 0 ? .leastNormalMagnitude : a
    case .divide: return arithmetic.divide(a, largest)
    case .timesReciprocal: return arithmetic.multiply(a, arithmetic.reciprocal(largest))
    case .timesGTimesReciprocal:
      return arithmetic.multiply(a, arithmetic.multiply(encode, arithmetic.reciprocal(largest)))
    case .divideTimesG: return arithmetic.multiply(arithmetic.divide(a, largest), encode)
    case .timesReciprocalTimesG:
      let ratio = arithmetic.multiply(a, arithmetic.reciprocal(largest))
      return arithmetic.multiply(ratio, encode)
    case .approximate: return approximateRatio(a)
    case .approximateTimesG: return arithmetic.multiply(approximateRatio(a), encode)
    case .divideByP: return arithmetic.divide(arithmetic.divide(a, largest), decode)
    case .divideByMaxP: return arithmetic.divide(a, arithmetic.multiply(largest, decode))
    case .inputDivideTimesG:
      let ratio = arithmetic.round(arithmetic.divide(a, largest), to: inputType)
      return arithmetic.multiply(encode, ratio)
    case .encodeDivide: return arithmetic.divide(largest, a)
    case .signedDivide:
      return arithmetic.divide(a, -arithmetic.powerOfTwo(elementBits - 1))
    case .divideByHalfSpan:
      let span = arithmetic.subtract(arithmetic.powerOfTwo(elementBits), 1)
      return arithmetic.divide(a, arithmetic.divide(span, 2))
    }
  }

  private func approximateRatio(_ a: Float) -> Float {
    arithmetic.multiply(a, arithmetic.approximateReciprocal(largest, reciprocal))
  }
}

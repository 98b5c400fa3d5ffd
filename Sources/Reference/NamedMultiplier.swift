import NumberFormats

/// Step 6 of spec/recipes.md section 4: the quotient of an element, in float32.
struct NamedMultiplier: ~Copyable {
  private let steps: NamedRecipe
  /// G and P.
  private let encode: Float
  private let decode: Float
  private let arithmetic = Float32Arithmetic()

  init(_ steps: NamedRecipe, tensorScale: TensorScale) {
    self.steps = steps
    encode = tensorScale.encode ?? arithmetic.reciprocal(tensorScale.decode)
    decode = tensorScale.decode
  }

  /// The number that is to be rounded to the element; nil where the recipe forms no quotient.
  func quotient(_ x: Float, _ scale: NamedScale) -> Float? {
    let s = scale.s
    switch steps.multiplier {
    case .divide: return arithmetic.divide(x, s)
    case .divideBySP: return arithmetic.divide(x, arithmetic.multiply(s, decode))
    case .divideBySOverG: return arithmetic.divide(x, arithmetic.divide(s, encode))
    case .timesReciprocal:
      return arithmetic.multiply(x, byteZero(scale) ?? arithmetic.reciprocal(s))
    case .timesGuardedReciprocal:
      let inverse = arithmetic.reciprocal(arithmetic.multiply(s, arithmetic.reciprocal(encode)))
      // fmin: a NaN gives the other operand.
      let limit = Float.greatestFiniteMagnitude
      return arithmetic.multiply(x, inverse < limit ? inverse : limit)
    case .timesSafeReciprocal:
      let inverse = safeReciprocal(arithmetic.multiply(s, safeReciprocal(encode)))
      return arithmetic.multiply(x, inverse)
    case .timesReciprocalPOverS:
      return arithmetic.multiply(x, arithmetic.divide(arithmetic.reciprocal(decode), s))
    case .timesGOverS: return arithmetic.multiply(x, arithmetic.divide(encode, s))
    case .timesApproximate:
      return arithmetic.multiply(x, scale.amaxIsZero ? 0 : approximate(s))
    case .timesApproximateScaleGuard:
      return arithmetic.multiply(x, s == 0 ? 0 : approximate(s))
    case .timesPowerOfTwo:
      let power = s.isNaN ? s : arithmetic.powerOfTwo(127 - Int(scale.code))
      return arithmetic.multiply(x, byteZero(scale) ?? power)
    case .dividePowerOfTwo:
      if let factor = byteZero(scale) { return arithmetic.multiply(x, factor) }
      return arithmetic.divide(x, s)
    case .timesEncode: return arithmetic.multiply(x, scale.factor)
    case .timesReciprocalUnrounded:
      let d = scale.unrounded
      return arithmetic.multiply(x, d == 0 ? 0 : arithmetic.reciprocal(d))
    case .nearestCode, .unknown: return nil
    }
  }

  /// rcp(s · rcp(G))
  private func approximate(_ s: Float) -> Float {
    let inverse = arithmetic.approximateReciprocal(encode, steps.reciprocal)
    return arithmetic.approximateReciprocal(arithmetic.multiply(s, inverse), steps.reciprocal)
  }

  private func safeReciprocal(_ value: Float) -> Float {
    arithmetic.reciprocal(value == 0 ? arithmetic.add(value, 1e8) : value)
  }

  /// The multiplier that the recipe sets where the stored byte is 0.
  private func byteZero(_ scale: NamedScale) -> Float? {
    guard scale.code == 0 else { return nil }
    switch steps.byteZeroMultiplier {
    case .asComputed: return nil
    case .one: return 1
    case .zero: return 0
    case .halved: return arithmetic.powerOfTwo(126)
    }
  }
}

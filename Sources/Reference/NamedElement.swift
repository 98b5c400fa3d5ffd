import NumberFormats

extension NamedRecipe.ElementRounding {
  /// The element step with `rounding` in its place; nil where it has steps of its own.
  func replaced(by rounding: Rounding) -> NamedElementStep? {
    switch self {
    case .tiesToEven, .tiesToAway, .tiesTowardZero, .towardZero: .plain(rounding)
    case .privateExponentEven, .privateExponentAway, .privateExponentTowardZero:
      switch rounding {
      case .tiesToEven: .privateExponent(.privateExponentEven)
      case .tiesToAway: .privateExponent(.privateExponentAway)
      case .towardZero: .privateExponent(.privateExponentTowardZero)
      default: nil
      }
    case .offsetTruncate: nil
    }
  }

  /// The step as the recipe has it.
  var step: NamedElementStep {
    switch self {
    case .tiesToEven: .plain(.tiesToEven)
    case .tiesToAway: .plain(.tiesToAway)
    case .tiesTowardZero: .plain(.tiesTowardZero)
    case .towardZero: .plain(.towardZero)
    case .privateExponentEven, .privateExponentAway, .privateExponentTowardZero:
      .privateExponent(self)
    case .offsetTruncate: .offsetTruncate
    }
  }
}

/// How a quotient is rounded: by one of the plain roundings, or by a stack's own steps.
enum NamedElementStep {
  case plain(Rounding)
  case privateExponent(NamedRecipe.ElementRounding)
  case offsetTruncate

  var plainRounding: Rounding {
    if case .plain(let rounding) = self { return rounding }
    return .towardZero
  }
}

/// Step 7 of spec/recipes.md section 4: from the quotient to the element's code.
struct NamedElement: ~Copyable {
  private let steps: NamedRecipe
  private let element: ElementFormat
  private let step: NamedElementStep
  private var encoder: ElementEncoder
  private let privateExponent: PrivateExponent
  private let one = Real(1)
  private let real = Real()
  private let arithmetic = Float32Arithmetic()

  init(_ steps: NamedRecipe, element: ElementFormat, step: NamedElementStep) {
    self.steps = steps
    self.element = element
    self.step = step
    encoder = ElementEncoder(element, rounding: step.plainRounding)
    if case .privateExponent(let rounding) = step {
      privateExponent = PrivateExponent(element, rounding: rounding)
    } else {
      privateExponent = PrivateExponent(element, rounding: .privateExponentAway)
    }
  }

  /// The code of quotient `q` of element `x`; nil where the recipe does not say what a NaN becomes.
  mutating func code(_ q: Float, x: Float, random: UInt32) -> UInt32? {
    if q.isNaN { return nanCode(x) }
    if q.isInfinite, case .code(let code) = steps.infiniteElement { return code }
    switch step {
    case .plain: break
    case .privateExponent:
      let value = privateExponent.round(q)
      return encoder.encode(value, over: one, random: 0).map { signedZero($0, q: q, x: x) }
    case .offsetTruncate: return offsetTruncate(q)
    }
    return encoder.encode(q, over: one, random: random).map { signedZero($0, q: q, x: x) }
  }

  /// The first code of least |value·d − x|: value·d and the difference are float32 roundings
  /// (ggml; spec/recipes.md section 3.9). A NaN compares below nothing, so that code 0 stays.
  func nearestCode(_ x: Float, scale: NamedScale, powerOfTwo: Bool) -> UInt32 {
    // A wrapped byte of 255 is 2^128 here, not NaN.
    if powerOfTwo { real.set(1, exponent: Int(scale.code) - 127) } else { real.set(scale.s) }
    let product = Real()
    var best: (code: UInt32, error: Float)?
    for code in 0..<UInt32(element.codeCount) {
      product.set(decodeElement(code, element))
      product.setProduct(product, real)
      let error = abs(arithmetic.subtract(product.nearestFloat, x))
      guard let least = best else {
        best = (code, error)
        continue
      }
      if error < least.error { best = (code, error) }
    }
    return best?.code ?? 0
  }

  /// min(2^bits − 1, trunc(q + 2^(bits−1) + ½)) in float32, less the offset, in two's complement.
  private func offsetTruncate(_ q: Float) -> UInt32? {
    let half = 1 << (element.bits - 1)
    let shifted = arithmetic.add(q, Float(half) + 0.5)
    guard shifted.isFinite else { return nil }
    let offset = max(0, min(Float(2 * half - 1), shifted.rounded(.towardZero)))
    return UInt32(bitPattern: Int32(offset) - Int32(half)) & UInt32(2 * half - 1)
  }

  private func nanCode(_ x: Float) -> UInt32? {
    switch steps.nanElement {
    case .canonical: element.canonicalNaN
    case .code(let code): code
    case .signedCode(let code):
      x.sign == .minus ? code | UInt32(1) << UInt32(element.bits - 1) : code
    case .unknown: nil
    }
  }

  /// The recipe's sign on a result that is zero, in formats with two zeros.
  private mutating func signedZero(_ code: UInt32, q: Float, x: Float) -> UInt32 {
    guard decodeElement(code, element) == 0 else { return code }
    let negative: Bool
    switch steps.negativeZero {
    case .keep: negative = q.sign == .minus
    case .drop: negative = false
    case .dropExact: negative = q < 0
    case .zeroIsNegative: negative = x == 0 || q.sign == .minus
    }
    return encoder.zeroCode(negative: negative) ?? code
  }
}

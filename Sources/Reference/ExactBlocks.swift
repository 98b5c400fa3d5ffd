import NumberFormats

/// Quantising whole blocks by an exact recipe: steps 1, 2, 4 and 5 of spec/exact.md.
struct ExactBlocks: ~Copyable {
  private let spec: QuantizationSpec
  private let firstElement: Int
  private let random: RandomSource
  private var scale: ExactScale
  private var encoder: ElementEncoder
  private let tensorScale: Real
  private let divisor = Real()

  init(_ spec: QuantizationSpec, rule: ExactScaleRule, tensorScale: Float, firstElement: Int) {
    self.spec = spec
    self.firstElement = firstElement
    let rounding = spec.rounding ?? .tiesToEven
    random = RandomSource(rounding: rounding, bits: spec.randomBits)
    scale = ExactScale(spec.format, rule: rule, tensorScale: tensorScale)
    encoder = ElementEncoder(spec.format.element, rounding: rounding)
    self.tensorScale = Real(tensorScale)
  }

  /// One block: `elements` are its indices (step 1). The stored scale is `given`, or computed.
  ///
  /// - Returns: the stored scale and whether it was clamped.
  mutating func quantize(
    _ values: UnsafeBufferPointer<Float>, elements: BlockElements, given: UInt32?, codes: CodeBuffer
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    // Step 2: a block with NaN or infinity is a NaN block.
    if let first = elements.first(where: { !values[$0].isFinite }) {
      return try quantizeNaNBlock(elements, given: given, firstNonFinite: first, codes: codes)
    }
    // Step 4, from the largest magnitude a.
    var stored: (code: UInt32, clamped: Bool)
    if let given {
      stored = (given, false)
    } else {
      stored = scale.code(amax: elements.reduce(0) { max($0, abs(values[$1])) })
    }
    // Step 5, with the decoded stored scale.
    let s = decodeScale(stored.code, spec.format.scale)
    for index in elements {
      codes[index] = try code(of: values[index], scale: s, at: index)
    }
    return stored
  }

  /// Step 2's NaN block: the scale NaN and codes 0, or all elements NaN, or an error.
  private func quantizeNaNBlock(
    _ elements: BlockElements, given: UInt32?, firstNonFinite: Int, codes: CodeBuffer
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    let format = spec.format
    let canonical: UInt32? = format.scale.hasNaN ? format.scale.canonicalNaN : nil
    let stored = given ?? canonical ?? 0
    if decodeScale(stored, format.scale).isNaN {
      for index in elements { codes[index] = 0 }
    } else if let nan = format.element.canonicalNaN {
      for index in elements { codes[index] = nan }
    } else {
      throw .nonFinite(position: firstElement + firstNonFinite, format: format.name)
    }
    return (stored, false)
  }

  /// Step 5: x / (s · T) rounded once. A computed scale is finite and positive, or zero in a block
  /// of zeros; a given one may be anything, and the quotient is then what the limit says: signed
  /// zero below an infinite scale, the largest value above a zero one, code 0 with a NaN.
  private mutating func code(
    of x: Float, scale s: Float, at index: Int
  ) throws(QuantizeError) -> UInt32 {
    let bits = try random.value(at: firstElement + index)
    if s.isNaN { return 0 }
    let signed = s.sign == .minus ? -x : x
    let negative = signed.sign == .minus
    let code: UInt32?
    if x == 0 || s.isInfinite {
      code = encoder.zeroCode(negative: negative, random: bits)
    } else if s == 0 {
      code = encoder.infinite(negative: negative)
    } else {
      divisor.set(abs(s))
      divisor.setProduct(divisor, tensorScale)
      code = encoder.encode(signed, over: divisor, random: bits)
    }
    guard let code else {
      throw .nonFinite(position: firstElement + index, format: spec.format.name)
    }
    return code
  }
}

/// Step 6 of spec/exact.md: code · s · T, one real number, rounded once to float32.
struct ExactDequantizer: ~Copyable {
  private let product = Real()
  private let factor = Real()
  private let scale = Real()
  private let tensorScale: Real

  init(tensorScale: Float) { self.tensorScale = Real(tensorScale) }

  /// The float32 value of a decoded code under the decoded scale `s`. NaN, infinity and the sign of
  /// zero follow IEEE 754's product; NaN is 0x7FC00000.
  func value(_ value: Float, scale s: Float) -> Float {
    scale.set(s)
    return self.value(value, scale: scale)
  }

  /// The same for a scale beyond float32.
  func value(_ value: Float, scale: borrowing Real) -> Float {
    product.setProduct(scale, tensorScale)
    factor.set(value)
    product.setProduct(factor, product)
    return product.isNaN ? canonicalFloatNaN : product.nearestFloat
  }
}

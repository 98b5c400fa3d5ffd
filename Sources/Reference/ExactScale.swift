import NumberFormats

/// Steps 3 and 4 of spec/exact.md: the tensor scale and the block scales of an exact recipe.
struct ExactScale: ~Copyable {
  let format: BlockFormat
  let rule: ExactScaleRule
  private var encoder: ScaleEncoder
  private let amax = Real()
  /// T
  private let tensorScale: Real
  /// maxE · T
  private let fullScale: Real
  private let scratch = Real()
  private let square = Real()

  /// - Parameter tensorScale: T, finite and above 0.
  init(_ format: BlockFormat, rule: ExactScaleRule, tensorScale: Float) {
    self.format = format
    self.rule = rule
    encoder = ScaleEncoder(format.scale)
    self.tensorScale = Real(tensorScale)
    fullScale = Real(format.element.largestValue)
    fullScale.setProduct(fullScale, self.tensorScale)
  }

  /// Step 3: T = A / (maxS · maxE), rounded to float32; 1 for A = 0, and never 0.
  ///
  /// - Parameter amax: A, the tensor's largest finite magnitude.
  static func tensorScale(amax: Float, format: BlockFormat) -> Float {
    if amax == 0 { return 1 }
    let numerator = Real(amax)
    let denominator = Real(format.element.largestValue)
    let largestScale = Real(
      decodeScale(format.scale.layout.largestFiniteMagnitudeCode, format.scale))
    denominator.setProduct(denominator, largestScale)
    var encoder = ScaleEncoder(.float32)
    // The encoder's smallest positive value is the 2^-149 that stands in for T = 0.
    return Float(bitPattern: encoder.nearest(numerator, over: denominator).code)
  }

  /// Step 4: the stored scale of a block whose largest magnitude is `a`, finite.
  mutating func code(amax a: Float) -> (code: UInt32, clamped: Bool) {
    if a == 0 { return (0, false) }
    amax.set(a)
    if format.powerOfTwoScale {
      return encoder.powerOfTwo(encoder.ceilLog2(amax, over: fullScale))
    }
    if format.scale.isPowerOfTwo { return encoder.powerOfTwo(sharedExponent()) }
    return encoder.nearest(amax, over: fullScale)
  }

  /// Step 4 for E8M0: the exponent by the recipe's rule, before the clamp.
  private func sharedExponent() -> Int {
    let largestExponent = format.element.largestExponent
    let floor = encoder.floorLog2(amax, over: tensorScale)
    switch rule {
    case .floor: return floor - largestExponent
    case .rceil: return encoder.ceilLog2(amax, over: fullScale)
    case .ceil: return encoder.ceilLog2(amax, over: tensorScale) - largestExponent
    case .even: return floor + (significandRoundsUp(floor) ? 1 : 0) - largestExponent
    case .nearest: return floor + (isAboveRootTwo(floor) ? 1 : 0) - largestExponent
    }
  }

  /// Whether a/T ≥ (2 − 2^−(m+1)) · 2^floor. A codebook counts as m = 0.
  private func significandRoundsUp(_ floor: Int) -> Bool {
    let mantissaBits = format.element.mantissaBits ?? 0
    let threshold = (UInt(1) << UInt(mantissaBits + 2)) - 1
    scratch.setProduct(tensorScale, threshold)
    scratch.setScaled(scratch, exponent: floor - mantissaBits - 1)
    return amax.compare(scratch) >= 0
  }

  /// Whether log2(a/T) ≥ floor + ½, that is a² ≥ 2^(2·floor+1) · T².
  private func isAboveRootTwo(_ floor: Int) -> Bool {
    square.setProduct(amax, amax)
    scratch.setProduct(tensorScale, tensorScale)
    scratch.setScaled(scratch, exponent: 2 * floor + 1)
    return square.compare(scratch) >= 0
  }
}

extension ScaleFormat {
  /// IEEE binary32.
  static let float32 = ScaleFormat(
    name: "fp32",
    layout: FloatLayout(
      signBits: 1, exponentBits: 8, mantissaBits: 23, bias: 127, nonFinite: .ieee),
    storedBits: 32, canonicalNaN: 0x7FC0_0000)

  /// Whether a stored scale can say NaN.
  var hasNaN: Bool { layout.nonFinite != .none }
}

import NumberFormats

/// Step 5 of spec/recipes.md section 4: from the float32 scale to the stored code.
struct NamedScaleRounding: ~Copyable {
  /// A code before the recipe's clamp, or what a value that cannot be stored is.
  enum Outcome {
    case code(UInt32, clamped: Bool)
    /// Above the end of the range and `ScaleOverflow.unknown`.
    case unknownOverflow
  }

  private let steps: NamedRecipe
  private let format: BlockFormat
  private var encoder: ScaleEncoder
  private let arithmetic = Float32Arithmetic()

  init(_ steps: NamedRecipe, format: BlockFormat) {
    self.steps = steps
    self.format = format
    encoder = ScaleEncoder(format.scale)
  }

  /// The stored code of the scale value `t`, which is not NaN.
  mutating func round(_ t: Float) -> Outcome {
    if format.scale.isPowerOfTwo { return clampByte(byte(of: t)) }
    var value = t
    var clamped = false
    if let clamp = steps.scaleClamp {
      if Double(value) < clamp.low {
        value = Float(clamp.low)
        clamped = true
      }
      if Double(value) > clamp.high {
        switch steps.scaleOverflow {
        case .saturate: value = Float(clamp.high)
        case .nan: return .code(format.scale.canonicalNaN, clamped: true)
        case .infinity: return .code(infinity(negative: false), clamped: true)
        case .wrap, .unknown: return .unknownOverflow
        }
        clamped = true
      }
    }
    if steps.scaleRounding == .halfUp1, format.scale.layout.mantissaBits <= 22 {
      return .code(halfUp(value), clamped: clamped)
    }
    return nearest(value, clamped: clamped)
  }

  /// Rounded to the scale format by tiesToEven; the sign is kept where the format has one.
  private mutating func nearest(_ value: Float, clamped: Bool) -> Outcome {
    let layout = format.scale.layout
    let sign = value.sign == .minus && layout.signBits == 1 ? layout.magnitudeMask + 1 : 0
    let stored = value.isInfinite ? nil : encoder.rounded(abs(value))
    if let stored { return .code(stored | sign, clamped: clamped) }
    switch steps.scaleOverflow {
    case .saturate: return .code(layout.largestFiniteMagnitudeCode | sign, clamped: true)
    case .nan: return .code(format.scale.canonicalNaN, clamped: true)
    case .infinity: return .code(infinity(negative: value < 0), clamped: true)
    case .wrap, .unknown: return .unknownOverflow
    }
  }

  /// The scale format's infinity, else its NaN.
  private func infinity(negative: Bool) -> UInt32 {
    let layout = format.scale.layout
    guard let magnitude = layout.infinityMagnitudeCode else { return format.scale.canonicalNaN }
    return negative && layout.signBits == 1 ? magnitude | (layout.magnitudeMask + 1) : magnitude
  }

  /// The biased exponent of an E8M0 scale before the clamp.
  private func byte(of t: Float) -> Int {
    let bits = t.bitPattern & 0x7FFF_FFFF
    let field = Int(bits >> 23)
    let up = bits & 0x7F_FFFF == 0 ? field : field + 1
    let emax = steps.scaleValue.isExponent ? format.element.largestExponent : 0
    let logarithmic = steps.scaleValue == .log2Exponent
    switch steps.scaleRounding {
    case .floor:
      return (logarithmic ? exponent(t) { $0.rounded(.down) } : field) - emax
    case .ceil: return up - emax
    case .ceilGuard: return (field == 0 ? (bits > 0x40_0000 ? 1 : 0) : up) - emax
    case .even:
      let mantissaBits = max(0, min(22, steps.evenMantissaBits ?? format.element.mantissaBits ?? 0))
      return Int((bits + 1 << UInt32(22 - mantissaBits)) >> 23) - emax
    case .rintLog2: return exponent(t) { $0.rounded(.toNearestOrEven) } - emax
    case .ceilLog2: return exponent(t) { $0.rounded(.up) } - emax
    case .tiesToEven, .halfUp1, .encodePowerOfTwo, .encodeReciprocal:
      // Other scale formats' roundings, on a power of two: the nearest in value, ties to even byte.
      let middle = UInt32(1) << 22
      let fraction = bits & 0x7F_FFFF
      let roundsUp = fraction > middle || (fraction == middle && field & 1 == 1)
      return (roundsUp ? field + 1 : field) - emax
    }
  }

  /// 127 + an integer rounding of the correctly rounded float32 log2; far below for log2(0).
  private func exponent(_ t: Float, _ integer: (Float) -> Float) -> Int {
    let logarithm = integer(arithmetic.log2(t))
    return 127 + Int(max(-1024, min(1024, logarithm)))
  }

  private func clampByte(_ byte: Int) -> Outcome {
    let low = Int(max(-1024, min(1024, steps.scaleClamp?.low ?? 0)))
    let high = Int(max(-1024, min(1024, steps.scaleClamp?.high ?? 255)))
    if steps.scaleOverflow == .wrap, byte < low || byte > high {
      return .code(UInt32(byte & 0xFF), clamped: true)
    }
    if byte < low { return .code(UInt32(low & 0xFF), clamped: true) }
    guard byte > high else { return .code(UInt32(byte & 0xFF), clamped: false) }
    switch steps.scaleOverflow {
    case .saturate: return .code(UInt32(high & 0xFF), clamped: true)
    case .nan, .infinity: return .code(format.scale.canonicalNaN, clamped: true)
    case .wrap, .unknown: return .unknownOverflow
    }
  }

  /// ggml's ue4m3 (spec/recipes.md section 3.9) for a layout with m mantissa bits: a normal number
  /// keeps m bits and adds the next one; a subnormal one is trunc(value/smallest + ½) short of the
  /// normals; the top exponent field is the largest finite value.
  private func halfUp(_ value: Float) -> UInt32 {
    let layout = format.scale.layout
    let m = UInt32(layout.mantissaBits)
    guard value > 0 else { return 0 }
    let bits = value.bitPattern
    let field = Int(bits >> 23) - 127 + layout.bias
    if field <= 0 {
      let scaled = arithmetic.multiply(
        value, arithmetic.powerOfTwo(layout.bias - 1 + layout.mantissaBits))
      let units = arithmetic.add(scaled, 0.5).rounded(.towardZero)
      return min(UInt32(units), (1 << m) - 1)
    }
    let kept = bits >> (23 - m) & ((1 << m) - 1)
    let magnitude = UInt32(field) << m + kept + (bits >> (22 - m) & 1)
    let top = (UInt32(1) << UInt32(layout.exponentBits)) - 1
    return magnitude >> m >= top ? layout.largestFiniteMagnitudeCode : magnitude
  }
}

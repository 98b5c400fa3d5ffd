import CMPFR
import NumberFormats

// Decoding from a descriptor's own fields. Every finite value is exact in float32: the narrowest
// binades of BF16, TF32, E8M0 and FP32 end at float32's own subnormals, and MPFR would report a
// value that did not fit.

/// The value of a float pattern; bits above the layout are ignored.
func decodeFloat(_ code: UInt32, _ layout: FloatLayout) -> Float {
  let mantissaBits = UInt32(layout.mantissaBits)
  let negative = layout.signBits == 1 && code & (layout.magnitudeMask + 1) != 0
  let magnitude = code & layout.magnitudeMask
  if layout.nonFinite == .negativeZeroNaN, negative, magnitude == 0 { return canonicalFloatNaN }
  if magnitude > layout.largestFiniteMagnitudeCode {
    guard magnitude == layout.infinityMagnitudeCode else { return canonicalFloatNaN }
    return negative ? -.infinity : .infinity
  }
  let field = Int(magnitude >> mantissaBits)
  let fraction = UInt(magnitude) & ((UInt(1) << UInt(mantissaBits)) - 1)
  let value: Float
  if field == 0, layout.zeroExponentIsSubnormal {
    value = exactFloat(fraction, exponent: layout.smallestExponent - layout.mantissaBits)
  } else {
    let significand = (UInt(1) << UInt(mantissaBits)) + fraction
    value = exactFloat(significand, exponent: field - layout.bias - layout.mantissaBits)
  }
  return negative ? -value : value
}

/// The value of an integer pattern; bits above the layout are ignored.
func decodeInteger(_ code: UInt32, _ layout: IntegerLayout) -> Float {
  let signBit = UInt32(1) << UInt32(layout.bits - 1)
  let negative = code & signBit != 0
  let below = code & (signBit - 1)
  let magnitude: UInt32
  switch layout.encoding {
  case .signMagnitude: magnitude = below
  case .twosComplement: magnitude = negative ? signBit - below : below
  }
  let value = exactFloat(UInt(magnitude), exponent: -layout.fractionBits)
  return negative ? -value : value
}

/// The value of an element code.
func decodeElement(_ code: UInt32, _ element: ElementFormat) -> Float {
  switch element.kind {
  case .float(let layout): decodeFloat(code, layout)
  case .integer(let layout): decodeInteger(code, layout)
  case .codebook(let values):
    Int(code) < values.count ? values[Int(code)] : canonicalFloatNaN
  }
}

/// The value of a stored scale.
func decodeScale(_ code: UInt32, _ format: ScaleFormat) -> Float {
  decodeFloat(code, format.layout)
}

/// 0x7FC00000, the NaN that decoding gives.
let canonicalFloatNaN = Float(bitPattern: 0x7FC0_0000)

private func exactFloat(_ significand: UInt, exponent: Int) -> Float {
  let real = Real(precision: 64)
  real.set(significand, exponent: exponent)
  let value = real.nearestFloat
  let back = Real(value)
  precondition(real.compare(back) == 0, "a value of the format is not exact in float32")
  return value
}

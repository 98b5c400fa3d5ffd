import CBlockKernels
import NumberFormats

/// Keeps a codebook's values in place while kernels point at them.
package final class CodebookStorage: Sendable {
  nonisolated(unsafe) let values: UnsafeMutableBufferPointer<Float>

  package init(_ source: [Float]) {
    values = .allocate(capacity: source.count)
    _ = values.initialize(from: source)
  }

  deinit { values.deallocate() }
}

/// A descriptor as the kernels read it, with the storage it points to.
package struct KernelElement: Sendable {
  package nonisolated(unsafe) var raw: bk_element
  private var storage: CodebookStorage?

  package init(_ element: ElementFormat) {
    switch element.kind {
    case .float(let layout): raw = kernelFloat(layout)
    case .integer(let layout): raw = kernelInteger(layout)
    case .codebook(let values):
      let storage = CodebookStorage(values)
      self.storage = storage
      raw = bk_element()
      raw.is_codebook = 1
      raw.codebook = UnsafePointer(storage.values.baseAddress)
      raw.codebook_count = Int32(values.count)
      raw.max_value = values.map(\.magnitude).max() ?? 0
      raw.code_mask = (1 << UInt32(element.bits)) - 1
    }
    raw.code_bytes = Int32(element.codeBytes)
    if let nan = element.canonicalNaN {
      raw.has_nan = 1
      raw.nan_positive = nan
      raw.nan_negative = nan
    }
  }

  /// The same with ml_dtypes' NaN patterns; false where the row has none.
  package mutating func useMlDtypesNaN(_ element: ElementFormat) -> Bool {
    guard let codes = element.mlDtypesNaN else { return false }
    raw.has_nan = 1
    raw.nan_positive = codes.positive
    raw.nan_negative = codes.negative
    return true
  }
}

/// A float layout: magnitudes are patterns without the sign.
package func kernelFloat(_ layout: FloatLayout) -> bk_element {
  let mantissa = Int32(layout.mantissaBits)
  let magnitudeBits = UInt32(layout.exponentBits + layout.mantissaBits)
  let finite = layout.largestFiniteMagnitudeCode
  var raw = bk_element()
  raw.mantissa_bits = mantissa
  raw.min_exponent = Int32(1 - layout.bias)
  raw.max_code = finite
  raw.max_code_negative = finite
  raw.sign_mask = layout.signBits == 1 ? 1 << magnitudeBits : 0
  raw.code_mask = UInt32.max >> (32 - UInt32(layout.bits))
  raw.has_negative_zero = layout.signBits == 1 && layout.nonFinite != .negativeZeroNaN ? 1 : 0
  raw.overflows_to_nan =
    layout.nonFinite == .allOnesNaN || layout.nonFinite == .negativeZeroNaN ? 1 : 0
  raw.has_infinity = layout.nonFinite == .ieee ? 1 : 0
  raw.infinity_code = finite + 1
  raw.first_special = finite + 1
  let exponent = Int(finite >> UInt32(mantissa)) - layout.bias
  let fraction = finite & ((1 << UInt32(mantissa)) - 1)
  let significand = 1 + Float(fraction) / Float(UInt32(1) << UInt32(mantissa))
  raw.max_value = significand * powerOfTwo(exponent)
  return raw
}

/// An integer: one quantum, so that its smallest normal exponent lies above every value.
package func kernelInteger(_ layout: IntegerLayout) -> bk_element {
  let smallestNormal: Int32 = 1000
  let largest = (UInt32(1) << UInt32(layout.bits - 1)) - 1
  var raw = bk_element()
  raw.min_exponent = smallestNormal
  raw.mantissa_bits = smallestNormal + Int32(layout.fractionBits)
  raw.max_code = largest
  raw.max_code_negative = layout.fullRange ? largest + 1 : largest
  raw.twos_complement = layout.encoding == .twosComplement ? 1 : 0
  raw.sign_mask = raw.twos_complement == 1 ? 0 : largest + 1
  raw.code_mask = (1 << UInt32(layout.bits)) - 1
  raw.has_negative_zero = raw.twos_complement == 1 ? 0 : 1
  raw.first_special = UInt32.max
  raw.max_value = Float(largest) * powerOfTwo(-layout.fractionBits)
  return raw
}

/// 2^exponent, exact within float32's range.
package func powerOfTwo(_ exponent: Int) -> Float {
  exponent >= -126
    ? Float(bitPattern: UInt32(exponent + 127) << 23)
    : Float(bitPattern: 1 << UInt32(exponent + 149))
}

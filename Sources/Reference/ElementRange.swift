import NumberFormats

extension FloatLayout {
  /// Exponent of the smallest normal number.
  var smallestExponent: Int { zeroExponentIsSubnormal ? 1 - bias : -bias }

  /// Exponent of the largest finite number.
  var largestExponent: Int {
    Int(largestFiniteMagnitudeCode >> UInt32(mantissaBits)) - bias
  }

  /// Bits of a pattern below the sign.
  var magnitudeMask: UInt32 { (UInt32(1) << UInt32(exponentBits + mantissaBits)) - 1 }

  /// The magnitude pattern of infinity, where there is one.
  var infinityMagnitudeCode: UInt32? {
    nonFinite == .ieee ? largestFiniteMagnitudeCode + 1 : nil
  }
}

extension IntegerLayout {
  /// The largest magnitude with that sign when quantising, in units of 2^(−fractionBits).
  func largestMagnitude(negative: Bool) -> Int {
    let symmetric = (1 << (bits - 1)) - 1
    return negative && fullRange && encoding == .twosComplement ? symmetric + 1 : symmetric
  }
}

extension ElementFormat {
  /// `maxE`: the largest finite value; of a codebook, the largest magnitude.
  var largestValue: Float {
    switch kind {
    case .float(let layout): decodeFloat(layout.largestFiniteMagnitudeCode, layout)
    case .integer(let layout): decodeInteger((UInt32(1) << UInt32(layout.bits - 1)) - 1, layout)
    case .codebook(let values): max(abs(values.first ?? 0), abs(values.last ?? 0))
    }
  }

  /// `emaxE`: the floor of the binary logarithm of `maxE`.
  var largestExponent: Int { Real(largestValue).exponent }

  /// Digits of `maxE`'s binade after its leading one, which the rule `even` counts; a codebook has
  /// no such number.
  var mantissaBits: Int? {
    switch kind {
    case .float(let layout): layout.mantissaBits
    case .integer(let layout): layout.bits - 2
    case .codebook: nil
    }
  }
}

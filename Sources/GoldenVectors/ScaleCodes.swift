import NumberFormats

/// A scale format's codes.
struct ScaleCodes: Sendable {
  let format: ScaleFormat
  private var layout: FloatLayout { format.layout }

  init(_ format: ScaleFormat) { self.format = format }

  var largest: UInt32 { layout.largestFiniteMagnitudeCode }
  var hasZero: Bool { layout.zeroExponentIsSubnormal }
  var smallest: UInt32 { hasZero ? 1 : 0 }
  var hasNaN: Bool { layout.nonFinite != .none }
  /// The exponents of powers of two that the format has as normal numbers.
  var exponents: ClosedRange<Int> {
    let top = Int(largest >> UInt32(layout.mantissaBits))
    return ((hasZero ? 1 : 0) - layout.bias)...(top - layout.bias)
  }

  func code(exponent: Int, mantissa: UInt32 = 0) -> UInt32 {
    let near = min(max(exponent, exponents.lowerBound), exponents.upperBound)
    let field = UInt32(near + layout.bias) << UInt32(layout.mantissaBits)
    return min(field | mantissa & ((1 << UInt32(layout.mantissaBits)) - 1), largest)
  }

  /// Near 1, where products stay informative.
  func central(_ words: inout CaseRandom) -> UInt32 {
    let mantissa = words.next()
    return code(exponent: words.within(-3...3), mantissa: mantissa)
  }

  /// The bits of a stored scale that reading ignores.
  var ignoredBits: UInt32 { lowBits(format.storedBits) & ~lowBits(layout.bits) }

  private func lowBits(_ count: Int) -> UInt32 { count == 32 ? .max : (1 << UInt32(count)) - 1 }

  private func magnitude(_ code: UInt32) -> UInt32 {
    code & lowBits(layout.exponentBits + layout.mantissaBits)
  }

  /// Codes that stand for all: every stored pattern of 8 bits, of wider formats a spread with the
  /// ends of the range of both signs.
  func sample(refusesSpecials: Bool) -> [UInt32] {
    var codes = spreadCodes(bits: format.storedBits)
    if format.storedBits > 8 {
      let normal = UInt32(1) << UInt32(layout.mantissaBits)
      let ends = [0, 1, normal - 1, normal, largest, largest + 1, format.canonicalNaN]
      codes += ends + ends.map { $0 | 1 << UInt32(format.storedBits - 1) }
    }
    return refusesSpecials ? codes.filter { magnitude($0) <= largest } : codes
  }

  /// The magnitude of a code, as far as generators need it.
  func value(_ code: UInt32) -> Double {
    let code = magnitude(code)
    let mantissa = Double(code & ((1 << UInt32(layout.mantissaBits)) - 1))
    let field = Int(code >> UInt32(layout.mantissaBits))
    let unit = Double(sign: .plus, exponent: -layout.mantissaBits, significand: 1)
    let isSubnormal = field == 0 && hasZero
    return ((isSubnormal ? 0 : 1) + mantissa * unit)
      * Double(sign: .plus, exponent: (isSubnormal ? 1 : field) - layout.bias, significand: 1)
  }
}

/// All codes of at most 8 bits; else 256 with every combination of the upper 8 bits, the others all
/// clear or all set.
func spreadCodes(bits: Int) -> [UInt32] {
  guard bits > 8 else { return Array(0..<(UInt32(1) << UInt32(bits))) }
  let below = UInt32(bits - 8)
  return (0..<256).map { $0 << below | ($0 % 2 == 1 ? (1 << below) - 1 : 0) }
}

extension ElementCodes {
  /// Codes that stand for all: every code of up to 8 bits, of wider elements a spread with the ends
  /// of the range of both signs.
  func sample(refusesSpecials: Bool) -> [UInt32] {
    var codes = spreadCodes(bits: element.bits)
    if element.bits > 8 {
      let ends = [plusZero, smallest, largest]
      codes += ends + ends.map(negated) + [negativeZero ?? plusZero]
      codes += special.prefix(4) + special.suffix(4) + infinite
    }
    return refusesSpecials ? codes.filter { value($0).isFinite } : codes
  }
}

import NumberFormats

/// An element's codes by what they mean, for generators to choose from.
struct ElementCodes: Sendable {
  let element: ElementFormat
  /// Values by code.
  let values: [Float]
  /// Finite codes, by code.
  let finite: [UInt32]
  /// Codes above zero, by value.
  let positive: [UInt32]
  /// Positive codes of 2^-12 to 2^12, or all: what ordinary data hold.
  let central: [UInt32]
  /// The codes of +0 and −0.
  let zero: UInt32?
  let negativeZero: UInt32?
  /// NaNs and infinities.
  let special: [UInt32]
  let infinite: [UInt32]
  /// Positive codes by the exponent of their value.
  let byExponent: [Int: [UInt32]]
  let exponents: ClosedRange<Int>
  private let byValue: [UInt32: UInt32]

  init(_ element: ElementFormat, engine: any QuantizationEngine) {
    self.element = element
    let width = element.codeBytes
    let codes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: element.codeCount * width, alignment: 8)
    defer { codes.deallocate() }
    for code in 0..<element.codeCount {
      for byte in 0..<width {
        codes[code * width + byte] = UInt8(truncatingIfNeeded: code >> (8 * byte))
      }
    }
    var values = [Float](repeating: 0, count: element.codeCount)
    values.withUnsafeMutableBufferPointer {
      engine.decode(codes: UnsafeRawBufferPointer(codes), element: element, into: $0)
    }
    self.values = values
    let all = (0..<UInt32(element.codeCount))
    finite = all.filter { values[Int($0)].isFinite }
    positive = finite.filter { values[Int($0)] > 0 }
      .sorted { values[Int($0)] < values[Int($1)] }
    let middle = positive.filter { values[Int($0)] >= 0x1p-12 && values[Int($0)] <= 0x1p12 }
    central = middle.isEmpty ? positive : middle
    zero = all.first { values[Int($0)] == 0 && values[Int($0)].sign == .plus }
    negativeZero = all.first { values[Int($0)] == 0 && values[Int($0)].sign == .minus }
    special = all.filter { !values[Int($0)].isFinite }
    infinite = all.filter { values[Int($0)].isInfinite }
    byExponent = Dictionary(grouping: positive) { Int(values[Int($0)].exponent) }
    let keys = byExponent.keys
    exponents = (keys.min() ?? 0)...(keys.max() ?? 0)
    byValue = Dictionary(
      finite.map { (values[Int($0)].bitPattern, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func value(_ code: UInt32) -> Float { values[Int(code)] }

  /// The code of the negated value; the code itself where there is none.
  func negated(_ code: UInt32) -> UInt32 {
    byValue[(-value(code)).bitPattern] ?? code
  }

  func signed(_ code: UInt32, negative: Bool) -> UInt32 { negative ? negated(code) : code }

  /// The largest and the smallest magnitude.
  var largest: UInt32 { positive.last ?? 0 }
  var smallest: UInt32 { positive.first ?? 0 }
  var plusZero: UInt32 { zero ?? finite.first ?? 0 }

  /// Ordinary data: four in five central, the rest zeros, ends and anything finite.
  func random(_ words: inout CaseRandom) -> UInt32 {
    let negative = words.flip()
    switch words.below(20) {
    case 0: return plusZero
    case 1: return signed(largest, negative: negative)
    case 2: return signed(smallest, negative: negative)
    case 3: return words.pick(finite, else: 0)
    default: return signed(words.pick(central, else: 0), negative: negative)
    }
  }

  /// A positive code whose value lies in the binade of this exponent, or the nearest one that has
  /// any.
  func code(exponent: Int, _ words: inout CaseRandom) -> UInt32 {
    let wanted = min(max(exponent, exponents.lowerBound), exponents.upperBound)
    for distance in 0...(exponents.count) {
      if let codes = byExponent[wanted - distance] ?? byExponent[wanted + distance] {
        return words.pick(codes, else: 0)
      }
    }
    return largest
  }
}

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

  /// The value of a code, as far as generators need it.
  func value(_ code: UInt32) -> Double {
    let mantissa = Double(code & ((1 << UInt32(layout.mantissaBits)) - 1))
    let field = Int(code >> UInt32(layout.mantissaBits))
    let unit = Double(sign: .plus, exponent: -layout.mantissaBits, significand: 1)
    let isSubnormal = field == 0 && hasZero
    return ((isSubnormal ? 0 : 1) + mantissa * unit)
      * Double(sign: .plus, exponent: (isSubnormal ? 1 : field) - layout.bias, significand: 1)
  }
}

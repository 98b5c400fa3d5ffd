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
  /// Exponents of products of two powers of two, all of which exist; where there are no powers of
  /// two, of any two codes.
  let productPowers: ClosedRange<Int>
  private let powers: [Int: UInt32]
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
    let exact = positive.filter { values[Int($0)].significand == 1 }
    powers = Dictionary(
      (exact.isEmpty ? positive : exact).map { (Int(values[Int($0)].exponent), $0) },
      uniquingKeysWith: { first, _ in first })
    let highest = powers.keys.max() ?? 0
    var lowest = highest
    while powers[lowest - 1] != nil { lowest -= 1 }
    productPowers = (2 * lowest)...(2 * highest)
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
  /// The code of the lowest value.
  var lowest: UInt32 {
    finite.min { value($0) < value($1) } ?? largest
  }
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

  /// Two codes with the product 2^exponent, as far as `productPowers` reaches.
  func pair(power exponent: Int) -> (UInt32, UInt32) {
    let wanted = min(max(exponent, productPowers.lowerBound), productPowers.upperBound)
    let first = wanted >> 1
    return (powers[first] ?? largest, powers[wanted - first] ?? largest)
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

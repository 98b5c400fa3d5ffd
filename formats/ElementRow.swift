import NumberFormats

/// A row of the `elements` table as it stands in the file.
struct ElementRow: Decodable {
  var name: String
  var aliases: [String]?
  var source: String?
  var checked: String?
  var float: [Int]?
  var bias: Int?
  var nonFinite: NonFiniteEncoding?
  var subnormals: Bool?
  var integer: [Int]?
  var encoding: IntegerLayout.Encoding?
  var full: Bool?
  var codebook: [Double]?
  var nan: UInt32?
  var mlNaN: [UInt32]?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, aliases, source, checked, float, bias, nonFinite, subnormals, integer, encoding,
      full, codebook, nan, mlNaN
  }

  func resolve(file: String) throws(CatalogError) -> ElementFormat {
    let kind: ElementFormat.Kind
    switch (float, integer, codebook) {
    case (let fields?, nil, nil): kind = .float(try floatLayout(fields, file: file))
    case (nil, let fields?, nil): kind = .integer(try integerLayout(fields, file: file))
    case (nil, nil, let values?): kind = .codebook(try codebookValues(values, file: file))
    default: throw bad("expected one of float, integer, codebook", file)
    }
    var element = ElementFormat(
      name: name, aliases: aliases ?? [], source: source ?? "", checked: checked ?? "no",
      kind: kind, canonicalNaN: nan)
    if let mlNaN, mlNaN.count == 2 {
      element.mlDtypesNaN = NaNCodes(positive: mlNaN[0], negative: mlNaN[1])
    }
    guard (2...19).contains(element.bits) else { throw bad("expected 2 to 19 bits", file) }
    return element
  }

  private func bad(_ reason: String, _ file: String) -> CatalogError {
    .badRow(file: file, row: name, reason: reason)
  }

  private func floatLayout(_ fields: [Int], file: String) throws(CatalogError) -> FloatLayout {
    let layout = try makeFloatLayout(
      fields, bias: bias, nonFinite: nonFinite, subnormals: subnormals ?? true, row: name,
      file: file)
    guard layout.signBits == 1 else { throw bad("a float element has a sign bit", file) }
    guard layout.zeroExponentIsSubnormal else {
      throw bad("subnormals: an element's exponent field 0 holds zero and subnormals", file)
    }
    for code in [nan].compactMap({ $0 }) + (layout.nonFinite == .none ? [] : mlNaN ?? []) {
      guard layout.isNaN(code) else { throw bad("nan: expected a pattern that means NaN", file) }
    }
    guard (nan != nil) == (layout.nonFinite != .none) else {
      throw bad("nan: expected exactly where nonFinite is not none", file)
    }
    return layout
  }

  private func integerLayout(_ fields: [Int], file: String) throws(CatalogError) -> IntegerLayout {
    guard fields.count == 2, (2...19).contains(fields[0]), (-32...64).contains(fields[1]) else {
      throw bad("integer: expected [bits, fraction bits]", file)
    }
    let encoding = encoding ?? .twosComplement
    guard encoding == .twosComplement || full != true else {
      throw bad("full: sign-magnitude has no further value", file)
    }
    return IntegerLayout(
      bits: fields[0], fractionBits: fields[1], encoding: encoding, fullRange: full ?? false)
  }

  private func codebookValues(_ values: [Double], file: String) throws(CatalogError) -> [Float] {
    let floats = values.map { Float($0) }
    guard (3...65536).contains(floats.count) else {
      throw bad("codebook: expected 3 to 65536 values", file)
    }
    guard floats.allSatisfy(\.isFinite), zip(floats, floats.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw bad("codebook: expected finite, strictly increasing float32 values", file) }
    // Boundaries between neighbours are midpoints, which must be exact in float64.
    for (low, high) in zip(floats, floats.dropFirst()) {
      let sum = Double(low) + Double(high)
      guard sum - Double(low) == Double(high), sum - Double(high) == Double(low) else {
        throw bad("codebook: neighbours \(low) and \(high) lie too many binades apart", file)
      }
    }
    return floats
  }
}

/// Reads `[sign, exponent, mantissa]` bits and checks that float32 holds every value.
func makeFloatLayout(
  _ fields: [Int], bias: Int?, nonFinite: NonFiniteEncoding?, subnormals: Bool, row: String,
  file: String
) throws(CatalogError) -> FloatLayout {
  func bad(_ reason: String) -> CatalogError { .badRow(file: file, row: row, reason: reason) }
  guard fields.count == 3, (0...1).contains(fields[0]), (1...8).contains(fields[1]),
    (0...23).contains(fields[2])
  else { throw bad("float: expected [sign, exponent, mantissa] bits") }
  guard let bias, let nonFinite else { throw bad("expected bias and nonFinite") }
  // Both engines are proven on these; a row outside them is refused rather than answered wrongly.
  guard (0...127).contains(bias) else { throw bad("bias: expected 0 to 127") }
  let layout = FloatLayout(
    signBits: fields[0], exponentBits: fields[1], mantissaBits: fields[2], bias: bias,
    zeroExponentIsSubnormal: subnormals, nonFinite: nonFinite)
  let largest = Int(layout.largestFiniteMagnitudeCode >> UInt32(layout.mantissaBits)) - bias
  let smallest = (subnormals ? 1 : 0) - bias - layout.mantissaBits
  guard largest <= 127, smallest >= -149 else { throw bad("values outside float32's range") }
  guard layout.largestFiniteMagnitudeCode >> UInt32(layout.mantissaBits) >= 1 else {
    throw bad("expected a largest value with a non-zero exponent field")
  }
  return layout
}

extension FloatLayout {
  /// Whether a pattern, written for NaN, means NaN.
  func isNaN(_ code: UInt32) -> Bool {
    let signMask = signBits == 1 ? UInt32(1) << UInt32(exponentBits + mantissaBits) : 0
    guard bits == 32 || code >> UInt32(bits) == 0 else { return false }
    let magnitude = code & ~signMask
    switch nonFinite {
    case .none: return false
    case .negativeZeroNaN: return code == signMask
    case .allOnesNaN: return magnitude == largestFiniteMagnitudeCode + 1
    case .ieee: return magnitude > largestFiniteMagnitudeCode + 1
    }
  }
}

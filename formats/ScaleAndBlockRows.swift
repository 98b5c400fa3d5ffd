import NumberFormats

/// A row of the `scales` table as it stands in the file.
struct ScaleRow: Decodable {
  var name: String
  var aliases: [String]?
  var source: String?
  var checked: String?
  var float: [Int]
  var bias: Int
  var nonFinite: NonFiniteEncoding
  var zero: Bool?
  var stored: Int
  var nan: UInt32

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, aliases, source, checked, float, bias, nonFinite, zero, stored, nan
  }

  func resolve(file: String) throws(CatalogError) -> ScaleFormat {
    let layout = try makeFloatLayout(
      float, bias: bias, nonFinite: nonFinite, subnormals: zero ?? true, row: name, file: file)
    guard [8, 16, 32].contains(stored), layout.bits <= stored else {
      throw .badRow(
        file: file, row: name, reason: "stored: expected 8, 16 or 32, at least the bits")
    }
    func bad(_ reason: String) -> CatalogError { .badRow(file: file, row: name, reason: reason) }
    guard nonFinite == .ieee || nonFinite == .allOnesNaN else { throw bad("a scale needs a NaN") }
    guard layout.isNaN(nan) else { throw bad("nan: expected a pattern that means NaN") }
    let isE8M0 = float == [0, 8, 0] && bias == 127 && nonFinite == .allOnesNaN
    guard layout.zeroExponentIsSubnormal || isE8M0 else {
      throw bad("zero: only E8M0 has none")
    }
    let isFP32 = float == [1, 8, 23] && bias == 127 && nonFinite == .ieee
    guard layout.mantissaBits <= 10 || isFP32 else {
      throw bad("float: expected at most 10 mantissa bits, or FP32")
    }
    return ScaleFormat(
      name: name, aliases: aliases ?? [], source: source ?? "", checked: checked ?? "no",
      layout: layout, storedBits: stored, canonicalNaN: nan)
  }
}

/// A row of the `blocks` table as it stands in the file.
struct BlockRow: Decodable {
  var name: String
  var aliases: [String]?
  var source: String?
  var checked: String?
  var element: String
  var scale: String
  var block: String
  var tensor: Bool?
  var pow2: Bool?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, aliases, source, checked, element, scale, block, tensor, pow2
  }

  func resolve(in catalog: FormatCatalog, file: String) throws(CatalogError) -> BlockFormat {
    guard let element = catalog.element(element) else {
      throw .unknownReference(file: file, row: name, name: self.element)
    }
    guard let scale = catalog.scale(scale) else {
      throw .unknownReference(file: file, row: name, name: self.scale)
    }
    guard let block = BlockShape(block) else {
      throw .badRow(file: file, row: name, reason: "block: expected N, RxC, axis or tensor")
    }
    guard pow2 != true || scale.layout.mantissaBits == 23 else {
      throw .badRow(file: file, row: name, reason: "pow2: expected an FP32 scale")
    }
    return BlockFormat(
      name: name, aliases: aliases ?? [], source: source ?? "", checked: checked ?? "no",
      element: element, scale: scale, powerOfTwoScale: pow2 ?? false, block: block,
      hasTensorScale: tensor ?? false)
  }
}

import NumberFormats

/// A row of the `recipes` table as it stands in the file. A row may start from another with
/// `like` and state only what differs.
struct RecipeRow: Decodable {
  var name: String
  var like: String?
  var aliases: [String]?
  var version: String?
  var source: String?
  var checked: String?
  var formats: [String]?
  var blockSizes: [Int]?
  var withoutTensorScale: String?
  var exact: ExactScaleRule?
  var amax: NamedRecipe.Amax?
  var tensorScale: NamedRecipe.TensorScaleRule?
  var scaleValue: NamedRecipe.ScaleValue?
  var scaleRounding: NamedRecipe.ScaleRounding?
  var evenMantissaBits: Int?
  var clamp: [Double]?
  var overflow: NamedRecipe.ScaleOverflow?
  var nonFinite: [UInt32?]?
  var zero: ZeroScaleField?
  var multiplier: NamedRecipe.Multiplier?
  var byteZeroMultiplier: NamedRecipe.ByteZeroMultiplier?
  var elementRounding: NamedRecipe.ElementRounding?
  var nanElement: NaNElementField?
  /// A code; absent where infinite quotients saturate.
  var infiniteElement: UInt32?
  var negativeZero: NamedRecipe.NegativeZero?
  var search: NamedRecipe.Search?
  /// Pairs of argument bits and result bits.
  var reciprocal: [[UInt32]]?
  var dequantize: NamedRecipe.Dequantize?
  var readNegativeZero: NamedRecipe.ReadNegativeZero?
  var packing: NamedRecipe.Packing?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, like, aliases, version, source, checked, formats, blockSizes, withoutTensorScale,
      exact, amax, tensorScale, scaleValue, scaleRounding, evenMantissaBits, clamp, overflow,
      nonFinite, zero, multiplier, byteZeroMultiplier, elementRounding, nanElement,
      infiniteElement, negativeZero, search, reciprocal, dequantize, readNegativeZero, packing
  }

  func resolve(in catalog: FormatCatalog, file: String) throws(CatalogError) -> Recipe {
    var base: Recipe?
    if let like {
      guard let found = catalog.recipe(like) else {
        throw .unknownReference(file: file, row: name, name: like)
      }
      base = found
    }
    var canonical: [String] = base?.formats ?? []
    if let formats {
      canonical = []
      for format in formats {
        guard let found = catalog.block(format) else {
          throw .unknownReference(file: file, row: name, name: format)
        }
        canonical.append(found.name)
      }
    }
    let steps = try steps(base: base?.steps, file: file)
    try checkCodes(steps, canonical.compactMap { catalog.block($0) }, file: file)
    return Recipe(
      name: name, aliases: aliases ?? [], version: version ?? base?.version ?? "",
      source: source ?? base?.source ?? "", checked: checked ?? "no", formats: canonical,
      blockSizes: blockSizes ?? base?.blockSizes ?? [],
      withoutTensorScale: withoutTensorScale ?? base?.withoutTensorScale,
      steps: steps)
  }

  /// Codes that a recipe writes outright must exist in its formats.
  private func checkCodes(
    _ steps: Recipe.Steps, _ blocks: [BlockFormat], file: String
  ) throws(CatalogError) {
    guard case .named(let named) = steps else { return }
    var scales = [named.nonFiniteScale.nan, named.nonFiniteScale.infinity].compactMap { $0 }
    if case .zeroAmax(let code) = named.zeroScale { scales.append(code) }
    if case .zeroCode(let code) = named.zeroScale { scales.append(code) }
    var elements: [UInt32] = []
    if case .code(let code) = named.nanElement { elements.append(code) }
    if case .signedCode(let code) = named.nanElement { elements.append(code) }
    if case .code(let code) = named.infiniteElement { elements.append(code) }
    for block in blocks {
      let scaleBits = UInt64(block.scale.storedBits)
      guard scales.allSatisfy({ UInt64($0) >> scaleBits == 0 }),
        elements.allSatisfy({ UInt64($0) >> UInt64(block.element.bits) == 0 })
      else {
        throw .badRow(file: file, row: name, reason: "a code that \(block.name) does not have")
      }
    }
    guard named.search == .none || named.tensorScale != .none else {
      throw .badRow(file: file, row: name, reason: "search: expected a recipe with a tensor scale")
    }
  }

  private func steps(base: Recipe.Steps?, file: String) throws(CatalogError) -> Recipe.Steps {
    if let exact { return .exact(exact) }
    guard (0...22).contains(evenMantissaBits ?? 0) else {
      throw .badRow(file: file, row: name, reason: "evenMantissaBits: expected 0 to 22")
    }
    var named: NamedRecipe?
    switch base {
    case .exact(let rule)?: return .exact(rule)
    case .named(let recipe)?: named = recipe
    case nil: break
    }
    guard let amax = amax ?? named?.amax, let tensorScale = tensorScale ?? named?.tensorScale,
      let scaleValue = scaleValue ?? named?.scaleValue,
      let scaleRounding = scaleRounding ?? named?.scaleRounding,
      let overflow = overflow ?? named?.scaleOverflow,
      let nonFinite = nonFinite.map({ Self.nonFiniteScale($0) }) ?? named?.nonFiniteScale,
      let zero = zero?.value ?? named?.zeroScale,
      let multiplier = multiplier ?? named?.multiplier,
      let elementRounding = elementRounding ?? named?.elementRounding,
      let nanElement = nanElement?.value ?? named?.nanElement,
      let negativeZero = negativeZero ?? named?.negativeZero,
      let dequantize = dequantize ?? named?.dequantize, let packing = packing ?? named?.packing
    else {
      throw .badRow(
        file: file, row: name, reason: "expected exact, or every step (or like: a complete row)")
    }
    return .named(
      NamedRecipe(
        amax: amax, tensorScale: tensorScale, scaleValue: scaleValue, scaleRounding: scaleRounding,
        evenMantissaBits: evenMantissaBits ?? named?.evenMantissaBits,
        scaleClamp: try scaleClamp(file: file) ?? named?.scaleClamp, scaleOverflow: overflow,
        nonFiniteScale: nonFinite, zeroScale: zero, multiplier: multiplier,
        byteZeroMultiplier: byteZeroMultiplier ?? named?.byteZeroMultiplier ?? .asComputed,
        elementRounding: elementRounding, nanElement: nanElement,
        infiniteElement: infiniteElement.map { .code($0) } ?? named?.infiniteElement ?? .saturate,
        negativeZero: negativeZero,
        search: search ?? named?.search ?? .none,
        reciprocal: try approximateReciprocal(file: file) ?? named?.reciprocal ?? .init(),
        dequantize: dequantize,
        readNegativeZero: readNegativeZero ?? named?.readNegativeZero ?? .signed, packing: packing))
  }

  private static func nonFiniteScale(_ codes: [UInt32?]) -> NamedRecipe.NonFiniteScale {
    .init(nan: codes.first ?? nil, infinity: codes.dropFirst().first ?? nil)
  }

  private func scaleClamp(file: String) throws(CatalogError) -> NamedRecipe.ScaleClamp? {
    guard let clamp else { return nil }
    guard clamp.count == 2, clamp[0] <= clamp[1] else {
      throw .badRow(file: file, row: name, reason: "clamp: expected [low, high]")
    }
    return .init(low: clamp[0], high: clamp[1])
  }

  private func approximateReciprocal(
    file: String
  ) throws(CatalogError) -> NamedRecipe.ApproximateReciprocal? {
    guard let reciprocal else { return nil }
    var exceptions: [UInt32: UInt32] = [:]
    for pair in reciprocal {
      guard pair.count == 2 else {
        throw .badRow(file: file, row: name, reason: "reciprocal: expected [argument, result] bits")
      }
      exceptions[pair[0]] = pair[1]
    }
    return .init(exceptions: exceptions)
  }
}

/// `"asComputed"`, `"unknown"`, `{ amax: CODE }`, `{ code: CODE }` or `{ value: V }`.
struct ZeroScaleField: Decodable {
  var value: NamedRecipe.ZeroScale

  struct Fields: Decodable {
    var amax: UInt32?
    var code: UInt32?
    var value: Float?

    enum CodingKeys: String, CodingKey, CaseIterable { case amax, code, value }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let word = try? container.decode(String.self) {
      switch word {
      case "asComputed": value = .asComputed
      case "unknown": value = .unknown
      default: throw Self.unexpected(decoder)
      }
      return
    }
    let fields = try container.decode(Fields.self)
    switch (fields.amax, fields.code, fields.value) {
    case (let code?, nil, nil): value = .zeroAmax(code: code)
    case (nil, let code?, nil): value = .zeroCode(code: code)
    case (nil, nil, let number?): value = .zeroValue(value: number)
    default: throw Self.unexpected(decoder)
    }
  }

  private static func unexpected(_ decoder: any Decoder) -> DecodingError {
    .dataCorrupted(
      .init(
        codingPath: decoder.codingPath,
        debugDescription: "expected asComputed, unknown, amax, code or value"))
  }
}

/// `"canonical"`, `"unknown"`, a code, or `{ signed: CODE }`.
struct NaNElementField: Decodable {
  var value: NamedRecipe.NaNElement

  struct Fields: Decodable {
    var signed: UInt32

    enum CodingKeys: String, CodingKey, CaseIterable { case signed }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let code = try? container.decode(UInt32.self) {
      value = .code(code)
    } else if let fields = try? container.decode(Fields.self) {
      value = .signedCode(fields.signed)
    } else {
      switch try container.decode(String.self) {
      case "canonical": value = .canonical
      case "unknown": value = .unknown
      default:
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "expected canonical, unknown, a code or signed"))
      }
    }
  }
}

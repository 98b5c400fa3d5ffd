import FoundationEssentials
import NumberFormats

/// The rows of formats/*.json5, compiled in, and those of a user's own file.
///
/// Names are case-insensitive and may be aliases. Lists keep the order of the tables.
public struct FormatCatalog: Sendable {
  public private(set) var elements: [ElementFormat] = []
  public private(set) var scales: [ScaleFormat] = []
  public private(set) var blocks: [BlockFormat] = []
  public private(set) var recipes: [Recipe] = []
  public private(set) var accumulators: [Accumulator] = []
  private var elementIndex: [String: Int] = [:]
  private var scaleIndex: [String: Int] = [:]
  private var blockIndex: [String: Int] = [:]
  private var recipeIndex: [String: Int] = [:]
  private var accumulatorIndex: [String: Int] = [:]

  /// A catalog without rows, to be filled by `adding`.
  public init() {}

  /// The compiled-in tables.
  public static func standard() throws(CatalogError) -> FormatCatalog {
    var catalog = FormatCatalog()
    try catalog.add(Data(PackageResources.elements_json5), file: "elements.json5")
    try catalog.add(Data(PackageResources.scales_json5), file: "scales.json5")
    try catalog.add(Data(PackageResources.blocks_json5), file: "blocks.json5")
    try catalog.add(Data(PackageResources.recipes_json5), file: "recipes.json5")
    try catalog.add(Data(PackageResources.accumulators_json5), file: "accumulators.json5")
    return catalog
  }

  /// This catalog with the rows of a JSON5 file, which may refer to rows already present.
  ///
  /// - Parameter path: a file with `version: 1` and any of `elements`, `scales`, `blocks`,
  ///   `recipes`, `accumulators`.
  public func adding(file path: String) throws(CatalogError) -> FormatCatalog {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw .unreadable(file: path, reason: Self.readingFailure(error))
    }
    return try adding(data, file: path)
  }

  /// This catalog with the rows of JSON5 text; `file` names it in errors.
  public func adding(_ data: Data, file: String) throws(CatalogError) -> FormatCatalog {
    var result = self
    try Self.checkFields(data, file: file)
    try result.add(data, file: file)
    return result
  }

  public func element(_ name: String) -> ElementFormat? {
    elementIndex[name.lowercased()].map { elements[$0] }
  }
  public func scale(_ name: String) -> ScaleFormat? {
    scaleIndex[name.lowercased()].map { scales[$0] }
  }
  /// A row, or `ELEMENT+SCALE[+tensor]`.
  public func block(_ name: String) -> BlockFormat? {
    blockIndex[name.lowercased()].map { blocks[$0] } ?? blockVariant(named: name)
  }
  public func recipe(_ name: String) -> Recipe? {
    recipeIndex[name.lowercased()].map { recipes[$0] }
  }
  /// A row, or `fixed(W,lsb,wrap|saturate)`.
  public func accumulator(_ name: String) -> Accumulator? {
    accumulatorIndex[name.lowercased()].map { accumulators[$0] } ?? fixedAccumulator(named: name)
  }

  private struct Tables: Decodable {
    var version: Int?
    var elements: [ElementRow]?
    var scales: [ScaleRow]?
    var blocks: [BlockRow]?
    var recipes: [RecipeRow]?
    var accumulators: [AccumulatorRow]?
  }

  private static func json5Decoder() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    return decoder
  }

  private static func checkFields(_ data: Data, file: String) throws(CatalogError) {
    let names: FieldNames
    do {
      names = try json5Decoder().decode(FieldNames.self, from: data)
    } catch {
      throw malformed(error, file: file)
    }
    guard let unknown = names.firstUnknown(in: FieldNames.formatTables) else { return }
    throw .unknownField(
      file: file, row: unknown.row, field: unknown.field, nearest: unknown.nearest)
  }

  private mutating func add(_ data: Data, file: String) throws(CatalogError) {
    let tables: Tables
    do {
      tables = try Self.json5Decoder().decode(Tables.self, from: data)
    } catch {
      throw Self.malformed(error, file: file)
    }
    guard tables.version == 1 else { throw .version(file: file) }
    for row in tables.elements ?? [] {
      try register(row.name, row.aliases, in: &elementIndex, at: elements.count, file: file)
      elements.append(try row.resolve(file: file))
    }
    for row in tables.scales ?? [] {
      try register(row.name, row.aliases, in: &scaleIndex, at: scales.count, file: file)
      scales.append(try row.resolve(file: file))
    }
    for row in tables.blocks ?? [] {
      try register(row.name, row.aliases, in: &blockIndex, at: blocks.count, file: file)
      blocks.append(try row.resolve(in: self, file: file))
    }
    for row in tables.recipes ?? [] {
      let recipe = try row.resolve(in: self, file: file)
      try register(row.name, row.aliases, in: &recipeIndex, at: recipes.count, file: file)
      recipes.append(recipe)
    }
    for row in tables.accumulators ?? [] {
      let accumulator = try row.resolve(in: self, file: file)
      try register(
        row.name, row.aliases, in: &accumulatorIndex, at: accumulators.count, file: file)
      accumulators.append(accumulator)
    }
  }

  private func register(
    _ name: String, _ aliases: [String]?, in index: inout [String: Int], at position: Int,
    file: String
  ) throws(CatalogError) {
    for key in [name] + (aliases ?? []) {
      guard index.updateValue(position, forKey: key.lowercased()) == nil else {
        throw .duplicateName(file: file, row: name, name: key)
      }
    }
  }

  /// Why a file could not be read, in a few words.
  package static func readingFailure(_ error: any Error) -> String {
    switch (error as? CocoaError)?.code {
    case .fileReadNoSuchFile?: "no such file"
    case .fileReadNoPermission?: "permission denied"
    case .fileReadInvalidFileName?: "not a file name"
    default: "not a readable file"
    }
  }

  private static func malformed(_ error: any Error, file: String) -> CatalogError {
    .malformed(file: file, reason: decodingFailure(error))
  }

  /// Why JSON5 text could not be decoded, with the path of the field.
  package static func decodingFailure(_ error: any Error) -> String {
    (error as? DecodingError).map { describe($0) } ?? "not JSON5"
  }

  private static func describe(_ error: DecodingError) -> String {
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .dataCorrupted(let context) where context.codingPath.isEmpty: return "not JSON5"
    case .dataCorrupted(let context): return "\(path(context)): \(context.debugDescription)"
    case .keyNotFound(let key, let context): return "\(path(context)): expected \(key.stringValue)"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      return "\(path(context)): \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }
}

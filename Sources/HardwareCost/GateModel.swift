import FormatCatalog
import FoundationEssentials
import NumberFormats

/// Areas of gates and of structures, in NAND2 equivalents: the parameters of the cost model.
public struct GateModel: Sendable, Hashable {
  /// One parameter, and where it comes from.
  public struct Area: Sendable, Hashable {
    /// NAND2 equivalents.
    public var value: Double
    public var source: String

    public init(value: Double, source: String) {
      self.value = value
      self.source = source
    }
  }
  /// What one gate of a synthesis result counts.
  public internal(set) var gates: [GateKind: Area] = [:]
  /// What one bit of a structure counts.
  public internal(set) var structures: [Structure: Area] = [:]

  /// The parameters compiled in (gates.json5), fitted to golden/cost.
  public static func standard() throws(HardwareCostError) -> GateModel {
    var model = GateModel()
    let file = "gates.json5"
    try model.add(Data(PackageResources.gates_json5), file: file)
    for kind in GateKind.allCases where model.gates[kind] == nil {
      throw .badRow(file: file, row: kind.rawValue, reason: "missing")
    }
    for kind in Structure.allCases where model.structures[kind] == nil {
      throw .badRow(file: file, row: kind.rawValue, reason: "missing")
    }
    return model
  }

  /// This model with the rows of a user's own file in place of those of the same names.
  ///
  /// - Parameter path: JSON5 with `version: 1` and any rows of `gates` and `structures`.
  public func replacing(file path: String) throws(HardwareCostError) -> GateModel {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      let isMissing = (error as? CocoaError)?.code == .fileReadNoSuchFile
      throw .unreadable(file: path, reason: isMissing ? "no such file" : "not a readable file")
    }
    return try replacing(data, file: path)
  }

  /// This model with the rows of JSON5 text; `file` names it in errors.
  public func replacing(_ data: Data, file: String) throws(HardwareCostError) -> GateModel {
    var copy = self
    try copy.add(data, file: file)
    return copy
  }

  /// NAND2 equivalents of structures.
  public func area(_ count: StructureCount) -> Double {
    Structure.allCases.reduce(0) { $0 + Double(count[$1]) * (structures[$1]?.value ?? 0) }
  }

  /// NAND2 equivalents of gates.
  public func area(_ counts: [GateKind: Int]) -> Double {
    // In a fixed order, so that the last digit does not depend on a dictionary's.
    GateKind.allCases.reduce(0) { $0 + Double(counts[$1] ?? 0) * (gates[$1]?.value ?? 0) }
  }
}

extension GateModel {
  private struct Row: Decodable {
    var name: String
    var area: Double
    var source: String?

    enum CodingKeys: String, CodingKey, CaseIterable { case name, area, source }

    init(from decoder: any Decoder) throws {
      try refuseUnknownFields(decoder, CodingKeys.self)
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      name = try fields.decode(String.self, forKey: .name)
      area = try fields.decode(Double.self, forKey: .area)
      source = try fields.decodeIfPresent(String.self, forKey: .source)
    }
  }

  private struct Tables: Decodable {
    var version: Int
    var gates: [Row]?
    var structures: [Row]?

    enum CodingKeys: String, CodingKey, CaseIterable { case version, gates, structures }

    init(from decoder: any Decoder) throws {
      try refuseUnknownFields(decoder, CodingKeys.self)
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      version = try fields.decode(Int.self, forKey: .version)
      gates = try fields.decodeIfPresent([Row].self, forKey: .gates)
      structures = try fields.decodeIfPresent([Row].self, forKey: .structures)
    }
  }

  private mutating func add(_ data: Data, file: String) throws(HardwareCostError) {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    let tables: Tables
    do {
      tables = try decoder.decode(Tables.self, from: data)
    } catch {
      throw .malformed(file: file, reason: Self.reason(error))
    }
    guard tables.version == 1 else {
      throw .malformed(file: file, reason: "expected version: 1")
    }
    for row in tables.gates ?? [] {
      gates[try Self.kind(row.name, file: file)] = try Self.area(row, file: file)
    }
    for row in tables.structures ?? [] {
      structures[try Self.kind(row.name, file: file)] = try Self.area(row, file: file)
    }
    guard tables.gates != nil || tables.structures != nil else {
      throw .malformed(file: file, reason: "expected gates or structures")
    }
  }

  private static func kind<Kind: RawRepresentable<String> & CaseIterable>(
    _ name: String, file: String
  ) throws(HardwareCostError) -> Kind {
    guard let kind = Kind(rawValue: name) else {
      let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw .badRow(file: file, row: name, reason: "unknown; expected one of \(known)")
    }
    return kind
  }

  private static func area(_ row: Row, file: String) throws(HardwareCostError) -> Area {
    guard row.area.isFinite, row.area >= 0 else {
      throw .badRow(file: file, row: row.name, reason: "area: expected a number, 0 or more")
    }
    return Area(value: row.area, source: row.source ?? file)
  }

  private static func reason(_ error: any Error) -> String {
    func text(_ context: DecodingError.Context, _ reason: String) -> String {
      let path = context.codingPath.map { $0.intValue.map { "row \($0 + 1)" } ?? $0.stringValue }
      return path.isEmpty ? reason : "\(path.joined(separator: ", ")): \(reason)"
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context):
      return text(context, "expected \(key.stringValue)")
    case .dataCorrupted(let context) where !context.codingPath.isEmpty,
      .typeMismatch(_, let context), .valueNotFound(_, let context):
      return text(context, context.debugDescription)
    default: return "not JSON5"
    }
  }
}

private func refuseUnknownFields<Keys: CodingKey & CaseIterable>(
  _ decoder: any Decoder, _ keys: Keys.Type
) throws {
  guard let unknown = try decoder.unknownField(among: keys) else { return }
  throw DecodingError.dataCorrupted(
    DecodingError.Context(
      codingPath: decoder.codingPath + [AnyKey(unknown.field)],
      debugDescription: "unknown field; expected one of \(keys.names().joined(separator: ", "))"))
}

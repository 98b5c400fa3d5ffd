import FormatCatalog
import FoundationEssentials

/// The rows of laws.json5, compiled in, and those of a user's own file.
public struct LawCatalog: Sendable {
  /// In the tables' order.
  public private(set) var laws: [LawFamily] = []
  private var index: [String: Int] = [:]

  /// A catalog without rows, to be filled by `adding`.
  public init() {}

  /// The compiled-in laws.
  public static func builtIn() throws(LawError) -> LawCatalog {
    try LawCatalog().adding(Data(PackageResources.laws_json5), file: "laws.json5")
  }

  /// The law of that name or alias, case-insensitive.
  public func law(_ name: String) throws(LawError) -> LawFamily {
    if let found = index[name.lowercased()] { return laws[found] }
    throw .usage("no law is called \"\(name)\" (see: blockscale law list)")
  }

  /// This catalog with the laws of a JSON5 file: `version: 1` and `laws`, a list of rows.
  public func adding(file path: String) throws(LawError) -> LawCatalog {
    try adding(TextFile.read(path), file: path)
  }

  /// This catalog with the laws of JSON5 text; `file` names it in errors.
  public func adding(_ data: Data, file: String) throws(LawError) -> LawCatalog {
    let table: LawTable
    do {
      let decoder = JSONDecoder()
      decoder.allowsJSON5 = true
      let names = try decoder.decode(FieldNames.self, from: data)
      if let unknown = names.firstUnknown(in: FieldNames.lawTables) {
        throw LawError.badTable(file: file, row: unknown.row, problem: unknown.problem)
      }
      table = try decoder.decode(LawTable.self, from: data)
    } catch let error as LawError {
      throw error
    } catch {
      throw .badTable(
        file: file, row: nil,
        problem: "not a table of laws: \(FormatCatalog.decodingFailure(error))")
    }
    guard table.version == 1 else {
      throw .badTable(file: file, row: nil, problem: "expected version: 1")
    }
    var result = self
    for row in table.laws ?? [] {
      for key in [row.name] + (row.aliases ?? []) {
        guard result.index.updateValue(result.laws.count, forKey: key.lowercased()) == nil else {
          throw .badTable(file: file, row: row.name, problem: "the name \"\(key)\" is taken")
        }
      }
      result.laws.append(try LawFamily(row, file: file))
    }
    return result
  }

  private struct LawTable: Decodable {
    var version: Int?
    var laws: [LawRow]?
  }
}

import FormatCatalog
import Measurement
import NumberFormats
import ScalingLaws

/// A row of the format tables that a run used, as reports name it.
public struct UsedRow: Sendable, Hashable {
  public var kind: String
  public var name: String
  public var version: String
  public var checked: String
  public var source: String
  public var hash: String

  public init(_ row: NumberFormatRow) {
    switch row {
    case .element(let format):
      self.init("element", format.name, "", format.checked, format.source, row.rowText)
    case .scale(let format):
      self.init("scale", format.name, "", format.checked, format.source, row.rowText)
    }
  }
  public init(_ block: BlockFormat) {
    self.init("block", block.name, "", block.checked, block.source, RowText(block))
  }
  public init(_ recipe: Recipe) {
    self.init(
      "recipe", recipe.name, recipe.version, recipe.checked, recipe.source, RowText(recipe))
  }
  public init(_ accumulator: Accumulator) {
    self.init(
      "accumulator", accumulator.name, "", accumulator.checked, accumulator.source,
      RowText(accumulator))
  }

  public init(_ law: LawFamily) {
    self.init("law", law.name, "", law.status.rawValue, law.source, RowText(text: law.rowText))
  }

  private init(
    _ kind: String, _ name: String, _ version: String, _ checked: String, _ source: String,
    _ text: RowText
  ) {
    self.kind = kind
    self.name = name
    self.version = version
    self.checked = checked
    self.source = source
    hash = text.hash
  }

  /// Whether nobody has checked the row against hardware or the original.
  public var isUnchecked: Bool { checked == "no" || checked.hasPrefix("no ") }

  var json: JSONValue {
    .object([
      JSONField("kind", .string(kind)), JSONField("name", .string(name)),
      JSONField("version", JSONValue(version.isEmpty ? nil : version)),
      JSONField("checked", .string(checked)), JSONField("row_hash", .string(hash)),
    ])
  }
}

/// What every report says of its run: tool version, engine, seed, rows used.
public struct RunFields: Sendable {
  public var engine: String
  /// nil where nothing random can take part.
  public var seed: UInt64?
  public var rows: [UsedRow]

  public init(engine: String, seed: UInt64?, rows: [UsedRow]) {
    self.engine = engine
    self.seed = seed
    var seen: Set<UsedRow> = []
    self.rows = rows.filter { seen.insert($0).inserted }
  }

  /// The fields at the top of JSON.
  var json: [JSONField] {
    [
      JSONField("tool_version", .string(toolVersion)), JSONField("engine", .string(engine)),
      JSONField("seed", seed.map(Self.number) ?? .null),
      JSONField("rows", .array(rows.map(\.json))),
    ]
  }

  /// A seed that JSON readers would round is written as text.
  private static func number(_ seed: UInt64) -> JSONValue {
    Int(exactly: seed).map { .int($0) } ?? .string(String(seed))
  }

  /// One sentence per kind of row that nobody has checked.
  public var notes: [String] {
    let unchecked = rows.filter(\.isUnchecked)
    guard !unchecked.isEmpty else { return [] }
    guard unchecked.count <= 12 else {
      return [
        "\(unchecked.count) of the rows used are not checked against hardware or an original"
          + " (see: blockscale formats)."
      ]
    }
    let names = unchecked.map { "\($0.kind) \($0.name)" }.joined(separator: ", ")
    return ["Not checked against hardware or an original: \(names)."]
  }
}

import FoundationEssentials

/// `manifest.json`: what a folder of vectors holds and how to make it again. Keys are written in
/// snake case.
public struct VectorManifest: Sendable, Hashable, Codable {
  /// A row of the format tables, in full.
  public struct Row: Sendable, Hashable, Codable {
    public var kind: String
    public var name: String
    public var source: String
    public var checked: String
    public var rowHash: String
    public var text: String

    public init(
      kind: String, name: String, source: String, checked: String, rowHash: String, text: String
    ) {
      self.kind = kind
      self.name = name
      self.source = source
      self.checked = checked
      self.rowHash = rowHash
      self.text = text
    }
  }

  /// The cases of a class: consecutive, from `first`.
  public struct ClassRange: Sendable, Hashable, Codable {
    public var name: String
    public var first: Int
    public var count: Int
    /// Results that are finite, neither zero nor saturated.
    public var informative: Int
  }

  public struct File: Sendable, Hashable, Codable {
    public var name: String
    public var bytes: Int
    /// Newlines; nil for binary files.
    public var lines: Int?
    public var sha256: String
  }

  public struct NaNPolicy: Sendable, Hashable, Codable {
    /// `exact`: a result's NaN has one pattern and every bit counts.
    public var rule: String
    /// The result's only NaN, in hexadecimal, where it has one.
    public var pattern: String?
  }

  public static let currentSchema = 1
  public static let generatorName = "philox4x32-10, key = seed, counter = (class, case, draw)"

  public var schemaVersion: Int
  public var tool: String
  public var toolVersion: String
  public var operation: VectorOperation
  public var format: String
  public var block: String
  public var lanes: Int
  /// Terms of each sum.
  public var depth: Int
  /// `MxNxK`; nil but for matmul.
  public var tile: String?
  /// Whether the operands of sums carry block scales; nil for other operations.
  public var isScaled: Bool?
  /// How operands from files met; nil where cases were made.
  public var operands: VectorOperands.Meeting?
  public var recipe: String
  public var rounding: String
  public var accumulator: String
  public var rows: [Row]
  public var inputs: WordLayout
  public var inputsWidth: Int
  public var expected: WordLayout
  public var expectedWidth: Int
  public var elementOrder: String
  public var nanPolicy: NaNPolicy
  /// `float32`, `float16`, `integer` or `code`: how an expected word's lanes read.
  public var resultType: String
  public var seed: UInt64
  public var generator: String
  public var level: VectorLevel
  public var count: Int
  public var classes: [ClassRange]
  /// Informative results over all, of the random class where there is one and of all cases.
  public var informativeRatio: Double
  public var informativeRatioRandom: Double?
  public var oracle: String
  public var crossChecked: Int
  public var files: [File]
  public var command: String

  /// The document, keys sorted, with a newline at its end.
  public func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    return [UInt8](try encoder.encode(self)) + [0x0A]
  }

  /// The class of a case.
  public func className(ofCase index: Int) -> String {
    classes.last { $0.first <= index }?.name ?? ""
  }
}

extension VectorManifest {
  public init(reading bytes: [UInt8]) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(VectorManifest.self, from: Data(bytes))
  }
}

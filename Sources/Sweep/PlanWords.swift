import FormatCatalog
import Measurement
import NumberFormats

/// What a field of a plan says that it cannot.
struct PlanMistake: Error {
  var path: [any CodingKey]
  var problem: String
}

/// A value that stands in the file as a word or a number.
struct Parsed<Value: WordInPlan>: Decodable {
  var value: Value

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text: String
    if let number = try? container.decode(Int.self) {
      text = String(number)
    } else if let number = try? container.decode(Double.self) {
      text = String(number)
    } else {
      text = try container.decode(String.self)
    }
    guard let value = Value(word: text) else {
      throw PlanMistake(
        path: container.codingPath, problem: "\"\(text)\" (expected \(Value.expected))")
    }
    self.value = value
  }
}

protocol WordInPlan {
  init?(word: String)
  static var expected: String { get }
}

extension BlockShape: WordInPlan {
  init?(word: String) { self.init(word) }
  static var expected: String { "N, \"RxC\", \"axis\" or \"tensor\"" }
}

extension Rounding: WordInPlan {
  init?(word: String) { self.init(word) }
  static var expected: String {
    Rounding.deterministic.map(\.description).joined(separator: ", ") + " or stochastic[:n]"
  }
}

extension ComputeType: WordInPlan {
  init?(word: String) { self.init(rawValue: word.lowercased()) }
  static var expected: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension TensorScaleChoice: WordInPlan {
  init?(word: String) {
    switch word.lowercased() {
    case "auto": self = .auto
    case "none": self = .none
    default:
      guard let value = Float(word), value.isFinite, value > 0 else { return nil }
      self = .given(value)
    }
  }
  static var expected: String { "\"auto\", \"none\" or a factor above 0" }
}

/// A Hadamard rotation's size; 0 is none.
public struct RotationWord: WordInPlan, Sendable {
  public var transform: OperandTransform

  public init?(word: String) {
    guard let found = OperandTransform(Int(word) == 0 ? "none" : "hadamard:\(word)") else {
      return nil
    }
    transform = found
  }
  /// As it is read.
  public var text: String { transform.rotation.map { "\($0.size)" } ?? "0" }
  public static var expected: String { "0, or a power of two from 2 to 65536" }
}

/// A share of outliers by scheme, or `none`.
public struct OutlierWord: WordInPlan, Sendable {
  public var transform: OperandTransform

  public init?(word: String) {
    guard let found = OperandTransform(word.lowercased() == "none" ? "none" : "outliers:\(word)")
    else { return nil }
    transform = found
  }
  /// As it is read.
  public var text: String { transform.description.replacing("outliers:", with: "") }
  public static var expected: String { "none, values:P or columns:P with a share P from 0 to 1" }
}

extension KeyedDecodingContainer {
  /// A whole number; nil where there is none. Of another number the decoder says that the file is not JSON.
  func wholeNumber(_ key: Key) throws -> Int? {
    guard contains(key), try !decodeNil(forKey: key) else { return nil }
    if let number = try? decode(Int.self, forKey: key) { return number }
    if let number = try? decode(Double.self, forKey: key) {
      throw PlanMistake(
        path: codingPath + [key], problem: "\(number) (expected a whole number below 2^63)")
    }
    return try decode(Int.self, forKey: key)
  }
}

/// A decoder passes over a misspelt field, and the plan would mean something else than was written.
func refuseUnknownFields<Keys: CodingKey & CaseIterable>(
  _ decoder: any Decoder, _ keys: Keys.Type
) throws {
  guard let unknown = try decoder.unknownField(among: keys) else { return }
  throw PlanMistake(path: decoder.codingPath, problem: unknown.problem)
}

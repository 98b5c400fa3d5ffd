import FormatCatalog
import FoundationEssentials

/// The sensitivity α_l of each layer: δ = Σ α_l·t_l², t_l² the relative squared error of layer l.
///
/// The linearity theorem of HIGGS (arXiv 2411.17525): for small errors the loss grows linearly with the squares,
/// whatever the quantiser. α_l has the unit of the loss, or of whatever output its file says was observed.
public struct Sensitivities: Sendable, Hashable {
  public let file: String
  /// The column that was read.
  public let column: String
  /// By the weight's name.
  public let alpha: [String: Double]
  /// What δ is, where the file says so.
  public let observable: String?

  /// Reads a CSV file with columns `tensor` and `alpha`, or JSON of `tools/law-alpha`: `layers`, a list of
  /// objects with those fields.
  ///
  /// - Parameter column: `alpha` for errors of products, `alpha_weight` for errors of weights.
  /// - Throws: a name twice, an α that is negative or no finite number, nothing at all.
  public static func read(_ path: String, column: String = "alpha") throws(LawError)
    -> Sensitivities
  {
    if path.lowercased().hasSuffix(".json") {
      return try readJSON(path, column: column)
    }
    let data = try LawData.read(path)
    let pairs = zip(try data.texts("tensor"), try data.numbers(column))
    return try Sensitivities(Array(pairs), file: path, column: column, observable: nil)
  }

  private struct Document: Decodable {
    var observable: String?
    var layers: [[String: Field]]
  }

  /// Text or a number: other fields of a layer may be either.
  private enum Field: Decodable {
    case text(String)
    case number(Double)
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        self = .other
      }
    }
  }

  private static func readJSON(
    _ path: String, column: String
  ) throws(LawError) -> Sensitivities {
    let bytes = try TextFile.read(path)
    let document: Document
    do {
      document = try JSONDecoder().decode(Document.self, from: bytes)
    } catch {
      throw .badData(path, "not a list of layers: \(FormatCatalog.decodingFailure(error))")
    }
    var pairs: [(String, Double)] = []
    for (number, layer) in document.layers.enumerated() {
      guard case .text(let name)? = layer["tensor"], case .number(let alpha)? = layer[column] else {
        throw .badData(
          path, "layer \(number + 1) lacks tensor or \(column)", expected: "a text and a number")
      }
      pairs.append((name, alpha))
    }
    return try Sensitivities(pairs, file: path, column: column, observable: document.observable)
  }

  init(
    _ pairs: [(String, Double)], file: String, column: String, observable: String?
  ) throws(LawError) {
    var alpha: [String: Double] = [:]
    for (name, value) in pairs {
      guard value >= 0, value.isFinite else {
        throw .badData(
          file, "\(name): \(column) = \(value)", expected: "a finite number of 0 or more")
      }
      guard alpha.updateValue(value, forKey: name) == nil else {
        throw .badData(file, "\(name) is there twice")
      }
    }
    guard alpha.values.contains(where: { $0 > 0 }) else {
      throw .badData(file, "no layer has a sensitivity above 0")
    }
    self.file = file
    self.column = column
    self.alpha = alpha
    self.observable = observable
  }
}

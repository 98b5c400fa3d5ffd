import FormatCatalog
import FoundationEssentials

/// A fit as `law fit --as json` writes it.
public struct SavedFit: Sendable, Equatable {
  public var file: String
  /// The law's name.
  public var law: String
  /// The law's formula when it was fitted.
  public var expression: String
  /// By symbol.
  public var values: [String: Double]
  /// By symbol; nil where the fit gives none.
  public var intervals: [String: NumberRange]
  /// The symbols of the covariance's rows and columns.
  public var symbols: [String]
  /// Of the parameters, in the fit's space.
  public var covariance: [[Double]]
  public var degreesOfFreedom: Int
  /// Share of the intervals.
  public var confidence: Double
  public var space: ResidualSpace
  /// By column, in the column's units: what the fit has seen.
  public var ranges: [String: NumberRange]
  public var warnings: [String]

  /// Reads a file.
  ///
  /// - Throws: `unreadable`, or `badData` where it is not a fit.
  public static func read(_ path: String) throws(LawError) -> SavedFit {
    let data = try TextFile.read(path)
    let document: Document
    do {
      document = try JSONDecoder().decode(Document.self, from: data)
    } catch {
      throw .badData(
        path, "not a fit: \(FormatCatalog.decodingFailure(error))",
        expected: "what law fit --as json prints")
    }
    let count = document.covariance.symbols.count
    guard document.covariance.matrix.count == count,
      document.covariance.matrix.allSatisfy({ $0.count == count }), document.confidence > 0,
      document.confidence < 1
    else { throw .badData(path, "not a fit: covariance or confidence make no sense") }
    let intervals = document.parameters.compactMapValues { parameter -> NumberRange? in
      guard let low = parameter.low, let high = parameter.high else { return nil }
      return NumberRange(low: low, high: high)
    }
    let ranges = document.fitted_range.compactMapValues { ends in
      ends.count == 2 ? NumberRange(low: ends[0], high: ends[1]) : nil
    }
    return SavedFit(
      file: path, law: document.law, expression: document.expression,
      values: document.parameters.mapValues(\.value),
      intervals: intervals, symbols: document.covariance.symbols,
      covariance: document.covariance.matrix, degreesOfFreedom: document.degrees_of_freedom,
      confidence: document.confidence, space: document.space, ranges: ranges,
      warnings: document.warnings ?? [])
  }

  // The names are the JSON's.
  // swift-format-ignore: AlwaysUseLowerCamelCase
  private struct Document: Decodable {
    struct Parameter: Decodable {
      var value: Double
      var low: Double?
      var high: Double?
    }
    struct Covariance: Decodable {
      var symbols: [String]
      var matrix: [[Double]]
    }
    var law: String
    var expression: String
    var parameters: [String: Parameter]
    var covariance: Covariance
    var degrees_of_freedom: Int
    var confidence: Double
    var space: ResidualSpace
    var fitted_range: [String: [Double]]
    var warnings: [String]?
  }
}

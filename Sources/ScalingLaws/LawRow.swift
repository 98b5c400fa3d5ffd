import FormatCatalog

/// A row of the table of laws as it stands in the file.
struct LawRow: Decodable {
  var name: String
  var aliases: [String]?
  var title: String
  var expression: String
  var variables: [VariableField]
  var parameters: [ParameterField]
  var target: TargetField
  var residuals: ResidualSpace?
  var derived: [DerivedField]?
  var sets: [SetField]?
  var source: String
  var status: CoefficientStatus
  var validity: String?
  var note: String?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, aliases, title, expression, variables, parameters, target, residuals, derived, sets,
      source, status, validity, note
  }

  struct VariableField: Decodable {
    var symbol: String
    var column: String
    var meaning: String
    var unit: String?
    var factor: Double?
    var domain: [Double?]?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case symbol, column, meaning, unit, factor, domain
    }

    var resolved: LawVariable {
      LawVariable(
        symbol: symbol, column: column.lowercased(), meaning: meaning, unit: unit ?? "",
        factor: factor ?? 1, domain: NumberRange(domain))
    }
  }

  struct ParameterField: Decodable {
    var symbol: String
    var meaning: String
    var bounds: [Double?]?
    var start: [Double?]
    var log: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable { case symbol, meaning, bounds, start, log }

    var resolved: LawParameter {
      LawParameter(
        symbol: symbol, meaning: meaning, bounds: NumberRange(bounds), start: NumberRange(start),
        isLogarithmic: log ?? false)
    }
  }

  struct TargetField: Decodable {
    var column: String
    var meaning: String
    var unit: String?
    var factor: Double?
    var domain: [Double?]?

    enum CodingKeys: String, CodingKey, CaseIterable { case column, meaning, unit, factor, domain }

    var resolved: LawTarget {
      LawTarget(
        column: column.lowercased(), meaning: meaning, unit: unit ?? "", factor: factor ?? 1,
        domain: NumberRange(domain))
    }
  }

  struct DerivedField: Decodable {
    var name: String
    var meaning: String
    var unit: String?
    var factor: Double?
    var expression: String

    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, meaning, unit, factor, expression
    }
  }

  struct SetField: Decodable {
    var name: String
    var values: [String: Double]
    var status: CoefficientStatus
    var source: String
    var validity: [String: [Double?]]?
    var note: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, values, status, source, validity, note
    }

    var resolved: CoefficientSet {
      let ranges = (validity ?? [:]).map { ($0.key.lowercased(), NumberRange($0.value)) }
      return CoefficientSet(
        name: name, values: values, status: status, source: source,
        validity: Dictionary(ranges, uniquingKeysWith: { first, _ in first }), note: note ?? "")
    }
  }
}

extension NumberRange {
  /// `[low, high]` with null for an open end.
  fileprivate init(_ ends: [Double?]?) {
    self.init(
      low: ends?.first.flatMap { $0 } ?? -.infinity, high: ends?.last.flatMap { $0 } ?? .infinity)
  }
}

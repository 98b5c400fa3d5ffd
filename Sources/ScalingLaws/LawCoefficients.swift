/// Numbers for all of a law's parameters, and what is known about them.
public struct LawCoefficients: Sendable, Equatable {
  public enum Origin: Sendable, Equatable {
    case set(CoefficientSet)
    case fit(SavedFit)
    /// Every number was given by the user.
    case given
  }

  public var law: LawFamily
  /// In the law's order.
  public var values: [Double]
  public var origin: Origin
  /// Symbols whose numbers the user gave in place of the origin's, or because it has none.
  public var replaced: [String]

  /// - Parameters:
  ///   - set: The name of one of the law's coefficient sets; the only one where neither a set nor a
  ///     fit nor a number is given.
  ///   - fit: What `law fit` wrote, instead of a set.
  ///   - numbers: By symbol, in place of those.
  /// - Throws: `usage` where a number is missing, not the law's, or outside its bounds.
  public init(
    _ law: LawFamily, set: String? = nil, fit: SavedFit? = nil, numbers: [String: Double] = [:]
  ) throws(LawError) {
    self.law = law
    for (symbol, value) in numbers.sorted(by: { $0.key < $1.key }) {
      guard let place = law.parameterIndex(symbol) else {
        let known = law.parameters.map(\.symbol).joined(separator: ", ")
        throw .usage("law \(law.name) has no parameter \"\(symbol)\" (it has \(known))")
      }
      guard value.isFinite, law.parameters[place].bounds.contains(value) else {
        throw .usage(
          "\(symbol) = \(plainText(value)) is out of bounds (expected \(law.parameters[place].bounds))"
        )
      }
    }
    var known: [String: Double]
    if let fit {
      guard fit.expression == law.expression.text else {
        throw .usage(
          "\(fit.file) is a fit of \(fit.law), \(fit.expression), not of \(law.name),"
            + " \(law.expression.text)")
      }
      origin = .fit(fit)
      known = fit.values
    } else if let found = try Self.coefficientSet(law, named: set, isNeeded: numbers.isEmpty) {
      origin = .set(found)
      known = found.values
    } else {
      origin = .given
      known = [:]
    }
    replaced = law.parameters.map(\.symbol).filter { numbers[$0] != nil }
    known.merge(numbers) { $1 }
    let missing = law.parameters.map(\.symbol).filter { known[$0] == nil }
    guard missing.isEmpty else {
      throw .usage(
        "law \(law.name): no number for \(missing.joined(separator: ", "))"
          + " (give it as \(missing[0])=NUMBER)")
    }
    values = law.parameters.compactMap { known[$0.symbol] }
  }

  private static func coefficientSet(
    _ law: LawFamily, named name: String?, isNeeded: Bool
  ) throws(LawError) -> CoefficientSet? {
    if let name { return try law.coefficientSet(name) }
    guard isNeeded else { return nil }
    let names = law.coefficientSets.map(\.name)
    guard names.count != 1 else { return law.coefficientSets[0] }
    throw .usage(
      names.isEmpty
        ? "law \(law.name) has no published coefficients: give a fit or numbers"
        : "law \(law.name): which coefficients? It has \(names.joined(separator: ", "))")
  }

  /// By column, in the column's units: what the numbers were determined on.
  public var validity: [String: NumberRange] {
    switch origin {
    case .set(let set): set.validity
    case .fit(let fit): fit.ranges
    case .given: [:]
    }
  }
}

/// What a law gives at one place.
public struct LawPrediction: Sendable, Equatable {
  /// By the law's variables, in the columns' units; NaN for one that is not given and only serves
  /// derived quantities.
  public var columns: [Double]
  /// In the target column's unit; NaN or infinite where the formula is.
  public var value: Double
  /// The interval that the fit's covariance leaves the curve; nil without one.
  public var low: Double?
  public var high: Double?
  /// As many as the law has derived quantities; nil where a variable for it is missing.
  public var derived: [Double?]
  /// Columns whose numbers lie outside what the coefficients were determined on.
  public var outside: [String]
}

extension LawCoefficients {
  /// The law at one place.
  ///
  /// - Parameter columns: A number for each of the law's variables, in the columns' units.
  public func prediction(at columns: [Double]) -> LawPrediction {
    let variables = zip(columns, law.variables).map { $0 / $1.factor }
    let factor = law.target.factor
    var result = LawPrediction(
      columns: columns, value: factor * law.value(parameters: values, variables: variables),
      derived: [], outside: [])
    if case .fit(let fit) = origin, replaced.isEmpty,
      let interval = fit.interval(law: law, values: values, at: variables)
    {
      result.low = factor * interval.low
      result.high = factor * interval.high
    }
    result.derived = law.derived.map { quantity in
      let places = quantity.variables.compactMap { name in
        law.variables.firstIndex { $0.symbol == name }
      }
      guard places.allSatisfy({ !variables[$0].isNaN }) else { return nil }
      return law.value(of: quantity, parameters: values, variables: variables)
    }
    let ranges = validity
    result.outside = zip(law.variables, columns).filter { variable, value in
      !value.isNaN && ranges[variable.column].map { !$0.contains(value) } == true
    }.map(\.0.column)
    return result
  }
}

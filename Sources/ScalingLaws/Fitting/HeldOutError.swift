#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How well a law fitted without some rows predicts them.
public struct HeldOutError: Sendable, Equatable {
  public struct Row: Sendable, Equatable {
    /// In the data's file.
    public var line: Int
    public var observed: Double
    public var predicted: Double
  }

  /// What was left out, such as `n = 3.2e10`.
  public var name: String
  public var rows: [Row]
  /// √(mean (ln predicted - ln observed)²) of the rows left out; nil where a number has no logarithm.
  public var rmsLog: Double?
  /// The same of the rows that the fits saw.
  public var inSampleRmsLog: Double?
  /// Mean and largest |predicted - observed| / |observed| of the rows left out; nil where one is 0.
  public var meanRelative: Double?
  public var largestRelative: Double?
  /// Of the rows that the fits saw.
  public var inSampleMeanRelative: Double?

  /// Fits without the rows, from the parameters of the fit to all of them, and predicts them.
  ///
  /// - Throws: `badData` where no row or too few are left, or the rest does not determine the law;
  ///   `usage` where the law reads no such column.
  public init(
    _ law: LawFamily, _ points: LawPoints, _ request: LawFitRequest, _ holdOut: HoldOut,
    from start: [Double]
  ) throws(LawError) {
    let groups = try law.groups(points, holdOut)
    name = groups.map(\.name).joined(separator: ", ")
    (rows, seen) = ([], [])
    for group in groups { try predict(group.rows, law, points, request, start) }
    rmsLog = Self.rmsLog(rows)
    inSampleRmsLog = Self.rmsLog(seen)
    let errors = Self.relative(rows)
    meanRelative = errors.map { $0.reduce(0, +) / Double($0.count) }
    largestRelative = errors?.max()
    inSampleMeanRelative = Self.relative(seen).map { $0.reduce(0, +) / Double($0.count) }
    seen = []
  }

  /// Rows that a fit was made of, while errors are gathered.
  private var seen: [Row]

  private mutating func predict(
    _ left: [Int], _ law: LawFamily, _ points: LawPoints, _ request: LawFitRequest,
    _ start: [Double]
  ) throws(LawError) {
    let kept = points.targets.indices.filter { !left.contains($0) }
    let curve = try law.curve(points, rows: kept, request)
    let fit = try curve.fit(
      request, request.space ?? law.residuals, file: points.file, from: start)
    let values = law.parameters.map { parameter in
      fit.parameters.first { $0.symbol == parameter.symbol }?.value
        ?? request.fixed[parameter.symbol] ?? .nan
    }
    func row(_ place: Int) -> Row {
      Row(
        line: points.lines[place], observed: points.targets[place],
        predicted: law.value(parameters: values, variables: points.variables[place]))
    }
    rows += left.map(row)
    seen += kept.map(row)
  }

  private static func rmsLog(_ rows: [Row]) -> Double? {
    guard rows.allSatisfy({ $0.observed > 0 && $0.predicted > 0 }) else { return nil }
    let squares = rows.map { pow(log($0.predicted / $0.observed), 2) }
    return (squares.reduce(0, +) / Double(rows.count)).squareRoot()
  }

  private static func relative(_ rows: [Row]) -> [Double]? {
    guard rows.allSatisfy({ $0.observed != 0 }) else { return nil }
    return rows.map { abs($0.predicted - $0.observed) / abs($0.observed) }
  }
}

extension LawFamily {
  /// Columns whose largest rows may be held out where nothing was asked for: the model's size first.
  var holdOutColumns: [String] {
    let columns = variablesOfFormula.map { variables[$0].column }
    return columns.filter { $0 == "n" } + columns.filter { $0 != "n" }
  }

  /// Groups of rows to leave out, one fit each.
  fileprivate func groups(
    _ points: LawPoints, _ holdOut: HoldOut
  ) throws(LawError) -> [(name: String, rows: [Int])] {
    guard let column = holdOut.column else { return [] }
    let place = variablesOfFormula.first { variables[$0].column == column }
    guard let place else {
      let known = variablesOfFormula.map { variables[$0].column }.joined(separator: ", ")
      throw .usage("hold-out: law \(name) reads no column \"\(column)\" (it reads \(known))")
    }
    let factor = variables[place].factor
    let numbers = points.variables.map { $0[place] * factor }
    let levels = Set(numbers).sorted()
    let wanted: [Double]
    switch holdOut {
    case .none: wanted = []
    case .largest: wanted = levels.suffix(1)
    case .each: wanted = levels
    case .equal(_, let value): wanted = levels.filter { abs($0 - value) <= 1e-9 * abs(value) }
    }
    guard !wanted.isEmpty else {
      throw .usage(
        "hold-out: no row has that \(column) (there are \(levels.map(Self.text).joined(separator: ", ")))"
      )
    }
    guard levels.count > 1 else {
      throw .badData(
        LawError.Fault(
          file: points.file, problem: "every row has the same \(column), so none is left to fit"))
    }
    return wanted.map { level in
      ("\(column) = \(Self.text(level))", numbers.indices.filter { numbers[$0] == level })
    }
  }

  /// A column's number as people write it: `32e9`, `0.95`.
  private static func text(_ value: Double) -> String {
    let isLarge = abs(value) >= 1e8
    let digits = "\(isLarge ? value / 1e9 : value)"
    return (digits.hasSuffix(".0") ? String(digits.dropLast(2)) : digits) + (isLarge ? "e9" : "")
  }
}

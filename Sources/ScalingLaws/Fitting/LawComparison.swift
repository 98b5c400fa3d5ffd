/// Several laws fitted to the same points.
public struct LawComparison: Sendable {
  public struct Entry: Sendable {
    public var law: String
    /// nil where the points do not determine it.
    public var fit: LawFit?
    /// Why there is no fit.
    public var problem: String?
  }

  public var file: String
  public var space: ResidualSpace
  /// In the order asked for.
  public var entries: [Entry]
  /// What each fit is judged on without having seen it.
  public var heldOut: String?
  public var warnings: [String]

  /// Fits every law in one space with one loss.
  ///
  /// - Throws: `usage` where the laws predict different things, or the space is not given and theirs
  ///   differ: criteria of different residuals cannot be compared. `badData` where the data lack a
  ///   column, or no law can be fitted.
  public init(
    _ laws: [LawFamily], _ data: LawData, _ request: LawFitRequest
  ) throws(LawError) {
    guard let first = laws.first else { throw .usage("expected at least one law") }
    for law in laws where law.target.column != first.target.column {
      throw .usage(
        "\(law.name) predicts \(law.target.column), \(first.name) \(first.target.column):"
          + " they cannot be compared")
    }
    let spaces = Set(laws.map(\.residuals))
    guard let space = request.space ?? (spaces.count == 1 ? first.residuals : nil) else {
      throw .usage("these laws are fitted in different spaces: choose one with --space")
    }
    (file, self.space, entries, warnings) = (data.file, space, [], [])
    var asked = request
    asked.space = space
    asked.fixed = [:]
    for law in laws {
      let points = try data.points(
        for: law, nonPositive: request.dropsNonPositive ? .drop : space == .log ? .refuse : .keep)
      // Values fixed for one law mean nothing to another that has no such symbol.
      asked.fixed = request.fixed.filter { law.parameterIndex($0.key) != nil }
      entries.append(try Entry(law, points, asked))
    }
    try finish(request)
  }

  private mutating func finish(_ request: LawFitRequest) throws(LawError) {
    for symbol in request.fixed.keys.sorted()
    where !entries.contains(where: { $0.fit?.law.parameterIndex(symbol) != nil }) {
      throw .usage("none of the laws has a parameter \"\(symbol)\"")
    }
    guard entries.contains(where: { $0.fit != nil }) else {
      throw .badData(
        LawError.Fault(
          file: file, problem: entries.first?.problem ?? "no law can be fitted"))
    }
    let names = Set(entries.compactMap { $0.fit?.heldOut?.name })
    heldOut = names.count == 1 ? names.first : nil
    if names.count > 1 {
      warnings.append(
        "The laws were judged on different rows: their held-out errors do not compare.")
    }
    for entry in entries {
      warnings += (entry.fit?.warnings ?? []).map { "\(entry.law): \($0)" }
    }
  }

  /// The law with the lowest corrected criterion.
  public var bestByAICc: String? {
    entries.compactMap { entry in entry.fit?.quality.aicc.map { (entry.law, $0) } }
      .min { $0.1 < $1.1 }?.0
  }

  /// The law that errs least on rows it has not seen.
  public var bestByHeldOut: String? {
    guard heldOut != nil else { return nil }
    return entries.compactMap { entry in entry.fit?.heldOut?.rmsLog.map { (entry.law, $0) } }
      .min { $0.1 < $1.1 }?.0
  }

  /// How far a law's corrected criterion lies above the lowest.
  public func aboveBest(_ entry: Entry) -> Double? {
    guard let own = entry.fit?.quality.aicc else { return nil }
    return entries.compactMap { $0.fit?.quality.aicc }.min().map { own - $0 }
  }
}

extension LawComparison.Entry {
  fileprivate init(
    _ law: LawFamily, _ points: LawPoints, _ request: LawFitRequest
  ) throws(LawError) {
    self.law = law.name
    do throws(LawError) {
      fit = try law.fit(points, request)
    } catch .badData(let fault) {
      problem = fault.problem
    }
  }
}

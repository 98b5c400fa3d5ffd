/// A law fitted to data, with all that tells how far to trust it.
public struct LawFit: Sendable {
  public struct Parameter: Sendable, Equatable {
    public var symbol: String
    public var value: Double
    /// The interval from the covariance; nil where the parameter is fixed or lies at a bound, and
    /// infinite where the data leave it open.
    public var low: Double?
    public var high: Double?
    public var standardError: Double?
    /// The bootstrap's interval; nil without one.
    public var bootstrapLow: Double?
    public var bootstrapHigh: Double?
    public var isFixed: Bool
    public var isAtBound: Bool
  }

  public var law: LawFamily
  public var request: LawFitRequest
  public var points: LawPoints
  /// In the law's order, the fixed ones among them.
  public var parameters: [Parameter]
  /// Of the parameters that are not fixed.
  public var curve: CurveFit
  public var quality: FitQuality
  /// nil where it was not asked for or cannot be had; then `warnings` says why.
  public var heldOut: HeldOutError?
  public var bootstrap: FitBootstrap?
  /// What limits the result, in sentences.
  public var warnings: [String]

  public var values: [Double] { parameters.map(\.value) }
  public var space: ResidualSpace { curve.space }
}

extension LawFamily {
  /// Fits the law to data.
  ///
  /// - Throws: `badData` for rows that the law cannot be held against or that do not determine its
  ///   parameters; `usage` for a request that contradicts itself.
  public func fit(_ data: LawData, _ request: LawFitRequest) throws(LawError) -> LawFit {
    let space = request.space ?? residuals
    let points = try data.points(
      for: self,
      nonPositive: request.dropsNonPositive ? .drop : space == .log ? .refuse : .keep)
    return try fit(points, request)
  }

  /// Fits the law to points, which are positive where residuals are logarithms.
  public func fit(_ points: LawPoints, _ request: LawFitRequest) throws(LawError) -> LawFit {
    let space = request.space ?? residuals
    let curve = try curve(points, rows: Array(points.targets.indices), request)
    let fit = try curve.fit(request, space, file: points.file)
    var result = LawFit(
      law: self, request: request, points: points,
      parameters: parameters.map { LawFit.Parameter($0.symbol, request.fixed, fit) }, curve: fit,
      quality: FitQuality(fit, observed: points.targets), heldOut: nil, bootstrap: nil,
      warnings: [])
    if request.bootstrap > 0 {
      result.add(
        FitBootstrap(curve, fit, resamples: request.bootstrap, seed: request.seed))
    }
    result.warnings = FitWarnings.all(result)
    try result.addHeldOut()
    return result
  }
}

extension LawFit {
  fileprivate mutating func add(_ bootstrap: FitBootstrap) {
    self.bootstrap = bootstrap
    for (parameter, interval) in zip(curve.parameters, bootstrap.intervals) {
      guard let place = law.parameterIndex(parameter.symbol) else { continue }
      parameters[place].bootstrapLow = interval?.low
      parameters[place].bootstrapHigh = interval?.high
    }
  }

  /// The held-out error: an error where it was asked for, a warning where it was not. Where the rest
  /// does not determine the law without its largest model, another column's largest rows are taken.
  fileprivate mutating func addHeldOut() throws(LawError) {
    if let wanted = request.holdOut {
      if wanted != .none {
        heldOut = try HeldOutError(law, points, request, wanted, from: curve.values)
      }
      return
    }
    for column in law.holdOutColumns {
      do throws(LawError) {
        heldOut = try HeldOutError(
          law, points, request, .largest(column: column), from: curve.values)
        return
      } catch {
        warnings.append("The largest \(column) cannot be held out: \(error.problem).")
      }
    }
  }
}

extension LawFit.Parameter {
  fileprivate init(_ symbol: String, _ fixed: [String: Double], _ fit: CurveFit) {
    let found = fit.parameters.first { $0.symbol == symbol }
    self.init(
      symbol: symbol, value: found?.value ?? fixed[symbol] ?? .nan, low: found?.low,
      high: found?.high, standardError: found?.standardError, bootstrapLow: nil,
      bootstrapHigh: nil, isFixed: found == nil, isAtBound: found?.isAtBound ?? false)
  }
}

extension Curve {
  /// The fit that a request asks for, its errors with the file's name.
  func fit(
    _ request: LawFitRequest, _ space: ResidualSpace, file: String, from start: [Double]? = nil
  ) throws(LawError) -> CurveFit {
    do throws(FitError) {
      let squares = try fit(
        space: space, starts: request.starts, seed: request.seed, confidence: request.confidence,
        from: start)
      guard case .huber(let wanted) = request.loss else { return squares }
      let scale = wanted ?? FitQuality.huberScale(squares.residuals)
      guard scale > 0 else { return squares }
      return try fit(
        space: space, loss: .huber(scale: scale), starts: request.starts, seed: request.seed,
        confidence: request.confidence, from: start)
    } catch {
      throw .badData(LawError.Fault(file: file, problem: error.description + error.advice))
    }
  }
}

extension LawError {
  /// The message without the file's name.
  var problem: String {
    if case .badData(let fault) = self { return fault.problem }
    return description
  }
}

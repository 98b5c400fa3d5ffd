extension LawFamily {
  /// The law as a curve through points, its fixed parameters set.
  ///
  /// - Throws: `usage` where the request names a parameter that the law has not, or contradicts
  ///   itself.
  func curve(
    _ points: LawPoints, rows: [Int], _ request: LawFitRequest
  ) throws(LawError) -> Curve {
    let free = try freeParameters(request)
    let template = parameters.map { request.fixed[$0.symbol] ?? 0 }
    let places = free.compactMap { parameterIndex($0.symbol) }
    let variables = rows.map { points.variables[$0] }
    return Curve(
      parameters: free, observed: rows.map { points.targets[$0] }
    ) { values, row in
      var all = template
      for (place, value) in zip(places, values) { all[place] = value }
      let (value, slopes) = self.gradient(parameters: all, variables: variables[row])
      return (value, places.map { slopes[$0] })
    }
  }

  /// What the data shall determine: the parameters that are not fixed.
  func freeParameters(_ request: LawFitRequest) throws(LawError) -> [FitParameter] {
    for symbol in request.fixed.keys.sorted() + request.bounds.keys.sorted()
    where parameterIndex(symbol) == nil {
      let known = parameters.map(\.symbol).joined(separator: ", ")
      throw .usage("law \(name) has no parameter \"\(symbol)\" (it has \(known))")
    }
    var free: [FitParameter] = []
    for parameter in parameters {
      let bounds = request.bounds[parameter.symbol] ?? parameter.bounds
      if let value = request.fixed[parameter.symbol] {
        guard value.isFinite, bounds.contains(value) else {
          throw .usage("\(parameter.symbol) = \(value) is out of bounds (\(bounds))")
        }
        continue
      }
      free.append(try FitParameter(parameter, within: bounds))
    }
    guard !free.isEmpty else { throw .usage("every parameter is fixed: nothing to fit") }
    return free
  }
}

extension FitParameter {
  fileprivate init(_ parameter: LawParameter, within bounds: NumberRange) throws(LawError) {
    guard bounds.low < bounds.high else {
      throw .usage("bounds of \(parameter.symbol): \(bounds.low) is not below \(bounds.high)")
    }
    var (low, high) = (max(parameter.start.low, bounds.low), min(parameter.start.high, bounds.high))
    if low > high {
      // Bounds that leave out all of the law's starts: begin at the nearer one.
      low = bounds.contains(parameter.start.low) ? low : min(max(low, bounds.low), bounds.high)
      high = low
    }
    self.init(
      parameter.symbol, lower: bounds.low, upper: bounds.high, start: low...high,
      isFactor: parameter.isLogarithmic && bounds.low >= 0)
  }
}

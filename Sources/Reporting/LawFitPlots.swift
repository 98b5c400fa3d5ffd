import ScalingLaws

/// Pictures of a fit.
public enum LawFitPlots {
  /// Data and law: a curve and its interval for every combination of the other columns; where there
  /// are too many of those to tell apart, fitted against observed.
  public static func data(_ fit: LawFit) -> Plot {
    guard let layout = CurveLayout(fit) else { return observed(fit) }
    let share = NumberStyle.compact(4).text(fit.curve.confidence * 100)
    var plot = Plot(
      title: title(fit), x: layout.axis, y: targetAxis(fit),
      notes: ["Bands: \(share) % intervals of the curve, from the parameters' covariance."])
    for (color, group) in layout.groups.enumerated() {
      plot.layers += layers(fit, layout, group, color: color)
    }
    return plot
  }

  /// Residuals against what was fitted.
  public static func residuals(_ fit: LawFit) -> Plot {
    let factor = fit.law.target.factor
    let isLog = fit.space == .log
    let points = fit.points.targets.indices.map { row in
      PlotPoint(
        fit.curve.fitted[row] * factor, fit.curve.residuals[row], title: rowText(fit, row))
    }
    let spread = fit.quality.rms
    return Plot(
      title: "Residuals of \(title(fit))",
      x: PlotAxis("fitted \(fit.law.target.column)", scale: isLog ? .log : .linear),
      y: PlotAxis(
        isLog ? "ln observed − ln fitted" : "observed − fitted, \(fit.law.target.unit)"),
      layers: [
        .rule(y: 0), .rule(y: spread, name: "± rms \(PlotNumber.text(spread))"),
        .rule(y: -spread), .points(points, name: fit.law.target.column),
      ])
  }

  private static func observed(_ fit: LawFit) -> Plot {
    let factor = fit.law.target.factor
    let points = fit.points.targets.indices.map { row in
      PlotPoint(
        fit.curve.fitted[row] * factor, fit.points.targets[row] * factor, title: rowText(fit, row))
    }
    let all = points.flatMap { [$0.x, $0.y] }
    let ends = [all.min() ?? 0, all.max() ?? 1].map { PlotPoint($0, $0) }
    var axis = targetAxis(fit)
    axis.label = "fitted \(axis.label)"
    return Plot(
      title: title(fit), x: axis, y: targetAxis(fit),
      layers: [
        .line(ends, name: "observed = fitted", color: 7, isDashed: true),
        .points(points, name: "points"),
      ])
  }

  private static func layers(
    _ fit: LawFit, _ layout: CurveLayout, _ group: CurveLayout.Group, color: Int
  ) -> [PlotLayer] {
    let curve = layout.places.compactMap { place -> (Double, LawInterval)? in
      var variables = group.variables
      variables[layout.variable] = place
      return fit.interval(at: variables).map { (place, $0) }
    }
    let factor = fit.law.target.factor
    let points = group.rows.map { row in
      PlotPoint(
        fit.points.variables[row][layout.variable],
        fit.points.targets[row] * factor, title: rowText(fit, row))
    }
    return [
      .band(
        lower: curve.map { PlotPoint($0.0, $0.1.low * factor) },
        upper: curve.map { PlotPoint($0.0, $0.1.high * factor) }, color: color),
      .line(curve.map { PlotPoint($0.0, $0.1.value * factor) }, color: color),
      .points(points, name: group.name, color: color),
    ]
  }

  private static func title(_ fit: LawFit) -> String {
    let rSquared =
      fit.quality.rSquared.map {
        ", R² of ln \(fit.law.target.column) \(NumberStyle.fixed(3).text($0))"
      } ?? ""
    let file = fit.points.file.split(separator: "/").last.map(String.init) ?? fit.points.file
    return "\(fit.law.name) law on \(file)\(rSquared)"
  }

  private static func targetAxis(_ fit: LawFit) -> PlotAxis {
    let target = fit.law.target
    let unit = target.unit.isEmpty ? "" : ", \(target.unit)"
    return PlotAxis(
      "\(target.column): \(target.meaning)\(unit)", scale: fit.space == .log ? .log : .linear)
  }

  private static func rowText(_ fit: LawFit, _ row: Int) -> String {
    let variables = fit.law.variablesOfFormula.map { place in
      fit.law.variables[place].plotText(fit.points.variables[row][place])
    }
    let factor = fit.law.target.factor
    return
      (variables + [
        "observed \(PlotNumber.text(fit.points.targets[row] * factor))",
        "fitted \(PlotNumber.text(fit.curve.fitted[row] * factor))",
        "line \(fit.points.lines[row])",
      ]).joined(separator: "\n")
  }
}

/// Which column runs along the plot, and which combinations of the others get a curve each.
private struct CurveLayout {
  struct Group {
    var name: String
    /// The running one is replaced.
    var variables: [Double]
    var rows: [Int]
  }

  var variable: Int
  var axis: PlotAxis
  var groups: [Group]
  /// Where the curves are computed, in the formula's unit as everything here.
  var places: [Double]

  init?(_ fit: LawFit) {
    let read = fit.law.variablesOfFormula
    let points = fit.points.variables
    func levels(_ place: Int) -> Int { Set(points.map { $0[place] }).count }
    guard let running = read.max(by: { levels($0) < levels($1) }), levels(running) > 1 else {
      return nil
    }
    variable = running
    let others = read.filter { $0 != running && levels($0) > 1 }
    var found: [[Double]: [Int]] = [:]
    for row in points.indices { found[others.map { points[row][$0] }, default: []].append(row) }
    guard found.count <= PlotStyle.colors else { return nil }
    groups = found.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { key in
      let rows = found[key] ?? []
      let names = zip(others, key).map { fit.law.variables[$0].plotText($1) }
      return Group(
        name: names.isEmpty ? "points" : names.joined(separator: ", "),
        variables: points[rows.first ?? 0], rows: rows)
    }
    let numbers = points.map { $0[running] }
    let (low, high) = (numbers.min() ?? 1, numbers.max() ?? 1)
    let isLog = low > 0 && high / low >= 8
    let ticks = Set(numbers).sorted()
    axis = PlotAxis(
      fit.law.variables[running].plotLabel, scale: isLog ? .log : .linear,
      ticks: ticks.count <= 10 ? ticks : nil)
    places = (0...80).map { step in
      let share = Double(step) / 80
      return isLog
        ? PlotScale.between(low, high, share) : low + share * (high - low)
    }
  }
}

extension LawVariable {
  /// The formula's number for people: `n = 7 billion`.
  fileprivate func plotText(_ number: Double) -> String {
    let isBillions = factor == 1e9
    return "\(column) = \(PlotNumber.text(isBillions ? number : number * factor))"
      + (isBillions ? " billion" : "")
  }

  /// An axis of the formula's numbers.
  fileprivate var plotLabel: String {
    let scale = factor == 1 ? "" : factor == 1e9 ? ", billions" : " / \(PlotNumber.text(factor))"
    return "\(column)\(scale): \(meaning)"
  }
}

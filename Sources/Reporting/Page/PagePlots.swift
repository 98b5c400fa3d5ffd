import ScalingLaws

/// The drawings of a page, by the names of their files.
struct PagePlots {
  var analysis: SweepAnalysis

  /// Each format keeps its colour and marker on the whole page.
  private var order: [String] { analysis.series.map(\.format) }
  private func color(_ format: String) -> Int { order.firstIndex(of: format) ?? order.count }

  /// Error against stored bits.
  var paretoBits: Plot? {
    pareto(
      front: PageFront.bits(analysis.series), title: "Error against bits per element",
      axis: PlotAxis("stored bits per element, scales included", scale: .log)
    ) { _, point in (point.bitsPerElement, "") }
  }

  /// Error against gates, without formats whose elements are of a codebook.
  var paretoGates: Plot? {
    pareto(
      front: PageFront.gates(analysis.series, analysis.request.cost), title: "Error against gates",
      axis: PlotAxis("gates per multiply-accumulate, NAND2 equivalents", scale: .log)
    ) { format, point in
      guard let cost = analysis.request.cost(format, point.block), !cost.isOfCodebook else {
        return nil
      }
      return (cost.gates, " (\(Self.gates(cost)))")
    }
  }

  /// Formats whose gates are known but not drawn.
  var codebooks: [String] {
    analysis.series.filter { series in
      series.points.contains {
        analysis.request.cost(series.format, $0.block)?.isOfCodebook == true
      }
    }.map(\.format)
  }

  /// `212 gates ± 9 %`, or what no synthesis result stands behind.
  static func gates(_ cost: PageCost) -> String {
    let error = cost.relativeError.map { " ± \(PageNumber.fixed(100 * $0, 0)) %" }
    return "\(PageNumber.compact(cost.gates)) gates"
      + (error ?? " (no synthesis results of \(cost.missing))")
  }

  private func pareto(
    front: PageFront, title: String, axis: PlotAxis,
    _ cost: (String, ErrorSeries.Point) -> (Double, String)?
  ) -> Plot? {
    var best: [PlotPoint] = []
    var layers: [PlotLayer] = []
    for one in analysis.series {
      let points = one.points.compactMap { point -> PlotPoint? in
        guard let (place, note) = cost(one.format, point) else { return nil }
        let isBest = front.contains(one.format, point.block)
        if isBest { best.append(PlotPoint(place, point.error)) }
        return PlotPoint(
          place, point.error,
          title: Self.title(one.format, point) + note
            + (isBest ? "; on the Pareto front" : "; not on the Pareto front"))
      }
      guard !points.isEmpty else { continue }
      layers.append(.line(points, color: color(one.format)))
      layers.append(.points(points, name: one.format, color: color(one.format)))
    }
    guard !layers.isEmpty else { return nil }
    best.sort { ($0.x, $1.y) < ($1.x, $0.y) }
    layers.append(.front(best, name: "none better"))
    return Plot(
      title: title, x: axis, y: PlotAxis("relative squared error (NMSE)", scale: .log),
      layers: layers, notes: [Self.movedNote],
      summary: "One point for each format and block size. The dotted line, the Pareto front, joins"
        + " the \(best.count) points to which no other is better in both.", width: 860,
      height: 520)
  }

  private static let movedNote =
    "Marks that others would hide stand beside their place or, where there is no room, share one mark;"
    + " texts have the numbers."

  static func title(_ format: String, _ point: ErrorSeries.Point) -> String {
    "\(format), block \(point.block): NMSE \(PageNumber.error(point.error))"
      + " (\(PageNumber.fixed(decibels(point.error), 1)) dB),"
      + " \(PageNumber.fixed(point.bitsPerElement, 2)) bits per element"
  }

  /// Error against Q_b, with the law where it holds.
  func curves(_ series: [ErrorSeries], of subject: ErrorSubject) -> Plot? {
    let drawn = series.filter { !$0.points.isEmpty }
    guard !drawn.isEmpty else { return nil }
    let layers = drawn.flatMap { one -> [PlotLayer] in
      let points = one.points.map {
        PlotPoint(
          $0.blockSize, $0.error,
          title: Self.title(one.format, $0)
            + "; 10 to 90 % of \(one.units): \(PageNumber.error($0.low)) to"
            + " \(PageNumber.error($0.high))")
      }
      let color = color(one.format)
      var line = PlotLayer.line(points, color: color, isDashed: true)
      if let law = one.law {
        line = .line(
          Self.spaced(law.range).map { PlotPoint($0, law.error(at: $0)) }, color: color,
          isDashed: !one.followsLaw)
      }
      return [line, .points(points, name: one.format, color: color)]
    }
    let laws = drawn.filter(\.followsLaw).count
    return Plot(
      title: "Error against Q_b: \(subject.words)",
      x: PlotAxis("Q_b, elements per scale", scale: .log, ticks: Self.ticks(drawn)),
      y: PlotAxis("relative squared error (NMSE)", scale: .log), layers: layers,
      notes: [
        "Lines: the law K (Q_b + d)^gamma_c, dashed where it does not follow the points; of fewer than"
          + " four points, these joined."
      ],
      summary: "\(drawn.count) formats; the law follows the points of \(laws).",
      width: 860, height: 520)
  }

  private static func ticks(_ series: [ErrorSeries]) -> [Double]? {
    let sizes = Set(series.flatMap(\.points).map { $0.blockSize.rounded() })
    return sizes.count <= 16 ? sizes.sorted() : nil
  }

  private static func spaced(_ range: ClosedRange<Double>) -> [Double] {
    let steps = 32
    return (0...steps).map {
      PlotScale.between(range.lowerBound, range.upperBound, Double($0) / Double(steps))
    }
  }

  /// The largest Q_b within the budget against N.
  var budget: Plot? {
    guard let plan = analysis.plan, let least = analysis.request.sizes.first,
      let most = analysis.request.sizes.last
    else { return nil }
    let models = Self.spaced(least / 2...most * 2)
    let layers = analysis.series.flatMap { one -> [PlotLayer] in
      let rows = models.map { plan.row(one.planned, n: $0, ownBlock: "").block }
      let line = zip(models, rows).map { PlotPoint($0, $1.value.blockSize ?? .nan) }
      guard line.contains(where: { $0.y.isFinite }) else { return [] }
      let color = color(one.format)
      let marks = analysis.request.sizes.compactMap { n -> PlotPoint? in
        let block = plan.row(one.planned, n: n, ownBlock: "").block
        guard let size = block.value.blockSize else { return nil }
        return PlotPoint(
          n, size,
          title:
            "\(one.format) at \(PageNumber.parameters(n)): Q_b \(PageNumber.block(block.value))"
            + ", 95 %: \(PageNumber.block(block.low)) to \(PageNumber.block(block.high))")
      }
      return [.line(line, color: color), .points(marks, name: one.format, color: color)]
    }
    guard !layers.isEmpty else { return nil }
    return Plot(
      title: "The largest Q_b with a loss of at most \(PageNumber.compact(plan.budget)) nats",
      x: PlotAxis("N, parameters", scale: .log),
      y: PlotAxis("Q_b, elements per scale", scale: .log),
      layers: layers + [.rule(y: analysis.request.small, name: "small")],
      notes: [
        "Along the top: every measured block is within the budget. No line: none is.",
        Self.movedNote,
      ],
      summary: "A line for each format that has a block within the budget.", width: 860,
      height: 460,
      reach: 80)
  }

  /// Where scales lie, formats with one kind of scale together.
  var scales: [(name: String, plot: Plot)] {
    let groups = Dictionary(grouping: analysis.scales, by: \.scale)
    return groups.sorted { $0.key < $1.key }.map { name, spreads in
      let layers = spreads.flatMap { spread -> [PlotLayer] in
        let points = spread.shares.filter { $0.share >= 1e-4 }.map {
          PlotPoint(
            Double($0.exponent), 100 * $0.share,
            title:
              "\(spread.format), block \(spread.block): \(PageNumber.percent($0.share)) of scales"
              + " from 2^\(PageNumber.minus("\($0.exponent)"))")
        }
        let color = color(spread.format)
        return [.line(points, color: color), .points(points, name: spread.format, color: color)]
      }
      let plot = Plot(
        title: "Where scales lie: \(name)", x: PlotAxis("log2 of the scale, rounded down"),
        y: PlotAxis("share of blocks, %"), layers: layers,
        notes: ["Shares below 0.01 % are not drawn."],
        summary: "Shares of all blocks of all tensors by the power of two of their scale.",
        width: 860,
        height: 360)
      return (name, plot)
    }
  }

  /// Every tensor's error, formats side by side.
  var errors: Plot? {
    let all = analysis.tensorErrors
    guard !all.isEmpty else { return nil }
    let layers = all.enumerated().map { place, one -> PlotLayer in
      let points = one.tensors.map { tensor in
        PlotPoint(
          Double(place) + 0.5, tensor.decibels,
          title: "\(tensor.name), \(one.format) block \(one.block):"
            + " \(PageNumber.fixed(tensor.decibels, 1)) dB")
      }
      return .points(points, color: color(one.format))
    }
    let medians = all.enumerated().map { place, one -> PlotLayer in
      let middle = one.quantile(0.5)
      return .line(
        [PlotPoint(Double(place) + 0.1, middle), PlotPoint(Double(place) + 0.9, middle)],
        color: color(one.format))
    }
    // Within the format's column.
    let reach = 0.5 * 760 / Double(all.count) - 6
    return Plot(
      title: "Every tensor's error", x: PlotAxis("", names: all.map(\.format)),
      y: PlotAxis("signal over quantisation noise, dB"), layers: layers + medians,
      notes: [Self.movedNote],
      summary: "A point for each tensor, a line at each format's median.", width: 860, height: 480,
      reach: min(max(reach, 6), 60))
  }
}

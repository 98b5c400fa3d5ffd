import ScalingLaws

extension ReportPage {
  /// Error against bits and against gates.
  var pareto: String {
    let plots = PagePlots(analysis: analysis)
    guard let bits = plots.paretoBits else { return "" }
    var page = HTMLWriter()
    page.figure(
      bits,
      caption:
        "Left and below is better. The dotted line joins what no other format and block beats in"
        + " both.")
    if let gates = plots.paretoGates {
      let codebooks = plots.codebooks
      let left =
        codebooks.isEmpty
        ? ""
        : " Left out: \(PageNumber.list(codebooks)), whose codebook values the gate model multiplies"
          + " exactly, which nobody would build."
      page.figure(
        gates, caption: "The same against the gates of an exact block dot-product unit." + left)
    } else {
      page.paragraph(
        "Gates are not known for these formats, so that error against gates is not drawn.",
        style: "soft")
    }
    return page.text
  }

  /// Error against Q_b with the fitted laws.
  var curves: String {
    guard let subject = analysis.subject else {
      var page = HTMLWriter()
      page.paragraph("The store holds no result with a relative error.")
      return page.text
    }
    let plots = PagePlots(analysis: analysis)
    var page = HTMLWriter()
    if !analysis.hasSeveralBlocks {
      page.paragraph("Each format was measured at one block size: there is no curve to fit.")
    }
    if let plot = plots.curves(analysis.series, of: subject) {
      page.figure(plot, caption: "Points as measured: means weighted by parameters.")
    }
    if let sentence = lawSentence { page.paragraph(sentence) }
    page.table(lawTable)
    for part in analysis.parts {
      guard let plot = plots.curves(part.series, of: part.subject) else { continue }
      page.heading(3, Self.heading(part.subject))
      page.figure(plot, caption: "The same of \(part.subject.words).")
    }
    return page.text
  }

  private static func heading(_ part: ErrorSubject) -> String {
    switch part {
    case .weights: "Weights alone"
    case .activations: "Activations alone"
    default: "Attention"
    }
  }

  /// For which formats the law stands for the measured points.
  private var lawSentence: String? {
    let fitted = analysis.series.filter { $0.law != nil }
    guard !fitted.isEmpty else { return nil }
    let following = fitted.filter(\.followsLaw).map(\.format)
    let others = fitted.filter { !$0.followsLaw }.map(\.format)
    let follows =
      following.isEmpty
      ? "The law follows the points of no format within 5 % (rms)"
      : "The law follows the points of \(PageNumber.list(following)) within 5 % (rms)"
    let misses =
      others.isEmpty || following.isEmpty ? "" : ", and not those of \(PageNumber.list(others))"
    return follows + misses + ". The answer is read from the points."
  }

  private var lawTable: HTMLTable {
    var table = HTMLTable(
      caption:
        "The law NMSE = K (Q_b + d)^gamma_c fitted to the measured points, with 95 % intervals"
        + " (of the fit's parameters; d and gamma_c trade against each other).",
      columns: [
        .text("format"), .text("error with growing Q_b"), .number("K"), .number("d, elements"),
        .number("gamma_c"), .number("R² of ln NMSE"), .number("misses by, rms"),
        .text("law follows"), .number("units"),
      ])
    table.rows = analysis.series.map { series in
      let known = series.curve.trend == .neither ? "not monotone" : series.curve.trend.rawValue
      let trend = series.points.count < 2 ? "one block" : known
      let law = series.law
      return [
        .init(series.format), .init(trend), .init(law.map { Self.told($0.factor) } ?? ""),
        .init(law.map { Self.told($0.offset) } ?? ""),
        .init(law.map { Self.told($0.exponent) } ?? ""),
        .init(law?.rSquared.map { PageNumber.fixed($0, 4) } ?? ""),
        .init(law.map { "\(PageNumber.fixed(100 * $0.fit.rms, 1)) %" } ?? "", law?.fit.rms),
        .init(law == nil ? "" : series.followsLaw ? "yes" : "no"), .init("\(series.units)"),
      ]
    }
    return table
  }

  private static func told(_ parameter: CurveFit.Parameter) -> String {
    let value = PageNumber.compact(parameter.value)
    guard let low = parameter.low, let high = parameter.high else { return "\(value) (bound)" }
    return "\(value) [\(PageNumber.compact(low)), \(PageNumber.compact(high))]"
  }

  /// How the formats take to kinds of tensors.
  var distributions: String {
    guard let first = analysis.distributions.first else { return "" }
    let (small, large) = (PageNumber.elements(first.small), PageNumber.elements(first.large))
    let formats = Array(Set(analysis.distributions.flatMap { $0.rows.map(\.format) })).sorted()
    var page = HTMLWriter()
    if first.isOfLayers {
      page.paragraph(
        "Of the tensors that the answer's layers multiply, each weighted by its layers' parameters,"
          + " and against the loss data's format on all of them.")
    }
    page.paragraph(
      "The crest factor of a block is its largest magnitude over its root mean square; here the median"
        + " over a tensor's blocks of 32. Numbers drawn from a normal distribution have about 2.3.")
    let classes = analysis.distributions
    let columns =
      [HTMLTable.Column.text("format")] + classes.map { HTMLTable.Column.number(Self.heading($0)) }
    func row(_ group: DistributionClass, _ format: String) -> DistributionClass.Row? {
      group.rows.first { $0.format == format }
    }
    page.table(
      HTMLTable(
        caption:
          "By how much the error grows from a Q_b of \(small) to \(large) (NMSE over NMSE; below"
          + " 1 the larger block is better)", columns: columns,
        rows: formats.map { format in
          [HTMLTable.Cell(format)]
            + classes.map { group in
              let growth = row(group, format)?.growth
              return .init(growth.map { "× \(PageNumber.fixed($0, 2))" } ?? "", growth)
            }
        }, isSortable: true))
    guard let n = first.n else { return page.text }
    page.table(
      HTMLTable(
        caption:
          "The largest Q_b within the budget at \(PageNumber.parameters(n)) parameters if every"
          + " operand were like these; of tensors' errors, where the answer may rest on products'",
        columns: columns,
        rows: formats.map { format in
          [HTMLTable.Cell(format)]
            + classes.map { group in
              guard let found = row(group, format), let block = found.largest else { return "" }
              return .init(
                PageNumber.block(block), block.blockSize ?? 0,
                style: found.need == .notNeeded ? "good" : "bad")
            }
        }, isSortable: true))
    return page.text
  }

  private static func heading(_ group: DistributionClass) -> String {
    let crest = group.crest.map {
      ", crest factor \(PageNumber.fixed($0.lowerBound, 2)) to \(PageNumber.fixed($0.upperBound, 2))"
    }
    return "\(group.name): \(group.tensors)\(crest ?? "")"
  }
}

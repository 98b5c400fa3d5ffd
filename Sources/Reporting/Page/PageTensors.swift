extension ReportPage {
  /// Errors tensor by tensor and format by format.
  var layers: String {
    guard let heat = analysis.heat else { return "" }
    let plots = PagePlots(analysis: analysis)
    let pieces = Self.pieces(heat.tensors.count)
    var page = HTMLWriter()
    page.list(Self.limits(heat))
    let columns = zip(heat.formats, heat.formatBlocks).map {
      HTMLTable.Column.number("\($0), \($1)")
    }
    page.figures(
      pieces.compactMap { plots.heat(rows: $0) },
      caption:
        "Lighter is better: less error than the format's other tensors. Each format at its largest"
        + " measured block that counts as small.",
      data: HTMLTable(
        caption: "Signal over quantisation noise in dB, by format and block",
        columns: [.text("tensor")] + columns,
        rows: zip(heat.tensors, heat.byFormat).map { tensor, errors in
          [HTMLTable.Cell(tensor)]
            + errors.map { error in
              guard let error, error > 0 else { return "" }
              return .init(PageNumber.fixed(decibels(error), 1))
            }
        }, isSortable: true))
    largerBlocks(heat, pieces.compactMap { plots.costHeat(rows: $0) }, &page)
    return page.text
  }

  /// Rows of drawings that fit a printed page with their captions.
  private static func pieces(_ count: Int) -> [Range<Int>] {
    let most = 50
    let pieces = max(1, (count + most - 1) / most)
    return (0..<pieces).map { count * $0 / pieces..<count * ($0 + 1) / pieces }
  }

  private static func limits(_ heat: LayerHeat) -> [String] {
    var words: [String] = []
    if heat.leftOut > 0 {
      words.append(
        "Shown: the \(PageNumber.plural(heat.tensors.count, "tensor")) that differ most from the median of"
          + " some format. The store has \(NumberStyle.grouped(heat.leftOut)) more.")
    }
    let prefix = HeatLabels(heat.tensors).prefix
    if !prefix.isEmpty { words.append("… at the beginning of a name stands for \(prefix)") }
    return words
  }

  private func largerBlocks(_ heat: LayerHeat, _ plots: [Plot], _ page: inout HTMLWriter) {
    guard !plots.isEmpty else { return }
    let columns = zip(heat.formats, zip(heat.formatBlocks, heat.largerBlocks)).map {
      HTMLTable.Column.number("\($0), \($1.0) to \($1.1 ?? "none")")
    }
    page.figures(
      plots,
      caption:
        "Lighter is more lost. From that block to the largest measured one of at most eight times its"
        + " size. Blank where a tensor's lines are shorter.",
      data: HTMLTable(
        caption: "Signal over quantisation noise lost, in dB, by format and blocks",
        columns: [.text("tensor")] + columns,
        rows: zip(heat.tensors, heat.cost).map { tensor, costs in
          [HTMLTable.Cell(tensor)]
            + costs.map { cost in
              cost.map { .init(PageNumber.signed($0, 2), $0) } ?? ""
            }
        }, isSortable: true))
  }

  /// Where the scales lie.
  var scales: String {
    let groups = PagePlots(analysis: analysis).scales
    guard !groups.isEmpty else { return "" }
    var page = HTMLWriter()
    page.table(
      HTMLTable(
        caption:
          "Scales of all tensors, at each format's largest measured block that counts as small",
        columns: [
          .text("format"), .text("scale"), .number("block"), .number("powers of two spanned"),
          .number("subnormal or zero"), .number("clamped"),
        ],
        rows: analysis.scales.map { spread in
          let span =
            spread.shares.last.flatMap { last in
              spread.shares.first.map { last.exponent - $0.exponent + 1 }
            } ?? 0
          return [
            .init(spread.format), .init(spread.scale), .init(spread.block), .init("\(span)"),
            .init(PageNumber.percent(spread.underflow)), .init(PageNumber.percent(spread.clamped)),
          ]
        }))
    for (name, plot) in groups {
      let own = analysis.scales.filter { $0.scale == name }
      let exponents = Set(own.flatMap { $0.shares.map(\.exponent) }).sorted()
      page.figure(
        plot, caption: "Shares of blocks by the power of two of their \(name) scale.",
        data: HTMLTable(
          caption: "Shares of blocks in %, \(name)",
          columns: [.number("log2 of the scale")] + own.map { .number($0.format) },
          rows: exponents.map { exponent in
            [HTMLTable.Cell(PageNumber.minus("\(exponent)"))]
              + own.map { spread in
                let share = spread.shares.first { $0.exponent == exponent }?.share
                return .init(share.map { PageNumber.fixed(100 * $0, 2) } ?? "")
              }
          }))
    }
    return page.text
  }

  /// How errors spread over tensors.
  var errors: String {
    guard let plot = PagePlots(analysis: analysis).errors else { return "" }
    var page = HTMLWriter()
    page.figure(
      plot, caption: "Every tensor at each format's largest measured block that counts as small.",
      data: HTMLTable(
        caption: "Signal over quantisation noise in dB over tensors, and what became of elements",
        columns: [
          .text("format"), .number("block"), .number("least"), .number("10 %"), .number("median"),
          .number("90 %"), .number("most"), .number("beyond the largest code"),
          .number("made zero"),
        ],
        rows: analysis.tensorErrors.map { one in
          [HTMLTable.Cell(one.format), HTMLTable.Cell(one.block)]
            + [0, 0.1, 0.5, 0.9, 1].map { .init(PageNumber.fixed(one.quantile($0), 1)) }
            + [.init(PageNumber.percent(one.saturated)), .init(PageNumber.percent(one.flushed))]
        }))
    return page.text
  }

  /// Tensors for which a smaller block makes the error larger, and why.
  var smaller: String {
    let losses = analysis.losses
    guard !losses.summaries.isEmpty || !losses.unaffected.isEmpty else { return "" }
    var page = HTMLWriter()
    guard !losses.summaries.isEmpty else {
      page.paragraph("No tensor errs more with a smaller block, in any format measured.")
      return page.text
    }
    page.list(losses.summaries.map(Self.told))
    if !losses.unaffected.isEmpty {
      page.paragraph("None in \(PageNumber.list(losses.unaffected)).")
    }
    page.details(
      losses.worst.count == 1 ? "The step" : "The \(losses.worst.count) worst steps", worstTable)
    return page.text
  }

  private static func told(_ summary: SmallerBlockLosses.Summary) -> String {
    let causes = SmallerBlockLosses.Cause.allCases.compactMap { cause in
      summary.causes[cause].map {
        let words = cause.words(isPowerOfTwo: summary.isPowerOfTwo)
        return "\(words) (\(PageNumber.plural($0, "step")))"
      }
    }
    let worst = summary.worst
    let growth = worst.growth(worst.cause).map {
      ": + \(PageNumber.fixed(100 * $0, 1)) % of the larger block's error, from"
        + " \(worst.cause.words(isPowerOfTwo: summary.isPowerOfTwo))"
    }
    return
      "\(summary.format): \(summary.affected) of \(PageNumber.plural(summary.tensors, "tensor"))."
      + " The part of the error that grew the most: \(causes.joined(separator: "; ")). At worst × "
      + "\(PageNumber.fixed(worst.ratio, 2)), \(worst.tensor) from a block of \(worst.larger.block) to"
      + " \(worst.smaller.block)\(growth ?? "")."
  }

  private var worstTable: HTMLTable {
    func growth(_ step: SmallerBlockLosses.Case, _ cause: SmallerBlockLosses.Cause)
      -> HTMLTable.Cell
    {
      guard let growth = step.growth(cause) else { return .init("") }
      return .init("\(PageNumber.signed(100 * growth, 2)) %", growth)
    }
    return HTMLTable(
      caption: "From the larger to the smaller block: growth of each part of the squared error, in "
        + "percent of the larger block's",
      columns: [
        .text("tensor"), .text("format"), .number("blocks"), .number("NMSE ×"),
        .number("beyond the largest code"), .number("made zero"), .number("largest scale"),
        .number("scale subnormal or zero"), .number("rounding"), .text("what grew most"),
      ],
      rows: analysis.losses.worst.map { one in
        [
          .init(one.tensor), .init(one.format), .init("\(one.larger.block) → \(one.smaller.block)"),
          .init(PageNumber.fixed(one.ratio, 3), one.ratio),
          growth(one, .saturated), growth(one, .flushed), growth(one, .clamped),
          growth(one, .underflow), growth(one, .rounding),
          .init(one.cause.words(isPowerOfTwo: one.isPowerOfTwo)),
        ]
      }, isSortable: true)
  }
}

import ScalingLaws

extension ReportPage {
  /// The answer in sentences, and what it rests on.
  var answer: String {
    var page = HTMLWriter()
    let words = AnswerText(analysis)
    page.raw(
      "<p class=\"lead\">Is a small Q_b essential? \(HTMLWriter.escaped(words.headline))</p>")
    if let plan = analysis.plan {
      page.paragraph(
        "Small is a Q_b of at most \(PageNumber.elements(analysis.request.small)); the budget is a loss"
          + " of δ ≤ \(PageNumber.compact(plan.budget)) nats with \(Self.share(plan.loss)).")
    }
    if !analysis.verdicts.isEmpty { page.table(matrix) }
    page.list(words.trends + words.distributions)
    page.list(words.sizes)
    if !analysis.verdicts.isEmpty {
      page.details("Every size and format with its loss and what it saves", verdictTable)
    }
    page.heading(3, "What this takes for granted")
    page.list(AnswerText.limits(analysis, lossSource: lossSource))
    return page.text
  }

  private static func share(_ loss: LossLaw) -> String {
    loss.knowsRatio || loss.ratios.upperBound == 1
      ? "every weight quantised"
      : "a share Q_r of \(PageNumber.compact(loss.ratios.upperBound)) of the weights quantised"
  }

  /// Formats by model sizes: the largest Q_b, its interval, and what it saves.
  private var matrix: HTMLTable {
    let small = PageNumber.elements(analysis.request.small)
    let sizes = analysis.request.sizes
    var table = HTMLTable(
      caption:
        "The largest Q_b within the budget, with its 95 % interval, and what the largest measured"
        + " block within it saves against the largest measured one of at most \(small) (the smallest, where"
        + " all are larger): stored bits per element and gates per multiply-accumulate\(gateError) (* not all"
        + " of these units were synthesised). Unsure: the interval's ends give other answers, or only a line between"
        + " measured blocks lies above \(small). δ ≥: the least of all measured blocks, in nats."
        + (sizes.contains(where: analysis.isBeyondData)
          ? " †: beyond the loss data's models." : ""),
      columns: [.text("format")]
        + sizes.map {
          let beyond = analysis.isBeyondData($0) ? " †" : ""
          return .text("N = \(PageNumber.parameters($0))\(beyond)")
        })
    table.style = "answers"
    table.rows = analysis.series.map { series in
      [HTMLTable.Cell(series.format)]
        + sizes.map { n in
          analysis.verdicts.first { $0.n == n && $0.format == series.format }.map(Self.matrixCell)
            ?? ""
        }
    }
    return table
  }

  private static func matrixCell(_ verdict: BlockVerdict) -> HTMLTable.Cell {
    let ends = [verdict.largest.low, verdict.largest.high].map(PageNumber.block)
    let interval = ends[0] == ends[1] ? "" : " [\(ends[0]), \(ends[1])]"
    var words = PageNumber.block(verdict.largest.value) + interval
    switch verdict.need {
    case .noneSuffices:
      words += "\nδ ≥ \(verdict.delta.map(delta)?.replacing(" [", with: "\n[") ?? "?")"
    case .needed: words += "\nsmall is needed"
    case .unmeasured: words += "\nno larger block measured"
    case .notNeeded: words += "\n\(Self.saving(verdict))"
    }
    if verdict.isSmallWorse, verdict.need == .notNeeded { words += "\nsmall is worse" }
    if !verdict.isCertain { words += "\nunsure" }
    let styles: [BlockVerdict.Need: String] = [.notNeeded: "good", .unmeasured: "soft"]
    return .init(words, style: styles[verdict.need] ?? "bad")
  }

  /// `0.0574 [0.0506, 0.0651]`.
  private static func delta(_ delta: BudgetPlan.Estimate<Double>) -> String {
    "\(PageNumber.compact(delta.value)) [\(PageNumber.compact(delta.low)), \(PageNumber.compact(delta.high))]"
  }

  /// How far off the gate model may be; empty where it is unknown.
  private var gateError: String {
    let errors = analysis.verdicts.flatMap { [$0.chosenCost, $0.smallCost] }
      .compactMap { $0?.relativeError }
    return errors.max().map {
      ", each within \(PageNumber.fixed(100 * $0, 0)) % on units that their model was not fitted to"
    } ?? ""
  }

  private static func saving(_ verdict: BlockVerdict) -> String {
    guard let bits = verdict.savedBits, bits > 1e-9 else { return "no larger measured block fits" }
    let gates = verdict.savedGates.map { ", \(PageNumber.fixed(100 * $0, 0)) % of gates" }
    let costs = [verdict.chosenCost, verdict.smallCost].compactMap { $0 }
    let mark = gates != nil && costs.contains { $0.relativeError == nil } ? " *" : ""
    return "saves \(PageNumber.fixed(bits, 2)) bits\(gates ?? "")\(mark)"
  }

  private var verdictTable: HTMLTable {
    let small = PageNumber.elements(analysis.request.small)
    var table = HTMLTable(
      caption:
        "The largest Q_b within the budget, and what it saves against the measured block that"
        + " counts as small. Intervals: 95 % of the loss law.",
      columns: [
        .text("N"), .text("format"), .text("Q_b ≤ \(small) needed?"), .number("largest Q_b"),
        .number("95 %"),
        .number("block taken"), .number("δ there, nats"), .number("bits per element"),
        .number("bits saved"), .number("gates saved"),
      ], isSortable: true)
    table.rows = analysis.verdicts.map(row)
    return table
  }

  private func row(_ verdict: BlockVerdict) -> [HTMLTable.Cell] {
    let delta = verdict.delta.map(Self.delta)
    let low = verdict.largest.low
    let high = verdict.largest.high
    let shown = verdict.chosen
    let gates = verdict.savedGates.map { "\(PageNumber.fixed(100 * $0, 0)) %" }
    return [
      .init(PageNumber.parameters(verdict.n), verdict.n), .init(verdict.format), needCell(verdict),
      .init(PageNumber.block(verdict.largest.value), verdict.largest.value.blockSize ?? 0),
      .init("\(PageNumber.block(low)) to \(PageNumber.block(high))", low.blockSize ?? 0),
      .init(shown?.block ?? "none", shown?.blockSize ?? 0),
      .init(delta ?? "", verdict.delta?.value),
      .init(
        shown.map { PageNumber.fixed($0.bitsPerElement, 2) } ?? "", shown?.bitsPerElement),
      .init(verdict.savedBits.map { PageNumber.fixed($0, 2) } ?? "", verdict.savedBits),
      .init(gates ?? (verdict.chosen == nil ? "" : "unknown"), verdict.savedGates),
    ]
  }

  private func needCell(_ verdict: BlockVerdict) -> HTMLTable.Cell {
    let unsure = verdict.isCertain ? "" : ", unsure"
    switch verdict.need {
    case .notNeeded:
      return .init(
        "no\(unsure)\(verdict.isSmallWorse ? "; small is worse" : "")", style: "good")
    case .needed: return .init("yes\(unsure)", style: "bad")
    case .noneSuffices: return .init("no block suffices\(unsure)", style: "bad")
    case .unmeasured: return .init("no larger block measured", style: "soft")
    }
  }

  /// The drawing of the largest Q_b against N.
  var budget: String {
    guard let plot = PagePlots(analysis: analysis).budget else { return "" }
    var page = HTMLWriter()
    page.figure(
      plot,
      caption: "The largest Q_b within the loss budget; under the dotted line it counts as small.",
      data: HTMLTable(
        caption: "The largest Q_b within the budget",
        columns: [
          .text("format"), .text("N"), .number("Q_b"), .number("95 %, low"), .number("high"),
        ],
        rows: analysis.verdicts.map { verdict in
          [
            .init(verdict.format), .init(PageNumber.parameters(verdict.n)),
            .init(PageNumber.block(verdict.largest.value)),
            .init(PageNumber.block(verdict.largest.low)),
            .init(PageNumber.block(verdict.largest.high)),
          ]
        }))
    return page.text
  }
}

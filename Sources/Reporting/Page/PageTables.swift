import Measurement
import ScalingLaws
import Sweep

extension ReportPage {
  /// What other ways of quantising change.
  var recipes: String {
    var page = HTMLWriter()
    guard !analysis.recipes.isEmpty else {
      page.paragraph(
        "Each format was measured in one way only; add recipes, roundings or accumulators to the sweep"
          + " to compare them here.", style: "soft")
      return page.text
    }
    page.table(
      HTMLTable(
        caption:
          "Other ways against the usual one of the same format and block, on the same tensors",
        columns: [
          .text("format"), .text("usual"), .text("other"), .number("block"), .number("of"),
          .number("NMSE, usual"), .number("NMSE, other"), .number("change, dB"),
          .number("better / worse"), .number("NMSE × over them"),
        ], rows: analysis.recipes.map(recipeRow), isSortable: true))
    return page.text
  }

  private func recipeRow(_ one: MethodDifference) -> [HTMLTable.Cell] {
    let change =
      one.error > 0 && one.baselineError > 0
      ? decibels(one.error) - decibels(one.baselineError) : nil
    let range =
      "\(PageNumber.fixed(one.range.lowerBound, 3)) to \(PageNumber.fixed(one.range.upperBound, 3))"
    return [
      .init(one.format), .init(one.baseline), .init(one.method),
      .init(one.block, Double(one.block)),
      .init(PageNumber.plural(one.units, one.isProduct ? "product" : "tensor")),
      .init(PageNumber.error(one.baselineError), one.baselineError),
      .init(PageNumber.error(one.error), one.error),
      .init(change.map { PageNumber.signed($0, 3) } ?? "", change),
      .init("\(one.better) / \(one.worse)"), .init(range, one.range.upperBound),
    ]
  }

  /// Every format and block, error, loss and cost side by side.
  var table: String {
    guard let subject = analysis.subject else { return "" }
    var page = HTMLWriter()
    page.raw(
      "<form id=\"filters\" class=\"filters\" role=\"search\"><label>Words<input type=\"search\""
        + " autocomplete=\"off\"></label><output aria-live=\"polite\"></output></form>")
    let plan = analysis.plan
    let sizes = plan == nil ? [] : analysis.request.sizes
    var table = HTMLTable(
      caption:
        "Error, predicted loss and cost. 10 to 90 %: of layers or tensors; δ with its 95 % interval;"
        + " gates per multiply-accumulate with the model's largest error on points it was not fitted to (* no synthesis results of such a unit). Pareto front: no other format and block"
        + " has both less error and fewer bits, or gates, without codebooks. Choose a heading to sort.",
      columns: [
        .text("error of", isFilter: true), .text("format", isFilter: true),
        .text("block", isFilter: true), .number("Q_b, elements"), .number("bits per element"),
        .number("NMSE"), .number("10 to 90 %"), .number("SQNR, dB"), .number("gates"),
        .text("Pareto front", isFilter: true),
      ] + sizes.map { .number("δ at \(PageNumber.parameters($0))") }, isSortable: true)
    table.id = "results"
    let all = [(subject: subject, series: analysis.series)] + analysis.parts
    table.rows = all.flatMap { part in
      let bits = PageFront.bits(part.series)
      let gates = PageFront.gates(part.series, analysis.request.cost)
      return part.series.flatMap { series in
        series.points.map { point in
          let fronts = [("bits", bits), ("gates", gates)].filter {
            $0.1.contains(series.format, point.block)
          }.map(\.0)
          return resultRow(part.subject, series, point)
            + [.init(fronts.isEmpty ? "no" : fronts.joined(separator: ", "))]
            + sizes.map { n in
              part.subject == subject ? deltaCell(plan, series, n, point) : ""
            }
        }
      }
    }
    page.table(table)
    page.paragraph(
      "Every single result: blockscale store export \(ShellWord.quoted(store)) --as csv",
      style: "soft")
    return page.text
  }

  private func resultRow(
    _ subject: ErrorSubject, _ series: ErrorSeries, _ point: ErrorSeries.Point
  ) -> [HTMLTable.Cell] {
    let cost = analysis.request.cost(series.format, point.block)
    let ratio = point.error > 0 ? decibels(point.error) : nil
    return [
      .init(subject.rawValue), .init(series.format),
      .init(point.block, Self.blockOrder(point.block)),
      .init(PageNumber.elements(point.blockSize), point.blockSize),
      .init(PageNumber.fixed(point.bitsPerElement, 3), point.bitsPerElement),
      .init(PageNumber.error(point.error), point.error),
      .init("\(PageNumber.error(point.low)) to \(PageNumber.error(point.high))", point.low),
      .init(ratio.map { PageNumber.fixed($0, 2) } ?? "", ratio),
      .init(cost.map(Self.gates) ?? "", cost?.gates),
    ]
  }

  /// By the number that was asked for, tiles by their elements; whole axes and tensors have none and
  /// come last.
  private static func blockOrder(_ block: String) -> Double? {
    let sides = block.split(separator: "x").map { Double($0) }
    guard !sides.isEmpty, !sides.contains(nil) else { return nil }
    return sides.compactMap { $0 }.reduce(1, *)
  }

  private static func gates(_ cost: PageCost) -> String {
    let error = cost.relativeError.map { " ± \(PageNumber.fixed(100 * $0, 0)) %" }
    return PageNumber.compact(cost.gates) + (error ?? " *")
  }

  private func deltaCell(
    _ plan: BudgetPlan?, _ series: ErrorSeries, _ n: Double, _ point: ErrorSeries.Point
  ) -> HTMLTable.Cell {
    guard
      let delta = plan?.delta(
        .measured(series.curve), n: n, ratio: 1, blockSize: point.blockSize)
    else { return "" }
    let interval = "[\(PageNumber.compact(delta.low)), \(PageNumber.compact(delta.high))]"
    let isWithin = delta.value <= analysis.request.budget
    return .init(
      "\(PageNumber.compact(delta.value)) \(interval)", delta.value, style: isWithin ? "good" : nil)
  }

  /// Commands, versions, hashes.
  var again: String {
    var page = HTMLWriter()
    let sweeps = ResultsStore.commands(in: data.meta).map {
      "\($0) --store \(ShellWord.quoted(store))"
    }
    page.paragraph(
      "To be run in the folder of the first run, as names of files are as they were given there. A sweep"
        + " makes the store where there is none and leaves results that are there as they are.")
    page.code(
      (sweeps.isEmpty ? ["# The store does not say with which command it was made."] : sweeps)
        .joined(separator: "\n") + "\n" + command)
    var facts = [
      "blockscale \(toolVersion); the store was made with"
        + " \(data.meta["tool_version"] ?? "an unknown version"), numerical version"
        + " \(data.meta["numerics"] ?? "unknown")"
    ]
    let seeds = data.seeds.sorted().map(String.init)
    facts.append(
      seeds.isEmpty ? "Nothing random took part." : "Seeds: \(PageNumber.list(seeds)).")
    if !formatFiles.isEmpty {
      facts.append(
        "Format tables read beside the compiled-in one, for costs and scales:"
          + " \(PageNumber.list(formatFiles)).")
    }
    page.list(facts)
    page.details(
      "Formats used",
      HTMLTable(
        caption: "Rows of the format tables", columns: [.text("format"), .text("hash of the row")],
        rows: data.formatHashes.sorted { $0.key < $1.key }.map { [.init($0.key), .init($0.value)] })
    )
    let shown = data.tensors.prefix(400)
    page.details(
      "Tensors measured",
      HTMLTable(
        caption:
          "The \(shown.count) of \(PageNumber.plural(data.tensors.count, "tensor")) that are listed"
          + " here, by file and name",
        columns: [
          .text("tensor"), .text("file"), .text("role"), .text("shape"), .text("type"),
          .text("SHA-256"),
        ],
        rows: shown.map { tensor in
          [
            .init(tensor.name), .init(tensor.file), .init(tensor.role), .init(tensor.shape),
            .init(tensor.dtype), .init(tensor.hash),
          ]
        }))
    return page.text
  }
}

import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import ScalingLaws

struct LawPlan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "The largest Q_b and Q_r of each format within a loss budget.",
    discussion: """
      Loss data (columns n, q_r and delta, at one format and block size) give C, A and gamma_N of \
      the weak law; the measured error of each format against Q_b, relative to that of the loss \
      data's format and block, gives the rest. The errors are measured from --weights and \
      --activations, or read from the CSV of law measure with --curve. Where a curve rises and \
      K (Q_b + d)^gamma_c follows it, the plan goes by that law, elsewhere by the measured points, \
      never beyond them.

      Intervals are those of the loss law (95 %); a measured error counts as exact.
      """)

  @OptionGroup var loss: LossOptions<PlanLossDefaults>
  @Option(
    help: ArgumentHelp("Measured curves: the CSV of law measure.", valueName: "csv"),
    completion: .file(extensions: ["csv"]))
  var curve: String?
  @Option(
    help: ArgumentHelp(
      "Block formats to plan for, between commas; with --curve all of the file by default.",
      valueName: "f,..."))
  var format: CommaList<String>?
  @Option(
    help: ArgumentHelp(
      "Blocks to measure, between commas; 8 to 512 and axis by default.", valueName: "b,..."))
  var block: CommaList<BlockShape>?
  @OptionGroup var layers: LayerOptions
  @OptionGroup var plot: PlotOptions
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if curve != nil, !layers.weights.isEmpty || !layers.activations.isEmpty || block != nil {
      throw ValidationError("--curve: expected without --weights, --activations and --block")
    }
    if curve == nil, layers.weights.isEmpty {
      throw ValidationError("expected --curve, or --weights")
    }
    if curve == nil, format == nil {
      throw ValidationError("Missing expected argument '--format <f,...>'")
    }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let given = try loss.law(in: catalog, seed: layers.seed)
    let wanted = try format?.values.map { name throws(UsageError) in
      try catalog.requiredBlock(name).name
    }
    let found = try curve.map { try read($0) } ?? measure(catalog, (given.format, given.block))
    let judged = found.curves.filter { wanted?.contains($0.curve.format) ?? true }
    guard
      let point = found.curves.first(where: { $0.curve.format == given.format.name })?.curve
        .point(block: given.block.description), point.error > 0
    else {
      throw UsageError(
        "--loss-format \(given.format.name):\(given.block): the curves hold no error of it")
    }
    let plan = BudgetPlan(
      loss: given.law, referenceError: point.error, budget: loss.lossBudget)
    let lines = loss.sizes.flatMap { size in
      judged.map { curve in
        let own = catalog.block(curve.curve.format)?.block.description ?? ""
        return plan.row(curve.planned, n: size, ownBlock: own)
      }
    }
    try plot.write { LawCurvePlots.budgetMap(plan, judged, sizes: loss.sizes) }
    try report.print(
      LawPlanReports.report(
        lines,
        basis: LawPlanReports.Basis(
          plan: plan, format: given.format.name, block: given.block.description,
          curveFile: curve), curves: judged, measured: found.subject, run: found.run,
        form: report.form))
  }

  /// Curves, what was measured for them, and what says so.
  private struct Found {
    var curves: [JudgedCurve]
    var subject: LawMeasureReports.Subject?
    var run: RunFields
  }

  private func read(_ path: String) throws -> Found {
    let curves = try LayerCurve.read(path).map { JudgedCurve($0, seed: layers.seed) }
    return Found(curves: curves, run: RunFields(engine: "none", seed: layers.seed, rows: []))
  }

  /// Measures the formats at their blocks, and the loss data's format at its own.
  private func measure(
    _ catalog: FormatCatalog, _ reference: (format: BlockFormat, block: BlockShape)
  ) throws -> Found {
    var cases = try layers.cases(format?.values ?? [], block?.values ?? curveBlocks, catalog)
    let own = try layers.cases([reference.format.name], [reference.block], catalog)
    cases += own.filter { !cases.contains($0) }
    let measured = try MeasuredLayers(layers, cases, engine, catalog)
    measured.tellSkipped(report.form)
    return Found(curves: try measured.curves(), subject: measured.subject, run: measured.run)
  }
}

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

  @Option(
    help: ArgumentHelp(
      "Loss data: CSV with n, q_r, delta; with a q_b, rows of the loss format's block count.",
      valueName: "csv"),
    completion: .file(extensions: ["csv"]))
  var loss: String
  @Option(
    help: ArgumentHelp(
      "Take the loss data's rows with these texts in a column; more than once for more columns.",
      valueName: "column=a,b"))
  var lossWhere: [String] = []
  @Option(
    name: .customLong("loss-q-r"), parsing: .unconditional,
    help: ArgumentHelp("The Q_r of loss data that have no such column.", valueName: "q"))
  var lossRatio: Double?
  @Option(
    help: ArgumentHelp(
      "The format of the loss data, and its block if not the format's own.", valueName: "f[:b]"))
  var lossFormat: FormatAndBlock
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The largest delta wanted, in the loss data's unit.", valueName: "x"))
  var lossBudget: Double
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Model sizes in parameters, between commas.", valueName: "n,..."))
  var n: CommaList<Double>
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
    guard lossBudget > 0, lossBudget.isFinite else {
      throw ValidationError("--loss-budget: expected a number above 0")
    }
    if let lossRatio, !(lossRatio >= 0 && lossRatio <= 1) {
      throw ValidationError("--loss-q-r \(lossRatio): expected 0 to 1")
    }
    for size in n.values where !LossLaw.modelSizes.contains(size) {
      throw ValidationError("--n \(size): expected parameters, 1e5 to 1e15, such as 7e9")
    }
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
    let reference = try lossFormat.resolved(in: catalog)
    var block: Double?
    if case .line(let size) = reference.block { block = Double(size) }
    let law = try LossLaw(try lossData(), block: block, ratio: lossRatio, seed: layers.seed)
    let wanted = try format?.values.map { name throws(UsageError) in
      guard let row = catalog.block(name) else {
        throw UsageError("no block format is called \"\(name)\" (see: blockscale formats)")
      }
      return row.name
    }
    let found = try curve.map { try read($0) } ?? measure(catalog, reference)
    let judged = found.curves.filter { wanted?.contains($0.curve.format) ?? true }
    guard
      let point = found.curves.first(where: { $0.curve.format == reference.format.name })?.curve
        .point(block: reference.block.description), point.error > 0
    else {
      throw UsageError(
        "--loss-format \(reference.format.name):\(reference.block): the curves hold no error of it")
    }
    let plan = BudgetPlan(loss: law, referenceError: point.error, budget: lossBudget)
    let lines = n.values.flatMap { size in
      judged.map { curve in
        let own = catalog.block(curve.curve.format)?.block.description ?? ""
        return plan.row(curve.planned, n: size, ownBlock: own)
      }
    }
    try plot.write { LawCurvePlots.budgetMap(plan, judged, sizes: n.values) }
    try report.print(
      LawPlanReports.report(
        lines,
        basis: LawPlanReports.Basis(
          plan: plan, format: reference.format.name, block: reference.block.description,
          curveFile: curve), curves: judged, measured: found.subject, run: found.run,
        form: report.form))
  }

  private func lossData() throws -> LawData {
    try LawData.read(loss).rows(fitting: lossWhere)
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
    let weighting = try layers.weighting()
    var cases = try layers.cases(format?.values ?? [], block?.values ?? curveBlocks, catalog)
    let own = try layers.cases([reference.format.name], [reference.block], catalog)
    cases += own.filter { !cases.contains($0) }
    let experiment = try layers.experiment(engine, catalog)
    let pairs = try layers.layers(weighting)
    let errors = try layers.measure(pairs, cases, experiment)
    let curves = try LayerCurves(weighting: weighting, kind: layers.kind).curves(errors)
    if report.form != .json { SkippedMessages.write(pairs.skipped, namesFiles: false) }
    return Found(
      curves: curves.map { JudgedCurve($0, seed: layers.seed) },
      subject: layers.subject(weighting, pairs), run: layers.run(experiment, cases))
  }
}

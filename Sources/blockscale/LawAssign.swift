import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import ScalingLaws
import Sweep

extension RatioMethod: ExpressibleByArgument {}
extension AssignmentGranularity: ExpressibleByArgument {}

struct LawAssign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign",
    abstract:
      "Choose which weights are in low precision, and how the error grows with their share Q_r.",
    discussion: """
      random, greedy and knapsack choose whole tensors, or layers, so that at least a share Q_r of all \
      weights is in the low format, and the sum of weighted errors is least: by random search with 50 \
      trials as in arXiv 2410.06722, by error per weight, and exactly. values and columns keep a share \
      1 - Q_r of every tensor in high precision: the values of largest magnitude, or whole columns of k.

      The errors are those of law measure; they add up as in the linearity theorem. CSV holds columns \
      n, q_r, q_b and delta (with --alpha), as law fit takes them.
      """)

  @OptionGroup var layers: LayerOptions
  @Option(help: ArgumentHelp("Low-precision formats, between commas.", valueName: "f,..."))
  var format: CommaList<String>
  @Option(
    help: ArgumentHelp(
      "Blocks along k, between commas; by default each format's own.", valueName: "b,..."))
  var block: CommaList<BlockShape>?
  @Option(
    name: .customLong("q-r"), parsing: .unconditional,
    help: ArgumentHelp("Shares of weights in low precision, between commas.", valueName: "q,..."))
  var shares: CommaList<Double>?
  @Option(
    help: ArgumentHelp(
      "How to choose, between commas: random, greedy, knapsack, values, columns; all by default.",
      valueName: "m,..."))
  var method: CommaList<RatioMethod>?
  @Option(help: ArgumentHelp("What whole tensors are assigned by.", valueName: "matmul|layer"))
  var by: AssignmentGranularity = .matmul
  @Option(
    help: ArgumentHelp(
      "The high precision: a format, with its block if not its own, or none (16 bits, without error).",
      valueName: "f[:b]|none"))
  var high: FormatAndBlock?
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Trials of the random search.", valueName: "n"))
  var trials = 50
  @Flag(help: "Which tensors are in low precision; in CSV and JSON lines in place of the curve.")
  var list = false
  @OptionGroup var plot: PlotOptions
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard trials >= 1 else { throw ValidationError("--trials: expected 1 or more") }
    for share in shares?.values ?? [] where !(share >= 0 && share <= 1) {
      throw ValidationError("--q-r \(share): expected 0 to 1")
    }
    if hasSplits, ![.product, .weightTensor].contains(layers.kind) {
      throw ValidationError("values and columns: expected --error product or weight_tensor")
    }
    if hasSplits, layers.sample.fraction != 1 {
      throw ValidationError("values and columns: expected every output (--fraction 1)")
    }
  }

  private var methods: [RatioMethod] { method?.values ?? RatioMethod.allCases }
  private var hasSplits: Bool { methods.contains { $0.scheme != nil } }
  private var wanted: [Double] { shares?.values ?? [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1] }
  private var namedHigh: FormatAndBlock? { high?.format.lowercased() == "none" ? nil : high }

  func run() throws {
    let catalog = try rows.catalog()
    let cases = try layers.cases(format.values, block?.values ?? [], catalog)
    let other = try namedHigh?.resolved(in: catalog)
    let highCase = try other.map { try layers.cases([$0.format.name], [$0.block], catalog)[0] }
    let all = cases + [highCase].compactMap { $0 }.filter { !cases.contains($0) }
    let measured = try MeasuredLayers(layers, all, engine, catalog)
    let errors = measured.errors
    let curves = RatioCurves(
      weighting: measured.weighting, kind: layers.kind, granularity: by, trials: trials,
      seed: layers.seed)
    var points: [RatioPoint] = []
    for errorCase in cases {
      let low = errors.filter { $0.errorCase == errorCase }
      points += try curves.assignments(
        low: low, high: highCase.map { wanted in errors.filter { $0.errorCase == wanted } } ?? [],
        methods: methods, shares: wanted)
      points += try splits(measured, low, errorCase, curves)
    }
    measured.tellSkipped(report.form)
    try plot.write { LawCurvePlots.ratios(points) }
    try report.print(
      LawAssignReports.report(
        points, parameters: measured.pairs.parameters, subject: measured.subject,
        run: measured.run, listsItems: list, form: report.form))
  }

  /// The outlier splits of every layer, each layer read once for all of them.
  private func splits(
    _ measured: MeasuredLayers, _ low: [LayerErrors], _ errorCase: ErrorCase,
    _ curves: RatioCurves
  ) throws -> [RatioPoint] {
    let pairs = measured.pairs
    let schemes = methods.filter { $0.scheme != nil }
    guard !schemes.isEmpty else { return [] }
    let splits = schemes.flatMap { method in
      wanted.compactMap { share in method.scheme.map { OutlierSplit($0, share: 1 - share) } }
    }
    let progress = Progress(total: pairs.parameters * splits.count, "splitting outliers")
    defer { progress.finish() }
    let layers = try pairs.pairs.map { pair in
      let found = try measured.experiment.outliers(pair, case: errorCase, splits: splits)
      progress.advance(by: pair.parameters * splits.count, pair.name)
      return found
    }
    let blocks = low.reduce(0) { $0 + $1.blocks }
    let size = Double(pairs.parameters) / Double(max(1, blocks))
    return try schemes.enumerated().flatMap { number, method in
      let shares = wanted.enumerated().map { place, share in
        (share, layers.map { $0[number * wanted.count + place] })
      }
      return try curves.splits(shares, errorCase: errorCase, method: method, blockSize: size)
    }
  }
}

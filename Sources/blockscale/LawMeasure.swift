import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting

/// The blocks of a curve unless told otherwise.
let curveBlocks: [BlockShape] = [8, 16, 32, 64, 128, 256, 512].map { .line($0) } + [.axis]

struct LawMeasure: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Measure each format's error against its block size over a model's layers.",
    discussion: """
      Every product X·Wᵀ of a weight and its activations is measured as matmul does. A curve's NMSE is \
      the layers' relative squared errors t², weighted by --alpha or by parameters, the weights \
      summing to 1; with --alpha, delta is the linearity theorem's sum of alpha·t². To each curve \
      K (Q_b + d)^gamma_c is fitted; where it is not monotone the report says so. Q_b is the mean count \
      of elements that share a scale: lines shorter than a block, and short last blocks, make it \
      smaller than the block asked for.

      CSV holds the curves with columns n, q_r, q_b and delta, as law fit takes them; law plan reads \
      it with --curve.
      """)

  @OptionGroup var layers: LayerOptions
  @Option(help: ArgumentHelp("Block formats, between commas.", valueName: "f,..."))
  var format: CommaList<String>
  @Option(
    help: ArgumentHelp(
      "Blocks along k, between commas; 8 to 512 and axis by default.", valueName: "b,..."))
  var block: CommaList<BlockShape>?
  @Option(
    help: ArgumentHelp(
      "At which Q_b the other formats err as much as this one at this block; by default the first "
        + "format at its own.", valueName: "f[:b]"))
  var equivalent: FormatAndBlock?
  @Flag(help: "Every layer's errors; in CSV and JSON lines in place of the curves.")
  var byLayer = false
  @OptionGroup var plot: PlotOptions
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func run() throws {
    let catalog = try rows.catalog()
    let cases = try layers.cases(format.values, block?.values ?? curveBlocks, catalog)
    let reference = try equivalent?.resolved(in: catalog)
    let measured = try MeasuredLayers(layers, cases, engine, catalog)
    let curves = try measured.curves()
    let own = cases[0].spec.format
    let found = EquivalentBlocks(
      curves, format: (reference?.format ?? own).name,
      block: (reference?.block ?? own.block).description)
    if found == nil, let reference {
      throw UsageError(
        "--equivalent \(reference.format.name):\(reference.block): expected a format and a block"
          + " that are measured")
    }
    measured.tellSkipped(report.form)
    try plot.write { LawCurvePlots.curves(curves) }
    try report.print(
      LawMeasureReports.report(
        curves: curves, equivalents: found, layers: byLayer ? measured.errors : [],
        subject: measured.subject, run: measured.run, form: report.form))
  }
}

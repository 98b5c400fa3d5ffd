import ArgumentParser
import FormatCatalog
import Foundation
import HardwareCost
import Measurement
import NumberFormats
import Reporting
import ScalingLaws
import Sweep
import TensorIO

struct ReportVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract:
      "Write a store's results as one page of HTML: is a small Q_b needed, and what it costs.",
    discussion: """
      The page needs no network and no other file. It answers, for each model size, how large Q_b may be \
      in each format within a loss budget, and what that saves in bits and gates. The loss comes from \
      loss data as in law plan; without --loss, from compiled-in data of Qwen1.5 models in MXINT4 \
      (golden/laws/mixed-v1.csv, read off the figures of arXiv 2410.06722 v1), whose block size is not \
      known and taken as 32: the store then has to hold mxint4 at 32.

      Errors are those of the measured products with a weight; without any, of layers, NAME.weight plus \
      NAME.input; else of weights, activations or whatever there is.
      """)

  @Argument(help: ArgumentHelp("A store of blockscale sweep.", valueName: "results.sqlite"))
  var store: String
  @Option(help: ArgumentHelp("The page.", valueName: "report.html"), completion: .file())
  var output: String
  @Option(
    help: ArgumentHelp(
      "Write the page's drawings as SVG files into this folder too.", valueName: "dir"),
    completion: .directory)
  var plots: String?
  @OptionGroup var loss: LossOptions<PageLossDefaults>
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Blocks of at most this many elements count as small.", valueName: "q"))
  var small: Int = 16
  @OptionGroup var gates: GateOptions
  @OptionGroup var summary: SummaryOptions
  @OptionGroup var rows: CatalogOptions

  func validate() throws {
    try checkEnding(of: output, [".html", ".htm"])
    guard small >= 1 else { throw ValidationError("--small \(small): expected 1 or more") }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let opened = try ResultsStore.open(store)
    let data = try SweepResults(opened)
    try opened.close()
    guard !data.results.isEmpty else {
      throw MeasurementError.badData(
        file: store, tensor: nil, "holds no results yet (expected some: run blockscale sweep)")
    }
    let known = try PageLoss(loss, in: catalog)
    let costs = try PageCosts(data, catalog, model: gates.model().model)
    let scales = data.formatHashes.keys.reduce(into: [:]) { scales, name in
      scales[name] = catalog.block(name).map { ScaleCodes($0) }
    }
    let analysis = SweepAnalysis(
      data,
      PageRequest(
        loss: known.law, lossFormat: known.format, lossBlock: known.block, budget: loss.lossBudget,
        sizes: Set(loss.sizes).sorted(), small: Double(small), cost: { costs[$0, $1] },
        scale: { scales[$0] }))
    let page = ReportPage(
      analysis, data: data, store: store, command: Self.command, lossSource: known.source,
      formatFiles: rows.files)
    if let plots { try write(page.plots, into: plots) }
    try TextOutput.write(page.html, to: output)
    try summary.print(
      PageReports.report(analysis, run: RunFields(engine: "none", seed: nil, rows: [])), skipped: []
    )
  }

  private func write(_ plots: [(name: String, svg: String)], into folder: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw TensorIOError.cannotWrite(
        TensorIOError.Fault(file: folder, problem: "cannot be made a folder (--plots)"))
    }
    var written: Set<String> = []
    for plot in plots {
      let name =
        String(plot.name.map { $0.isLetter || $0.isNumber || $0 == "_" ? $0 : "-" }) + ".svg"
      try TextOutput.write(plot.svg, to: "\(folder)/\(name)")
      written.insert(name)
    }
    removeDrawings(in: folder, but: written)
  }

  /// Drawings that an earlier run left under names that a page has: this one has no such drawing.
  private func removeDrawings(in folder: String, but written: Set<String>) {
    let files = FileManager.default
    for name in (try? files.contentsOfDirectory(atPath: folder)) ?? [] where !written.contains(name)
    {
      guard ReportPage.isPlot(name: name),
        let text = try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8),
        Plot.isDrawing(text)
      else { continue }
      try? files.removeItem(atPath: "\(folder)/\(name)")
    }
  }

  /// This run's command line, to be pasted into a shell.
  private static var command: String {
    (["blockscale"] + CommandLine.arguments.dropFirst().map(ShellWord.quoted)).joined(
      separator: " ")
  }
}

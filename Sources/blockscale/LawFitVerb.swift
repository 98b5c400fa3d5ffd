import ArgumentParser
import Measurement
import Reporting
import ScalingLaws

struct LawFitVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fit a law to points, and say how far to trust the numbers.",
    discussion: """
      DATA.csv has a heading and one point a line: the columns that the law reads (law list NAME) and \
      the one that it predicts, such as n, q_r, q_b, delta. Other columns may be there.

      The fit is MINPACK's Levenberg-Marquardt with exact derivatives from many starts. Intervals come \
      from the covariance with Student's t; --bootstrap adds those of refitting to resampled \
      residuals. The error on rows that a fit has not seen, by default those of the largest model, \
      stands beside the error on the rest. Parameters that the rows cannot tell apart are an error, \
      or a warning where they almost cannot. The JSON is what law predict reads.
      """)

  @Argument(help: ArgumentHelp("Points.", valueName: "data.csv"), completion: .file())
  var data: String
  @Option(help: ArgumentHelp("The law; law list shows them.", valueName: "name"))
  var law: String
  @OptionGroup var fitting: LawFitOptions
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Share of the intervals, between 0 and 1.", valueName: "p"))
  var confidence = 0.95
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Fits to resampled residuals; 0 for none.", valueName: "n"))
  var bootstrap = 400
  @Option(
    help: ArgumentHelp("Draw points, curves and intervals here.", valueName: "file.svg"),
    completion: .file(extensions: ["svg"]))
  var plot: String?
  @Option(
    help: ArgumentHelp("Draw the residuals here.", valueName: "file.svg"),
    completion: .file(extensions: ["svg"]))
  var plotResiduals: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: LawCatalogOptions

  func validate() throws {
    guard confidence > 0, confidence < 1 else {
      throw ValidationError("--confidence: expected a number above 0 and below 1")
    }
    guard bootstrap == 0 || (40...1_000_000).contains(bootstrap) else {
      throw ValidationError("--bootstrap: expected 0, or 40 to 1000000")
    }
    for (option, path) in [("--plot", plot), ("--plot-residuals", plotResiduals)] {
      if let path { try checkEnding(of: path, [".svg"], option: option) }
    }
    if let plot, plot == plotResiduals {
      throw ValidationError("--plot and --plot-residuals: expected two files")
    }
  }

  func run() throws {
    let family = try rows.catalog().law(law)
    let points = try fitting.selected(LawData.read(data))
    var request = try fitting.request()
    (request.confidence, request.bootstrap) = (confidence, bootstrap)
    let fit = try family.fit(points, request)
    if let plot { try TextOutput.write(LawFitPlots.data(fit).svg(), to: plot) }
    if let plotResiduals {
      try TextOutput.write(LawFitPlots.residuals(fit).svg(), to: plotResiduals)
    }
    let run = RunFields(engine: "cminpack lmder", seed: fitting.seed, rows: [UsedRow(family)])
    try report.print(LawFitReports.report(fit, run: run))
  }
}

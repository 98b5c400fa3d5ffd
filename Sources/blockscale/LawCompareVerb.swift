import ArgumentParser
import Reporting
import ScalingLaws

struct LawCompareVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Fit several laws to the same points and judge them.",
    discussion: """
      All are fitted in one space with one loss. Akaike's criterion with the correction for few rows \
      (AICc) weighs the fit against the number of parameters; the held-out error, by default that of \
      the largest model, says which law predicts. A law that the points do not determine is listed \
      with the reason.
      """)

  @Argument(help: ArgumentHelp("Points.", valueName: "data.csv"), completion: .file())
  var data: String
  @Option(
    name: .customLong("law"), help: ArgumentHelp("Laws, between commas.", valueName: "name,..."))
  var laws: String
  @OptionGroup var fitting: LawFitOptions
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: LawCatalogOptions

  func validate() throws {
    let names = laws.split(separator: ",", omittingEmptySubsequences: false)
    guard names.allSatisfy({ !$0.isEmpty }) else {
      throw ValidationError("--law \(laws): expected names between commas")
    }
    guard Set(names.map { $0.lowercased() }).count == names.count else {
      throw ValidationError("--law \(laws): a law is there twice")
    }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let families = try laws.split(separator: ",").map { try catalog.law(String($0)) }
    let points = try fitting.selected(LawData.read(data))
    let comparison = try LawComparison(families, points, fitting.request())
    let run = RunFields(
      engine: "cminpack lmder", seed: fitting.seed, rows: families.map { UsedRow($0) })
    try report.print(LawCompareReports.report(comparison, run: run))
  }
}

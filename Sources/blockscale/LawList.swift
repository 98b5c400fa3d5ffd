import ArgumentParser
import Reporting
import ScalingLaws

struct LawList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the laws, or show one: symbols, units, coefficients and who has seen them.")

  @Argument(help: ArgumentHelp("A law; without it all are listed.", valueName: "name"))
  var name: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: LawCatalogOptions

  func run() throws {
    let catalog = try rows.catalog()
    guard let name else { return try report.print(LawListReports.list(catalog)) }
    try report.print(LawListReports.one(catalog.law(name)))
  }
}

import ArgumentParser
import Measurement
import Reporting

struct Formats: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the formats, recipes and accumulators, or show one with every code.")

  @Argument(
    help: "An element, scale, block format, recipe or accumulator; without it all are listed.")
  var name: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions

  func run() throws {
    let catalog = try rows.catalog()
    let engine = makeReferenceEngine()
    guard let name else { return try report.print(FormatReports.list(catalog, engine: engine)) }
    guard let found = FormatReports.one(name, catalog, engine: engine) else {
      throw UsageError(
        "no format, recipe or accumulator is called \"\(name)\" (see: blockscale formats)")
    }
    try report.print(found)
  }
}

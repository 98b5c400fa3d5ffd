import ArgumentParser
import Reporting
import Sweep

struct StoreInversions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inversions",
    abstract: "The tensors for which a smaller block makes the error larger, and why.",
    discussion: """
      A step goes from one measured block to the next smaller one of the same tensor, format and \
      method. Its cause is what grew by more than a thousandth, the first of: clamped scales; scales \
      that are subnormal or zero (underflow); maxima beyond the largest code under power-of-two scales \
      (saturated); elements made zero (flushed); else the scales' rounding alone. JSON has the shares \
      of all of them.
      """)

  @Argument(help: ArgumentHelp("A store.", valueName: "store.sqlite"))
  var store: String
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many steps the table shows, the largest first.", valueName: "n"))
  var limit = 20
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit: expected 0 or more") }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let results = try ResultsStore.open(store)
    let data = try SweepResults(results)
    try results.close()
    try report.print(
      InversionReports.report(
        data, scale: { catalog.block($0).map { ScaleCodes($0) } }, limit: limit,
        run: RunFields(engine: "none", seed: nil, rows: [])))
  }
}

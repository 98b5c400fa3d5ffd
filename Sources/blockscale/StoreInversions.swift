import ArgumentParser
import Reporting
import Sweep

struct StoreInversions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inversions",
    abstract: "The tensors for which a smaller block makes the error larger, and why.",
    discussion: """
      A step goes from one measured block to the next smaller one of the same tensor, format and \
      method. Its cause is the part of the squared error that grew the most: that of blocks whose \
      scale is subnormal or zero (underflow); of elements beyond the largest code, under the largest \
      scale (clamped) or another (saturated); of elements made zero (flushed); of all others \
      (rounding). An element counts in the first that holds, and JSON has every part for both blocks. \
      The cause is unknown for results of a sweep that did not store the parts.
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

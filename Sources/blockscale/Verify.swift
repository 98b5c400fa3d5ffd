import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import Verification

extension VerificationLevel: ExpressibleByArgument {}

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare the fast path with the reference, here, on this machine.",
    discussion: """
      Every instruction set that this machine has is compared with MPFR, bit for bit. Exit code 1 \
      after any mismatch.
      """)

  @Option(
    help: ArgumentHelp(
      "An element, scale, block format, recipe or accumulator; by default all.", valueName: "f"))
  var format: String?
  @Option(
    help: ArgumentHelp(
      "smoke (seconds), nightly (minutes), exhaustive (all float32 numbers through E2M1, E4M3 and "
        + "E8M0, or the format given).", valueName: "l"))
  var level: VerificationLevel = .smoke
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions

  func run() throws {
    let catalog = try rows.catalog()
    let plan = try VerificationPlan(catalog, name: format, level: level)
    let parallel = threads.parallel
    let checks = plan.checks()
    let swept = plan.sweptFormats(catalog)
    let progress = Progress(
      total: checks.reduce(swept.count << 32) { $0 + $1.size }, "comparing")
    defer { progress.finish() }
    var reports = parallel.map(checks.count) { index in
      let result = checks[index].run()
      progress.advance(by: checks[index].size)
      return result
    }.flatMap { $0 }.merged()
    for row in swept {
      reports += plan.sweep(row, parallel: parallel) { progress.advance(by: $0, row.name) }
    }
    progress.finish()
    let used =
      plan.numbers.map { UsedRow($0) }
      + plan.cases.flatMap { [UsedRow($0.format), UsedRow($0.recipe)] }
      + plan.accumulators.map { UsedRow($0) }
    let run = RunFields(
      engine: plan.targets.joined(separator: " "), seed: nil, rows: used)
    try report.print(VerificationReports.report(reports, level: level, run: run))
    if reports.contains(where: { $0.mismatchCount > 0 }) { throw ExitCode(1) }
  }
}

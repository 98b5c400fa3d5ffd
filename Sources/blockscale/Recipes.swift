import ArgumentParser
import Measurement
import NumberFormats
import Reporting

struct Recipes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare recipes: how many scales and codes differ, and the first that do.")

  @Argument(help: ArgumentHelp("Tensor files, or FILE:PATTERN.", valueName: "in"))
  var inputs: [String]
  @OptionGroup var what: FormatOptions
  @Option(
    help: ArgumentHelp(
      "Two recipes or more, between commas; all are compared with the first.", valueName: "r,s,...")
  )
  var recipe: CommaList<String>
  @Option(help: ArgumentHelp("List at most so many scales and codes a pair.", valueName: "n"))
  var places = 5
  @OptionGroup var how: QuantizationOptions
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if recipe.values.count < 2 { throw ValidationError("--recipe: expected two recipes or more") }
    if places < 0 { throw ValidationError("--places: expected 0 or more") }
  }

  func run() throws {
    let request = try how.request(
      formats: [what.format], blocks: what.block.map { [$0] } ?? [], recipes: recipe.values)
    let (cases, _) = try request.cases(in: rows.catalog())
    var selection = try InputSelection(inputs)
    try selection.leaveOutMisfits(cases)
    let comparison = RecipeComparison(
      engine: try makeEngine(target: engine.target), parallel: engine.parallel, cases: cases,
      placeLimit: places)
    let progress = Progress(total: selection.elementCount * cases.count, "comparing")
    defer { progress.finish() }
    let differences = try how.namingRandomBits {
      try selection.tensors.flatMap { tensor in
        try comparison.run(tensor) { progress.advance(by: $0, tensor.name) }
      }
    }
    progress.finish()
    NarrowedMessages.write(
      selection.tensors, counts: differences.map { ($0.file, $0.tensor, $0.narrowed) })
    if report.form != .json {
      SkippedMessages.write(selection.skipped, namesFiles: inputs.count > 1)
    }
    let run = RunFields(
      engine: comparison.engine.name, seed: how.seed, rows: cases.flatMap { usedRows($0.spec) })
    try report.print(
      RecipeReports.report(
        differences, recipes: cases.map(\.spec.recipe), skipped: selection.skipped, run: run))
  }
}

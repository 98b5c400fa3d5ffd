import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting

extension OutputForm: ExpressibleByArgument {}
extension EngineTarget: ExpressibleByArgument {}

/// Options that every verb with a report has.
struct ReportOptions: ParsableArguments {
  @Option(name: .customLong("as"), help: ArgumentHelp("How to print.", valueName: "form"))
  var form: OutputForm = .table

  /// Prints a report on standard output.
  func print(_ report: Report) throws {
    let width = max(StandardStreams.outputWidth ?? 118, 80)
    try StandardStreams.writeOutput(report.rendered(as: form, width: width))
    guard form == .csv else { return }
    // CSV has no place for them.
    for note in report.notes { StandardStreams.writeMessage("blockscale: \(note)\n") }
  }
}

/// Options that every verb with formats has.
struct CatalogOptions: ParsableArguments {
  @Option(
    name: .customLong("formats"),
    help: ArgumentHelp("Add the rows of a JSON5 format table.", valueName: "file"),
    completion: .file())
  var files: [String] = []

  /// The compiled-in rows and the user's.
  func catalog() throws -> FormatCatalog {
    var catalog = try FormatCatalog.standard()
    for file in files { catalog = try catalog.adding(file: file) }
    return catalog
  }
}

/// The report that verbs which write files print only when asked to.
struct SummaryOptions: ParsableArguments {
  @Option(
    name: .customLong("as"),
    help: ArgumentHelp("Print what was written; nothing by default.", valueName: "form"))
  var form: OutputForm?

  /// Prints the report, or says on standard error what it would have warned of.
  func print(_ report: Report, skipped: [SkippedItem]) throws {
    if form != .json { SkippedMessages.write(skipped, namesFiles: false) }
    guard let form else {
      for note in report.notes { StandardStreams.writeMessage("blockscale: \(note)\n") }
      return
    }
    var options = ReportOptions()
    options.form = form
    try options.print(report)
  }
}

/// Says on standard error what was left out, grouped by reason.
enum SkippedMessages {
  /// - Parameter namesFiles: Whether tensors come from several files, so that a name is not enough.
  static func write(_ skipped: [SkippedItem], namesFiles: Bool) {
    var reasons: [String] = []
    var names: [String: [String]] = [:]
    for item in skipped {
      if names[item.reason] == nil { reasons.append(item.reason) }
      let file = namesFiles ? item.file.map { "\($0): " } ?? "" : ""
      names[item.reason, default: []].append(file + item.name)
    }
    for reason in reasons {
      let all = names[reason] ?? []
      let shown = all.prefix(4).joined(separator: ", ")
      let more = all.count > 4 ? " and \(all.count - 4) more" : ""
      StandardStreams.writeMessage("blockscale: skipped (\(reason)): \(shown)\(more)\n")
    }
  }
}

/// Refuses an output whose name does not tell a kind of file that can be written.
func checkEnding(
  of output: String, _ endings: [String], option: String = "--output"
) throws(ValidationError) {
  guard !endings.contains(where: { output.lowercased().hasSuffix($0) }) else { return }
  throw ValidationError(
    "\(option) \(output): expected a name that ends in \(endings.joined(separator: " or "))")
}

/// The rows that a specification rests on.
func usedRows(_ spec: QuantizationSpec) -> [UsedRow] {
  [
    UsedRow(spec.format), UsedRow(.element(spec.format.element)),
    UsedRow(.scale(spec.format.scale)), UsedRow(spec.recipe),
  ]
}

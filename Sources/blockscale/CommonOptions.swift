import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting

extension OutputForm: ExpressibleByArgument {}
extension EngineTarget: ExpressibleByArgument {}

/// Options that every verb with a report has.
struct ReportOptions: ParsableArguments {
  @Option(name: .customLong("as"), help: "How to print: \(OutputForm.names).")
  var form: OutputForm = .table

  /// Prints a report on standard output.
  func print(_ report: Report) throws {
    let width = max(StandardStreams.outputWidth ?? 118, 80)
    try StandardStreams.writeOutput(report.rendered(as: form, width: width))
  }
}

extension OutputForm {
  static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
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

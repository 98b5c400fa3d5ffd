import ArgumentParser
import Measurement
import Reporting
import Sweep

extension StoreExport.Form: ExpressibleByArgument {}

struct StoreVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Stores of sweep results: look into one, merge several, write one as text.",
    subcommands: [StoreShow.self, StoreMergeVerb.self, StoreExportVerb.self, StoreInversions.self])
}

struct StoreShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "What a store holds, by kind, format and recipe.")

  @Argument(help: ArgumentHelp("A store.", valueName: "store.sqlite"))
  var store: String
  @OptionGroup var report: ReportOptions

  func run() throws {
    let results = try ResultsStore.open(store)
    try report.print(
      SweepReports.contents(
        try results.results(), tensors: try results.tensors(), meta: try results.meta(),
        run: RunFields(engine: "none", seed: nil, rows: [])))
  }
}

struct StoreMergeVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Make one store of several, of shards say.",
    discussion: """
      The order of the inputs does not show in the results: a merged store and the store of a single \
      process export the same bytes. Stores that saw different tensors under one name, or that give \
      one piece of work two results, are refused.
      """)

  @Argument(help: ArgumentHelp("The new store.", valueName: "out.sqlite"))
  var output: String
  @Argument(help: ArgumentHelp("Stores.", valueName: "in.sqlite"))
  var inputs: [String]
  @Flag(help: "Replace an earlier store of that name.")
  var replace = false
  @OptionGroup var summary: SummaryOptions

  func run() throws {
    let counts = try ResultsStore.merge(inputs, into: output, replaces: replace)
    let run = RunFields(engine: "none", seed: nil, rows: [])
    try summary.print(SweepReports.merged(counts, into: output, run: run), skipped: [])
  }
}

struct StoreExportVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a store's results as CSV or JSON lines, in the order of their keys.",
    discussion: """
      JSON lines carry the whole report of each result; CSV its plain numbers.
      """)

  @Argument(help: ArgumentHelp("A store.", valueName: "store.sqlite"))
  var store: String
  @Option(name: .customLong("as"), help: ArgumentHelp("csv or jsonl.", valueName: "form"))
  var form: StoreExport.Form

  func run() throws {
    var waiting = ""
    try StoreExport(form: form).write(try ResultsStore.open(store)) { line in
      waiting += line
      guard waiting.utf8.count > 1 << 16 else { return }
      try StandardStreams.writeOutput(waiting)
      waiting = ""
    }
    try StandardStreams.writeOutput(waiting)
  }
}

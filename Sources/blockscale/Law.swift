import ArgumentParser
import ScalingLaws

/// The verb `law`: its own verbs and nothing else.
struct Law: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "law",
    abstract: "Scaling laws: from the error of a format to the loss of a model.",
    discussion: """
      delta is the rise of the loss in nats, ln(perplexity after / perplexity before); n counts \
      parameters, q_r is the share of them in low precision, q_b how many elements share a scale.
      """,
    subcommands: [
      LawList.self, LawPredict.self, LawFitVerb.self, LawCompareVerb.self, LawTheory.self,
      LawMeasure.self, LawAssign.self, LawPlan.self,
    ])
}

/// Options that every verb with laws has.
struct LawCatalogOptions: ParsableArguments {
  @Option(
    name: .customLong("laws"),
    help: ArgumentHelp("Add the laws of a JSON5 table.", valueName: "file"), completion: .file())
  var files: [String] = []

  /// The compiled-in laws and the user's.
  func catalog() throws -> LawCatalog {
    var catalog = try LawCatalog.builtIn()
    for file in files { catalog = try catalog.adding(file: file) }
    return catalog
  }
}

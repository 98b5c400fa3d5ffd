import ArgumentParser
import FormatCatalog
import HardwareCost

/// The cost model of the verbs that count gates.
struct GateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Replace parameters of the gate model by a JSON5 file's.", valueName: "file"),
    completion: .file())
  var gates: String?

  /// The model with the user's parameters, and the synthesis results that it is fitted to.
  func model() throws -> (model: CostModel, points: [SynthesisPoint]) {
    var parameters = try GateModel.standard()
    if let gates { parameters = try parameters.replacing(file: gates) }
    let points = try SynthesisPoint.standard(FormatCatalog.standard())
    return (CostModel(parameters, points: points), points)
  }
}

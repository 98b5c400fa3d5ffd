import ArgumentParser
import FormatCatalog
import ScalingLaws

/// What the loss of a page comes from; the names are those of `law plan`.
struct PageLossOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Loss data: CSV with n, q_r, delta and, if it varies, q_b.", valueName: "csv"),
    completion: .file(extensions: ["csv"]))
  var loss: String?
  @Option(
    help: ArgumentHelp(
      "Take the loss data's rows with these texts in a column; more than once for more columns.",
      valueName: "column=a,b"))
  var lossWhere: [String] = []
  @Option(
    name: .customLong("loss-q-r"), parsing: .unconditional,
    help: ArgumentHelp("The Q_r of loss data that have no such column.", valueName: "q"))
  var lossRatio: Double?
  @Option(
    help: ArgumentHelp(
      "The format of the loss data, and its block if not the format's own; mxint4:32 without --loss.",
      valueName: "f[:b]"))
  var lossFormat: FormatAndBlock?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The largest delta wanted, in the loss data's unit.", valueName: "x"))
  var lossBudget = 0.02
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Model sizes in parameters, between commas; 1e9,7e9,70e9,400e9 by default.",
      valueName: "n,..."))
  var n: CommaList<Double>?

  /// Ascending, each once.
  var sizes: [Double] { Set(n?.values ?? [1e9, 7e9, 70e9, 400e9]).sorted() }

  /// Far beyond every model; loss laws say nothing there.
  private static let mostParameters = 1e15

  func validate() throws {
    guard lossBudget > 0, lossBudget.isFinite else {
      throw ValidationError("--loss-budget: expected a number above 0")
    }
    if let lossRatio, !(lossRatio >= 0 && lossRatio <= 1) {
      throw ValidationError("--loss-q-r \(lossRatio): expected 0 to 1")
    }
    for size in n?.values ?? [] where !(size > 0 && size <= Self.mostParameters) {
      throw ValidationError(
        "--n \(size): expected parameters above 0 and at most 1e15, such as 7e9")
    }
    if loss != nil, lossFormat == nil {
      throw ValidationError("--loss needs --loss-format")
    }
    if loss == nil, lossRatio != nil || !lossWhere.isEmpty || lossFormat != nil {
      throw ValidationError("--loss-where, --loss-q-r and --loss-format need --loss")
    }
  }

  /// A loss law, the format and block of its data, and where they come from.
  struct Basis {
    var law: LossLaw
    var format: String
    var block: String
    var source: String
  }

  func basis(in catalog: FormatCatalog) throws -> Basis {
    guard let loss, let lossFormat else {
      let data = try LawData.mixedQuantization()
        .rows(fitting: ["family=qwen1.5", "assignment=matmul"])
      return Basis(
        law: try LossLaw(data), format: "mxint4", block: "32",
        source: "Loss data: Qwen1.5 models with weights and activations in MXINT4, read off the"
          + " figures of arXiv 2410.06722 v1 (golden/laws/mixed-v1.csv); their block size is not"
          + " known and taken as 32.")
    }
    let reference = try lossFormat.resolved(in: catalog)
    return Basis(
      law: try LossLaw(try LawData.read(loss).rows(fitting: lossWhere), ratio: lossRatio),
      format: reference.format.name, block: reference.block.description,
      source: "Loss data: \(loss), of \(reference.format.name), block \(reference.block).")
  }
}

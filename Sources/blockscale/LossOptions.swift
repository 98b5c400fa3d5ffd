import ArgumentParser
import FormatCatalog
import NumberFormats
import ScalingLaws

/// What a verb has of its own in place of loss options; nil where the user must give them.
protocol LossDefaults {
  /// Format and block of the verb's own loss data.
  static var data: (format: String, block: String)? { get }
  /// The largest delta wanted.
  static var budget: Double? { get }
  /// Model sizes, as `--n` takes them.
  static var sizes: String? { get }
}

/// `law plan` goes by the user's data alone.
enum PlanLossDefaults: LossDefaults {
  static var data: (format: String, block: String)? { nil }
  static var budget: Double? { nil }
  static var sizes: String? { nil }
}

/// `report` can go without any.
enum PageLossDefaults: LossDefaults {
  static let ownData = (format: "mxint4", block: "32")
  static var data: (format: String, block: String)? { ownData }
  static var budget: Double? { 0.02 }
  static var sizes: String? { "1e9,7e9,70e9,400e9" }
}

/// An option's value, nil where it is not given: some verbs require an option that others do not.
struct Given<Value: ExpressibleByArgument>: ExpressibleByArgument {
  var value: Value?

  init() {}

  init?(argument: String) {
    guard let value = Value(argument: argument) else { return nil }
    self.value = value
  }

  /// Nothing, for help.
  var defaultValueDescription: String { "" }
}

/// Loss data, and the loss that a model may have: the options of `law plan` and `report`.
struct LossOptions<Defaults: LossDefaults>: ParsableArguments {
  @Option var loss: Given<String>
  @Option(
    help: ArgumentHelp(
      "Take the loss data's rows with these texts in a column; more than once for more columns.",
      valueName: "column=a,b"))
  var lossWhere: [String] = []
  @Option(
    name: .customLong("loss-q-r"), parsing: .unconditional,
    help: ArgumentHelp("The Q_r of loss data that have no such column.", valueName: "q"))
  var lossRatio: Double?
  @Option var lossFormat: Given<FormatAndBlock>
  @Option var lossBudget: Double
  @Option var n: Given<CommaList<Double>>

  init() {
    _loss = Self.option(
      Defaults.data == nil,
      "Loss data: CSV with n, q_r, delta; with a q_b, rows of the loss format's block count.",
      valueName: "csv", completion: .file(extensions: ["csv"]))
    _lossFormat = Self.option(
      Defaults.data == nil,
      "The format of the loss data, and its block if not the format's own"
        + (Defaults.data.map { "; \($0.format):\($0.block) without --loss." } ?? "."),
      valueName: "f[:b]")
    let help = ArgumentHelp(
      "The largest delta wanted, in the loss data's unit.", valueName: "x")
    _lossBudget =
      Defaults.budget.map { Option(wrappedValue: $0, parsing: .unconditional, help: help) }
      ?? Option(parsing: .unconditional, help: help)
    _n = Self.option(
      Defaults.sizes == nil,
      "Model sizes in parameters, between commas"
        + (Defaults.sizes.map { "; \($0) by default." } ?? "."),
      valueName: "n,...", parsing: .unconditional)
  }

  private static func option<Value>(
    _ isRequired: Bool, _ abstract: String, valueName: String,
    parsing: SingleValueParsingStrategy = .next, completion: CompletionKind? = nil
  ) -> Option<Given<Value>> {
    let help = ArgumentHelp(abstract, valueName: valueName)
    return isRequired
      ? Option(parsing: parsing, help: help, completion: completion)
      : Option(wrappedValue: Given(), parsing: parsing, help: help, completion: completion)
  }

  /// Model sizes in parameters.
  var sizes: [Double] {
    (n.value ?? Defaults.sizes.flatMap { CommaList(argument: $0) })?.values ?? []
  }

  func validate() throws {
    guard lossBudget > 0, lossBudget.isFinite else {
      throw ValidationError("--loss-budget: expected a number above 0")
    }
    if let lossRatio, !(lossRatio >= 0 && lossRatio <= 1) {
      throw ValidationError("--loss-q-r \(lossRatio): expected 0 to 1")
    }
    for size in sizes where !LossLaw.modelSizes.contains(size) {
      throw ValidationError("--n \(size): expected parameters, 1e5 to 1e15, such as 7e9")
    }
    if loss.value != nil, lossFormat.value == nil {
      throw ValidationError("--loss needs --loss-format")
    }
    if loss.value == nil, lossRatio != nil || !lossWhere.isEmpty || lossFormat.value != nil {
      throw ValidationError("--loss-where, --loss-q-r and --loss-format need --loss")
    }
    _ = try filters()
  }

  private func filters() throws -> [RowFilter] {
    try lossWhere.map { try RowFilter($0, option: "--loss-where") }
  }

  /// The law of the user's loss data, and what they were measured with.
  func law(
    in catalog: FormatCatalog, seed: UInt64 = 1
  ) throws -> (law: LossLaw, format: BlockFormat, block: BlockShape) {
    guard let path = loss.value, let named = lossFormat.value else {
      throw UsageError("expected --loss and --loss-format")
    }
    let (format, block) = try named.resolved(in: catalog)
    var size: Double?
    if case .line(let elements) = block { size = Double(elements) }
    let data = try LawData.read(path).rows(fitting: filters())
    return (try LossLaw(data, block: size, ratio: lossRatio, seed: seed), format, block)
  }
}

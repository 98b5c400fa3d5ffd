import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import ScalingLaws

struct LawPredict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "What a law gives, with intervals where a fit has them.",
    discussion: """
      Coefficients come from a named set (law list NAME shows them), from the JSON of law fit, or \
      from --set; where the law has a single set it is taken. Lists of numbers give every \
      combination. A place outside what the coefficients were determined on is marked.
      """)

  @Option(help: ArgumentHelp("The law; with --fit the fit's own.", valueName: "name"))
  var law: String?
  @Option(help: ArgumentHelp("A named set of the law's coefficients.", valueName: "name"))
  var coefficients: String?
  @Option(
    help: ArgumentHelp("What law fit --as json printed.", valueName: "fit.json"),
    completion: .file(extensions: ["json"]))
  var fit: String?
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Coefficients of your own, between commas.", valueName: "symbol=x,..."))
  var numbers: [String] = []
  @Option(help: ArgumentHelp("Parameters of the model.", valueName: "x,..."))
  var n: CommaList<Double>?
  @Option(help: ArgumentHelp("Tokens of training.", valueName: "x,..."))
  var d: CommaList<Double>?
  @Option(help: ArgumentHelp("Shares in low precision.", valueName: "x,..."))
  var qR: CommaList<Double>?
  @Option(help: ArgumentHelp("Elements that share a scale.", valueName: "x,..."))
  var qB: CommaList<Double>?
  @Option(
    name: .customLong("at"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Numbers of any column that the law reads; more than once.", valueName: "column=x,..."))
  var columns: [String] = []
  @Option(
    help: ArgumentHelp(
      "Block formats, and their blocks if not their own, whose error on normal numbers (law theory) "
        + "is the column gmse.", valueName: "f[:n],..."))
  var gmseOf: CommaList<String>?
  @Option(
    help: ArgumentHelp("Take the places from a table's rows.", valueName: "data.csv"),
    completion: .file(extensions: ["csv"]))
  var data: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: LawCatalogOptions
  @OptionGroup var formats: CatalogOptions

  func validate() throws {
    if coefficients != nil, fit != nil {
      throw ValidationError("--coefficients and --fit: expected one of them")
    }
    if law == nil, fit == nil { throw ValidationError("expected --law or --fit") }
    if data != nil,
      n != nil || d != nil || qR != nil || qB != nil || !columns.isEmpty || gmseOf != nil
    {
      throw ValidationError("--data: expected without --n, --d, --q-r, --q-b, --at and --gmse-of")
    }
    _ = try ownNumbers()
    _ = try given()
  }

  func run() throws {
    let saved = try fit.map { try SavedFit.read($0) }
    let family = try rows.catalog().law(law ?? saved?.law ?? "")
    let chosen = try LawCoefficients(
      family, set: coefficients, fit: saved, numbers: ownNumbers())
    let places =
      try data.map { try LawPlaces.read($0, for: family) }
      ?? LawPlaces.combinations(of: given() + errors(), for: family)
    let predictions = places.map { chosen.prediction(at: $0) }
    try report.print(LawPredictReports.report(predictions, chosen))
  }

  /// The errors of formats on normal numbers of variance 1, as a column.
  private func errors() throws -> [LawPlaces.Column] {
    guard let gmseOf else { return [] }
    let catalog = try formats.catalog()
    guard let recipe = catalog.recipe("exact") else { throw UsageError("no exact recipe") }
    let engine = try makeEngine(target: .auto)
    let numbers = try gmseOf.values.map { text in
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard let format = parts.first.flatMap({ catalog.block($0) }) else {
        throw UsageError("--gmse-of \(text): no such block format (see: blockscale formats)")
      }
      let size = parts.count > 1 ? Int(parts[1]) : try format.ownBlockSize()
      guard let size, size >= 1 else {
        throw UsageError("--gmse-of \(text): expected FORMAT or FORMAT:SIZE")
      }
      let theory = try BlockErrorTheory(
        QuantizationSpec(format: format, recipe: recipe), engine: engine)
      return try theory.error(count: size, source: .normal, deviation: 1).nmse
    }
    return [LawPlaces.Column(name: "gmse", numbers: numbers)]
  }

  private func ownNumbers() throws -> [String: Double] {
    try symbolNumbers(numbers, "--set")
  }

  /// The numbers asked for, by column.
  private func given() throws -> [LawPlaces.Column] {
    let options = [("n", n), ("d", d), ("q_r", qR), ("q_b", qB)]
    var found = options.compactMap { name, list in
      list.map { LawPlaces.Column(name: name, numbers: $0.values) }
    }
    for item in columns {
      let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let list = CommaList<Double>(argument: parts[1]) else {
        throw ValidationError("--at \(item): expected COLUMN=NUMBER,...")
      }
      found.append(LawPlaces.Column(name: parts[0].lowercased(), numbers: list.values))
    }
    for (place, column) in found.enumerated()
    where found[..<place].contains(where: { $0.name == column.name }) {
      throw ValidationError("\(column.name) is given twice")
    }
    return found
  }
}

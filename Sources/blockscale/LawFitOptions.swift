import ArgumentParser
import ScalingLaws

extension ResidualSpace: ExpressibleByArgument {}

/// What `law fit` and `law compare` share.
struct LawFitOptions: ParsableArguments {
  enum LossName: String, CaseIterable, ExpressibleByArgument { case squares, huber }

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Take the rows with these texts in a column; more than once for more columns.",
      valueName: "column=a,b"))
  var filters: [String] = []
  @Option(
    help: ArgumentHelp(
      "Residuals of logarithms or of the numbers; by default the law's own.", valueName: "space"))
  var space: ResidualSpace?
  @Option(help: ArgumentHelp("What is summed over the residuals.", valueName: "loss"))
  var loss: LossName = .squares
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      Where Huber's loss becomes linear, in the fit's space: scipy's f_scale. By default 1.345 robust \
      standard deviations.
      """, valueName: "x"))
  var huberScale: Double?
  @Option(
    help: ArgumentHelp("Hold parameters at values, between commas.", valueName: "symbol=x,..."))
  var fix: [String] = []
  @Option(
    help: ArgumentHelp(
      "Bounds in place of the law's, an end empty for none.", valueName: "symbol=low:high,..."))
  var bounds: [String] = []
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many starts the solver has.", valueName: "n"))
  var starts = 32
  @Option(help: ArgumentHelp("Seed of starts and of resampling.", valueName: "n"))
  var seed: UInt64 = 1
  @Option(
    help: ArgumentHelp(
      """
      Rows that are left out and then predicted: largest:COLUMN, each:COLUMN (one number after the \
      other), COLUMN=NUMBER or none. By default largest:n.
      """, valueName: "rows"))
  var holdOut: String?
  @Flag(help: "Leave out rows whose number is 0 or below, which have no logarithm.")
  var dropNonpositive = false

  func validate() throws {
    guard starts >= 1, starts <= 100_000 else {
      throw ValidationError("--starts: expected 1 to 100000")
    }
    if let huberScale {
      guard loss == .huber else {
        throw ValidationError("--huber-scale: expected with --loss huber")
      }
      guard huberScale > 0, huberScale.isFinite else {
        throw ValidationError("--huber-scale: expected a number above 0")
      }
    }
    _ = try request()
    _ = try rowFilters()
  }

  /// The request, without what only one of the verbs asks for.
  func request() throws -> LawFitRequest {
    var request = LawFitRequest(
      space: space, loss: loss == .huber ? .huber(scale: huberScale) : .squares, starts: starts,
      seed: seed, dropsNonPositive: dropNonpositive)
    if let holdOut {
      guard let wanted = HoldOut(holdOut) else {
        throw ValidationError(
          "--hold-out \(holdOut): expected largest:COLUMN, each:COLUMN, COLUMN=NUMBER or none")
      }
      request.holdOut = wanted
    }
    request.fixed = try symbolNumbers(fix, "--fix")
    for (symbol, text) in try symbolTexts(bounds, "--bounds", "SYMBOL=LOW:HIGH") {
      request.bounds[symbol] = try range(symbol, text)
    }
    return request
  }

  /// The rows that --where asks for.
  func selected(_ data: LawData) throws -> LawData {
    try data.rows(fitting: rowFilters())
  }

  private func rowFilters() throws -> [RowFilter] {
    try filters.map { try RowFilter($0, option: "--where") }
  }

  private func range(_ symbol: String, _ text: String) throws -> NumberRange {
    let ends = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard ends.count == 2, let low = ends[0].isEmpty ? -Double.infinity : Double(ends[0]),
      let high = ends[1].isEmpty ? Double.infinity : Double(ends[1]), low < high
    else {
      throw ValidationError("--bounds \(symbol)=\(text): expected LOW:HIGH with LOW below HIGH")
    }
    return NumberRange(low: low, high: high)
  }
}

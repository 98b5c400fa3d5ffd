/// Why a curve cannot be fitted to the data.
public enum FitError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Fewer rows than the parameters need, with one left over to judge them by.
  case tooFewRows(rows: Int, parameters: Int)
  /// A row whose number has no logarithm, in a fit of logarithms.
  case notPositive(row: Int, value: Double, count: Int)
  /// Nothing in the data depends on the parameter.
  case noEffect(String)
  /// The data determine only a combination of these.
  case indistinguishable([String])
  /// The curve is not finite at any start, or the solver ended nowhere.
  case noMinimum(starts: Int)

  public var description: String {
    switch self {
    case .tooFewRows(let rows, let parameters):
      "\(rows) rows for \(parameters) free parameters: at least \(parameters + 1) are needed"
    case .notPositive(let row, let value, let count):
      "row \(row): \(value) has no logarithm (\(count) such rows)"
    case .noEffect(let symbol):
      "nothing in these rows depends on \(symbol)"
    case .indistinguishable(let symbols):
      "these rows cannot tell \(Self.list(symbols)) apart: any change of one is undone by the"
        + " others"
    case .noMinimum(let starts):
      "no minimum found: the law is not finite, or not positive, on these rows from any of"
        + " \(starts) starts"
    }
  }

  /// What `law fit` and `law compare`, which have these options, can do about it, to stand behind the
  /// description.
  var advice: String {
    switch self {
    case .notPositive: "; fit in linear space, or leave them out with --drop-nonpositive"
    case .noEffect(let symbol): ": fix it with --fix \(symbol)=VALUE"
    case .indistinguishable(let symbols):
      ". Add rows that vary more, or fix one with --fix \(symbols.last ?? "")=VALUE"
    case .tooFewRows, .noMinimum: ""
    }
  }

  private static func list(_ names: [String]) -> String {
    guard names.count > 1, let last = names.last else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and " + last
  }
}

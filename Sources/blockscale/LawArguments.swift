import ArgumentParser
import ScalingLaws

/// `COLUMN=TEXT,...`: the rows with one of these texts in a column.
struct RowFilter {
  var column: String
  var texts: [String]
}

extension RowFilter {
  /// - Parameter option: names the option in errors.
  init(_ text: String, option: String) throws(ValidationError) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw ValidationError("\(option) \(text): expected COLUMN=TEXT,...")
    }
    self.init(column: parts[0], texts: parts[1].split(separator: ",").map(String.init))
  }
}

extension LawData {
  /// The rows that every filter takes.
  func rows(fitting filters: [RowFilter]) throws(LawError) -> LawData {
    var data = self
    for filter in filters { data = try data.rows(where: filter.column, isIn: filter.texts) }
    return data
  }
}

/// The texts of `SYMBOL=TEXT,...`, each symbol once.
///
/// - Parameters:
///   - option: names the option in errors.
///   - form: what an item looks like.
func symbolTexts(
  _ arguments: [String], _ option: String, _ form: String
) throws(ValidationError) -> [(symbol: String, text: String)] {
  var found: [(symbol: String, text: String)] = []
  for item in arguments.flatMap({ $0.split(separator: ",") }) {
    let parts = item.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty else {
      throw ValidationError("\(option) \(item): expected \(form),...")
    }
    guard !found.contains(where: { $0.symbol == parts[0] }) else {
      throw ValidationError("\(option): \(parts[0]) is there twice")
    }
    found.append((parts[0], parts[1]))
  }
  return found
}

/// The numbers of `SYMBOL=NUMBER,...`, each symbol once.
func symbolNumbers(
  _ arguments: [String], _ option: String
) throws(ValidationError) -> [String: Double] {
  var numbers: [String: Double] = [:]
  for (symbol, text) in try symbolTexts(arguments, option, "SYMBOL=NUMBER") {
    guard let value = Double(text), value.isFinite else {
      throw ValidationError("\(option) \(symbol)=\(text): expected a number")
    }
    numbers[symbol] = value
  }
  return numbers
}

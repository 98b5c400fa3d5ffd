import Sweep

/// What formats and methods are called on a page.
struct RowNames {
  /// Names that stand for several rows of the format tables, such as two fitted codebooks.
  private var formats: Set<String>
  private var recipes: Set<String>
  private var accumulators: Set<String>

  init(_ store: ResultsStore) throws {
    formats = try store.sharedNames(["format", "format_b"])
    recipes = try store.sharedNames(["recipe"])
    accumulators = try store.sharedNames(["accumulator"])
  }

  /// A format's name, with the start of its hash where it stands for several rows.
  func name(_ format: String, _ hash: String?) -> String { told(format, hash, formats) }

  private func told(_ name: String, _ hash: String?, _ shared: Set<String>) -> String {
    guard shared.contains(name), let hash else { return name }
    return "\(name) (\(hash.prefix(8)))"
  }

  /// `a x b`, with B's block where it is not A's: `a x b:16`.
  func format(_ row: StoredResult) -> String {
    let parts = row.block.split(separator: " x ")
    let own = parts.count == 2 ? ":\(parts[1])" : ""
    let first = name(row.format, row.formatHash)
    if let other = row.formatB { return "\(first) x \(name(other, row.formatBHash))\(own)" }
    return own.isEmpty ? first : "\(first) x \(first)\(own)"
  }

  /// Recipe and all else that is not as usual.
  func method(_ row: StoredResult) -> String {
    var words = [told(row.recipe, row.recipeHash, recipes)]
    if row.rounding != "tiesToEven" { words.append(row.rounding) }
    if row.tensorScale != "auto" { words.append("tensor scale \(row.tensorScale)") }
    if row.computeType != "fp32" { words.append("as \(row.computeType)") }
    if row.axis != -1 { words.append("axis \(row.axis)") }
    if row.transform != "none" { words.append(row.transform) }
    if let accumulator = row.accumulator, accumulator != "exact" {
      words.append(told(accumulator, row.accumulatorHash, accumulators))
    }
    if let fraction = row.fraction, fraction < 1 { words.append("\(fraction) of the outputs") }
    if let seed = row.seed { words.append("seed \(seed)") }
    return words.joined(separator: ", ")
  }
}

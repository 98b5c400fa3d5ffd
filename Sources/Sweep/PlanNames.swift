import FormatCatalog
import NumberFormats

/// Looks up the names of a plan; an error names the file, the field and the nearest name there is.
struct PlanNames {
  let plan: SweepPlan
  let catalog: FormatCatalog

  /// Canonical names of block formats; `none` too where a side may be left as it is.
  func blocks(
    _ names: [String], _ field: String, takesNone: Bool = false
  ) throws(SweepError) -> [String] {
    let known = catalog.blocks.flatMap { [$0.name] + $0.aliases } + (takesNone ? ["none"] : [])
    return try each(names, "block format", field, among: known) { name in
      takesNone && name.lowercased() == "none" ? "none" : catalog.block(name)?.name
    }
  }

  func recipes(_ names: [String], _ field: String) throws(SweepError) -> [String] {
    let known = catalog.recipes.flatMap { [$0.name] + $0.aliases }
    return try each(names, "recipe", field, among: known) { catalog.recipe($0)?.name }
  }

  func accumulators(_ names: [String], _ field: String) throws(SweepError) -> [Accumulator] {
    let known = catalog.accumulators.flatMap { [$0.name] + $0.aliases }
    return try each(names, "accumulator", field, among: known) { catalog.accumulator($0) }
  }

  /// What each name stands for, once.
  private func each<Value: Hashable>(
    _ names: [String], _ kind: String, _ field: String, among known: [String],
    _ find: (String) -> Value?
  ) throws(SweepError) -> [Value] {
    var values: [Value] = []
    for (index, name) in names.enumerated() {
      guard let value = find(name) else {
        throw .plan(
          file: plan.file, field: plan.file == nil ? field : "\(field)[\(index)]",
          problem: "no \(kind) is called \"\(name)\" (nearest:"
            + " \"\(nearestName(to: name, among: known))\"; see: blockscale formats)")
      }
      if !values.contains(value) { values.append(value) }
    }
    return values
  }
}

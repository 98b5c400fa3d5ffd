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
    try each(names) { (name, index) throws(SweepError) in
      if takesNone, name.lowercased() == "none" { return "none" }
      guard let found = catalog.block(name) else {
        throw unknown(
          "block format", name, field, index,
          among: catalog.blocks.flatMap { [$0.name] + $0.aliases } + (takesNone ? ["none"] : []))
      }
      return found.name
    }
  }

  func recipes(_ names: [String], _ field: String) throws(SweepError) -> [String] {
    try each(names) { (name, index) throws(SweepError) in
      guard let found = catalog.recipe(name) else {
        throw unknown(
          "recipe", name, field, index,
          among: catalog.recipes.flatMap { [$0.name] + $0.aliases })
      }
      return found.name
    }
  }

  func accumulators(_ names: [String], _ field: String) throws(SweepError) -> [Accumulator] {
    try each(names) { (name, index) throws(SweepError) in
      guard let found = catalog.accumulator(name) else {
        throw unknown(
          "accumulator", name, field, index,
          among: catalog.accumulators.flatMap { [$0.name] + $0.aliases })
      }
      return found
    }
  }

  /// What each name stands for, once.
  private func each<Value: Hashable>(
    _ names: [String], _ find: (String, Int) throws(SweepError) -> Value
  ) throws(SweepError) -> [Value] {
    var values: [Value] = []
    for (index, name) in names.enumerated() {
      let value = try find(name, index)
      if !values.contains(value) { values.append(value) }
    }
    return values
  }

  private func unknown(
    _ kind: String, _ name: String, _ field: String, _ index: Int, among known: [String]
  ) -> SweepError {
    .plan(
      file: plan.file, field: plan.file == nil ? field : "\(field)[\(index)]",
      problem: "no \(kind) is called \"\(name)\" (nearest:"
        + " \"\(nearestName(to: name, among: known))\"; see: blockscale formats)")
  }
}

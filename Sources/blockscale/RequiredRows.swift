import FormatCatalog
import NumberFormats

/// Rows by the names that a user gave.
extension FormatCatalog {
  func requiredBlock(_ name: String) throws(UsageError) -> BlockFormat {
    try required(block(name), "block format", name)
  }

  func requiredElement(_ name: String) throws(UsageError) -> ElementFormat {
    try required(element(name), "element", name)
  }

  func requiredScale(_ name: String) throws(UsageError) -> ScaleFormat {
    try required(scale(name), "scale", name)
  }

  func requiredRecipe(_ name: String) throws(UsageError) -> Recipe {
    try required(recipe(name), "recipe", name)
  }

  private func required<Row>(
    _ row: Row?, _ kind: String, _ name: String
  ) throws(UsageError) -> Row {
    guard let row else {
      throw UsageError("no \(kind) is called \"\(name)\" (see: blockscale formats)")
    }
    return row
  }
}

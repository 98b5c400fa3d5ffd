import FastPath
import FoundationEssentials
import NumberFormats
import Reference
import Testing

@Suite("Codebooks: fast path equals reference")
struct CodebookTests {
  /// Without a zero, uneven, wide and of many values: what the 16-value loop does not expect.
  static let codebooks: [String] = [
    "[-1.5, -0.25, 0.75, 2]", "[-3, -1, 1, 3]", "[-1, -0.999, 0, 0.001, 1]", "[0.5, 1, 7]",
    "[-1, 0, 1e-6, 1]",
    "[\((0..<40).map { "\(Float($0 * $0) / 8 - 50)" }.joined(separator: ", "))]",
  ]

  @Test("Every rounding on books of every shape", arguments: codebooks)
  func equalCodes(text: String) throws {
    let rows = """
      { version: 1, elements: [{ name: "book", codebook: \(text) }],
        blocks: [{ name: "mine", element: "book", scale: "bf16", block: "16" }] }
      """
    let format = try #require(
      catalog.adding(Data(rows.utf8), file: "book.json5").block("mine"))
    let exact = try #require(catalog.recipe("exact"))
    let grid = try BlockGrid(shape: [5, 200], block: .line(16))
    for rounding in Rounding.deterministic + [.stochastic(bits: 3), .stochastic(bits: 32)] {
      for filling in Filling.allCases {
        var values = filling.values(grid.elementCount, seed: 12)
        for index in stride(from: 0, to: values.count, by: 7) { values[index] = 0 }
        let spec = QuantizationSpec(format: format, recipe: exact, rounding: rounding)
        let expected = outcome(MPFREngine(), values, grid, spec)
        for target in VectorTarget.available {
          let observed = outcome(try VectorEngine(target: target), values, grid, spec)
          compare(
            observed, expected, values, grid, spec, "\(text) \(filling) \(rounding) \(target)")
        }
      }
    }
  }
}

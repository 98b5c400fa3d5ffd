import FormatCatalog
import FoundationEssentials
import Measurement
import NumberFormats
import Sweep
import Testing

@Suite struct PlanTests {
  private func plan(_ text: String) throws -> SweepPlan {
    try SweepPlan(json: Data(text.utf8), file: "plans/p.json5")
  }

  @Test("a plan's fields are read, and paths start from its folder")
  func fields() throws {
    let found = try plan(
      """
      { // a comment
        version: 1, weights: ["m.safetensors:*.weight", "/abs.npy"], activations: ["a.npy"],
        products: [{ a: "a.npy", b: "m.safetensors:x", transpose_b: true, formats_b: ["none"],
          blocks: ["axis"], blocks_b: [4, "tensor"], fraction: 0.25 }],
        formats: ["nvfp4"], blocks: [8, "16", "16x16", "tensor"], recipes: ["exact-rceil"],
        roundings: ["stochastic:4"], accumulators: ["blackwell-fp4"],
        rotations: [0, 32], outliers: ["values:0.01", "columns:0.1"], axis: 0, tensor_scale: 0.5,
        as_dtype: "BF16", seed: 9, fraction: 0.5, format_files: ["f.json5"],
      }
      """)
    var expected = SweepPlan(file: "plans/p.json5")
    expected.weights = ["plans/m.safetensors:*.weight", "/abs.npy"]
    expected.activations = ["plans/a.npy"]
    var product = ProductPlan(a: "plans/a.npy", b: "plans/m.safetensors:x", transposesB: true)
    product.formatsB = ["none"]
    product.blocks = [.axis]
    product.blocksB = [.line(4), .tensor]
    product.fraction = 0.25
    expected.products = [product]
    expected.formats = ["nvfp4"]
    expected.blocks = [.line(8), .line(16), .tile(rows: 16, columns: 16), .tensor]
    expected.recipes = ["exact-rceil"]
    expected.roundings = [.stochastic(bits: 4)]
    expected.accumulators = ["blackwell-fp4"]
    expected.transforms = [
      .none, .hadamard(try #require(HadamardRotation(size: 32))),
      .outliers(OutlierSplit(.values, share: 0.01)), .outliers(OutlierSplit(.columns, share: 0.1)),
    ]
    expected.axis = 0
    expected.tensorScale = .given(0.5)
    expected.computeType = .bf16
    expected.seed = 9
    expected.fraction = 0.5
    expected.formatFiles = ["plans/f.json5"]
    #expect(found == expected)
  }

  @Test("a mistake in a plan is named by file and field")
  func mistakes() throws {
    let table: [(text: String, field: String, word: String)] = [
      ("{version: 1, weigths: []}", "", "\"weights\""),
      ("{version: 1, rotations: [16, 12]}", "rotations[1]", "power of two"),
      ("{version: 1, outliers: [\"rows:0.1\"]}", "outliers[0]", "values:P"),
      ("{version: 3}", "version", "expected 1"), ("{}", "", "version"),
      ("{version: 1, blocks: [8, \"8x\"]}", "blocks[1]", "RxC"),
      ("{version: 1, products: [{a: \"x\", b: \"y\"}, {a: \"x\"}]}", "products[1]", "\"b\""),
      ("{version: 1, tensor_scale: -1}", "tensor_scale", "above 0"),
      ("{version: 1, ", "", "not JSON5"),
    ]
    for row in table {
      #expect("\(row.text)") {
        try plan(row.text)
      } throws: { error in
        guard case SweepError.plan("plans/p.json5", row.field, let problem) = error else {
          return false
        }
        return problem.contains(row.word)
      }
    }
  }

  @Test("unknown names are refused with the nearest one, before any file is opened")
  func names() throws {
    let table: [(text: String, field: String, nearest: String)] = [
      (
        "{version: 1, weights: [\"none.npy\"], formats: [\"mxfp4\", \"nvpf4\"]}", "formats[1]",
        "nvfp4"
      ),
      (
        "{version: 1, weights: [\"none.npy\"], formats: [\"mxfp4\"], recipes: [\"exakt\"]}",
        "recipes[0]", "exact"
      ),
      (
        "{version: 1, products: [{a: \"x\", b: \"y\", formats: [\"mxfp4\"],"
          + " accumulators: [\"hoper-fp8\"]}]}",
        "products[0].accumulators[0]", "hopper-fp8"
      ),
    ]
    let engine = try makeEngine(target: .baseline)
    for row in table {
      #expect("\(row.text)") {
        _ = try ResolvedPlan(try plan(row.text), catalog: try .standard(), engine: engine)
      } throws: { error in
        guard case SweepError.plan("plans/p.json5", row.field, let problem) = error else {
          return false
        }
        return problem.contains("nearest: \"\(row.nearest)\"")
      }
    }
  }
}

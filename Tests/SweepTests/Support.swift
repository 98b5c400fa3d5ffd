import FormatCatalog
import FoundationEssentials
import Measurement
import NumberFormats
import Sweep
import TensorIO
import Testing

/// A folder of its own for a test, removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "blockscale-sweep-\(UUID().uuidString)").path(percentEncoded: false)
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}

/// Writes a matrix of reproducible numbers between −4 and 4.
func writeMatrix(_ shape: [Int], to path: String, seed: UInt32 = 1) throws {
  var state = seed
  let values = (0..<shape.reduce(1, *)).map { _ -> Float in
    state = state &* 1_664_525 &+ 1_013_904_223
    return Float(Int(state >> 8) - 1 << 23) / Float(1 << 21)
  }
  let writer = try NpyWriter(path: path, dtype: .f32, shape: shape)
  try values.withUnsafeBufferPointer { try writer.append($0) }
  try writer.finish()
}

/// The work of a plan, and what measures it.
func workList(_ plan: SweepPlan) throws -> (list: WorkList, experiment: MatmulExperiment) {
  let engine = try makeEngine(target: .auto)
  let resolved = try ResolvedPlan(plan, catalog: try FormatCatalog.standard(), engine: engine)
  let experiment = MatmulExperiment(
    quantizer: engine, engine: try makeMatmulEngine(target: .auto), parallel: Parallel(threads: 1),
    catalog: resolved.catalog)
  return (try WorkList(resolved, experiment: experiment), experiment)
}

/// Some matrices of very different sizes in a folder, and a plan over them.
func unequalPlan(_ folder: String) throws -> SweepPlan {
  var plan = SweepPlan()
  for (index, rows) in [1, 300, 7, 40, 2].enumerated() {
    let path = "\(folder)/\(index).npy"
    try writeMatrix([rows, 96], to: path, seed: UInt32(index + 1))
    plan.weights.append(path)
  }
  plan.formats = ["nvfp4", "mxfp4", "nf4"]
  plan.blocks = [.line(8), .line(16), .line(32), .axis]
  return plan
}

/// Two square matrices that meet another, one of them both ways round.
func productPlan(_ folder: String) throws -> SweepPlan {
  for (seed, name) in ["a", "c", "b"].enumerated() {
    try writeMatrix([64, 64], to: "\(folder)/\(name).npy", seed: UInt32(seed + 1))
  }
  var plan = SweepPlan()
  for (name, transposesB) in [("a", false), ("a", true), ("c", true)] {
    plan.products.append(
      ProductPlan(
        a: "\(folder)/\(name).npy", b: "\(folder)/b.npy", transposesB: transposesB))
  }
  plan.formats = ["mxfp8_e4m3", "mxfp4"]
  plan.blocks = [.line(16), .line(32)]
  plan.accumulators = ["exact", "fp32-sequential"]
  return plan
}

/// A row that differs from others in its key alone.
func row(
  _ key: String, nmse: Double? = 0.25, report: String = "{\"mse\": 0.5}"
) throws -> StoredResult {
  let fields: [String: String] = [
    "key": "\"\(key)\"", "kind": "\"tensor\"", "tensor": "\"w\"", "tensor_hash": "\"h\"",
    "shape": "\"[2]\"", "count": "2", "format": "\"f\"", "format_hash": "\"fh\"",
    "block": "\"16\"", "block_size": "16", "axis": "-1", "recipe": "\"exact\"",
    "recipe_hash": "\"rh\"", "rounding": "\"tiesToEven\"", "tensor_scale": "\"auto\"",
    "as_dtype": "\"fp32\"", "transform": "\"none\"", "tool_version": "\"0\"",
    "nmse": nmse.map { "\($0)" } ?? "null", "report": "\"\"",
  ]
  let text = "{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ",") + "}"
  var result = try JSONDecoder().decode(StoredResult.self, from: Data(text.utf8))
  result.report = report
  return result
}

import Foundation
import Reporting
import ScalingLaws
import Sweep
import Testing

/// A tensor's record, as a store would have it.
func tensorRecord(
  _ name: String, role: String, count: Int, crest: Double? = nil, hash: String? = nil
) throws -> TensorRecord {
  var fields: [String: Any] = [
    "hash": hash ?? "hash of \(name)", "file": "model.safetensors", "name": name, "role": role,
    "shape": "[1, \(count)]", "dtype": "F32", "count": count, "max_abs": 1.0,
  ]
  if let crest { fields["crest_quantiles"] = "{\"0.5\": \(crest)}" }
  return try JSONDecoder().decode(
    TensorRecord.self, from: JSONSerialization.data(withJSONObject: fields))
}

/// A tensor's result whose blocks all have one scale code.
func result(
  _ tensor: String, _ format: String, block: Int, nmse: Double?, count: Int = 1024,
  method: String = "exact"
) -> PageResult {
  var result = PageResult(
    tensor: tensor, format: format, block: "\(block)", blockSize: block, method: method,
    count: count, bitsPerElement: 4 + 8 / Double(block), nmse: nmse)
  result.scales = ["120": count / block]
  return result
}

/// Results of one layer, its weight and its input erring alike by half of `error`.
func layer(
  _ formats: [(name: String, error: (Double) -> Double)], blocks: [Int] = [4, 8, 16, 32, 64, 128]
) throws -> SweepResults {
  let results = formats.flatMap { format in
    blocks.flatMap { block in
      ["l.weight", "l.input"].map {
        result($0, format.name, block: block, nmse: format.error(Double(block)) / 2)
      }
    }
  }
  return SweepResults(
    results: results,
    tensors: [
      try tensorRecord("l.weight", role: "weight", count: 1024),
      try tensorRecord("l.input", role: "activation", count: 1024),
    ])
}

/// δ = 0.1·e^(Q_r − 1)·N^−0.5, N in 1e9, with a little noise so that intervals are not empty.
func lossLaw() throws -> LossLaw {
  var points: [(n: Double, ratio: Double)] = []
  for n in [0.5, 1, 4, 16, 64] {
    for ratio in [0.5, 0.75, 1] { points.append((n, ratio)) }
  }
  let deltas = points.enumerated().map { index, point in
    0.1 * exp(point.ratio - 1 + (index % 2 == 0 ? 0.01 : -0.01)) / point.n.squareRoot()
  }
  return try LossLaw(
    LawData(
      columns: [
        ("n", points.map { $0.n * 1e9 }), ("q_r", points.map(\.ratio)), ("delta", deltas),
      ], file: "loss"))
}

func pageRequest(
  budget: Double = 0.02, sizes: [Double] = [1e9, 16e9], loss: LossLaw?,
  reference: String = "ref"
) -> PageRequest {
  PageRequest(
    loss: loss, lossFormat: reference, lossBlock: "32", budget: budget, sizes: sizes)
}

import FastPath
import NumberFormats
import Reference
import Testing

private func text(_ pattern: Int64, _ type: MatmulOutputType) -> String {
  let bits = UInt64(bitPattern: pattern) & (type == .int64 ? .max : 0xffff_ffff)
  return "0x\(String(bits, radix: 16)) 0b\(String(bits, radix: 2))"
}

private struct MatmulOutcome: Equatable {
  var output: [Int64]
  var error: MatmulError?

  init(_ engine: any MatmulEngine, _ problem: MatmulProblem) {
    do {
      output = try engine.multiply(problem)
      error = nil
    } catch {
      output = []
      self.error = error
    }
  }
}

/// Compares every target of this machine with the reference, and records the first difference.
func compareMatmul(_ problem: MatmulProblem, _ label: String) throws {
  let expected = MatmulOutcome(MPFREngine(), problem)
  for target in VectorTarget.available {
    let observed = MatmulOutcome(try VectorEngine(target: target), problem)
    guard observed != expected else { continue }
    let place = "\(problem.accumulator.name) \(target) \(label)"
    guard expected.error == nil, observed.error == nil else {
      Issue.record(
        "\(place): expected \(expected.error.map(\.description) ?? "a product"), observed \(observed.error.map(\.description) ?? "a product")"
      )
      return
    }
    for index in expected.output.indices where expected.output[index] != observed.output[index] {
      let (row, column) = (index / problem.columns, index % problem.columns)
      Issue.record(
        "\(place): row \(row), column \(column), c \(text(problem.c?[index] ?? 0, problem.outputType)): expected \(text(expected.output[index], problem.outputType)), observed \(text(observed.output[index], problem.outputType))"
      )
      return
    }
  }
}

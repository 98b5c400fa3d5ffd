import FastPath
import FormatCatalog
import Measurement
import NumberFormats
import Reference

/// A matmul on which the vectorised engine is compared with the reference.
struct MatmulComparison: Sendable {
  let reference: any MatmulEngine
  let engines: [any MatmulEngine]

  /// D of every engine against the reference's; a refusal must be the same refusal.
  func compare(_ problem: MatmulProblem, name: String) -> [VerificationReport] {
    let expected = Result { () throws(MatmulError) in try reference.multiply(problem) }
    return engines.map { engine in
      var report = VerificationReport(check: name, target: engine.name)
      let observed = Result { () throws(MatmulError) in try engine.multiply(problem) }
      switch (expected, observed) {
      case (.success(let expected), .success(let observed)):
        report.compared = expected.count
        for (index, pair) in zip(expected, observed).enumerated() where pair.0 != pair.1 {
          report.add(mismatch(index, pair.0, pair.1, problem))
        }
      case (.failure(let expected), .failure(let observed)):
        report.compared = 1
        if expected != observed { report.add(refusal(name, 1, 2)) }
      case (.failure, .success): report.add(refusal(name, 1, 0))
      case (.success, .failure): report.add(refusal(name, 0, 1))
      }
      return report
    }
  }

  private func mismatch(
    _ index: Int, _ expected: Int64, _ observed: Int64, _ problem: MatmulProblem
  ) -> Mismatch {
    let row = index / max(1, problem.columns)
    let c = problem.c.map { UInt32(truncatingIfNeeded: $0[index]) } ?? 0
    return Mismatch(
      position: index, input: c, inputBits: 32, expected: UInt32(truncatingIfNeeded: expected),
      observed: UInt32(truncatingIfNeeded: observed), resultBits: 32,
      what: "\(problem.a.element.name) x \(problem.b.element.name), k = \(problem.depth), row"
        + " \(row), column \(index - row * problem.columns), c as input;")
  }

  private func refusal(_ name: String, _ expected: UInt32, _ observed: UInt32) -> Mismatch {
    Mismatch(
      position: 0, input: 0, inputBits: 1, expected: expected, observed: observed, resultBits: 2,
      what: "error")
  }
}

extension VerificationPlan {
  /// Every accumulator, on the elements and scales it takes.
  func matmulChecks(_ accumulator: Accumulator, _ catalog: FormatCatalog) -> [Check] {
    let pairs = elementPairs(accumulator, catalog)
    // Units that take every element have pairs enough.
    let repeats = level == .nightly ? (pairs.count > 8 ? 2 : 6) : 1
    var checks: [Check] = []
    for (number, pair) in pairs.enumerated() {
      for (turn, kind) in MatmulProblems.Kind.allCases.enumerated() {
        for (place, setting) in settings(accumulator).enumerated() {
          // In seconds a fifth of them, each kind and setting as often; all of a unit's only pair.
          guard level == .nightly || pairs.count == 1 || (number + turn + 2 * place) % 5 == 0 else {
            continue
          }
          checks.append(
            matmulCheck(
              accumulator, pair, kind, setting, scale: scale(accumulator, place, catalog),
              seed: UInt64(10_000 * number + 100 * turn + place), repeats: repeats))
        }
      }
    }
    return checks
  }

  private func matmulCheck(
    _ accumulator: Accumulator, _ pair: (a: ElementFormat, b: ElementFormat),
    _ kind: MatmulProblems.Kind, _ setting: MatmulProblems.Setting, scale: ScaleFormat?,
    seed: UInt64, repeats: Int
  ) -> Check {
    let comparison = matmuls
    return Check(size: repeats * setting.rows * setting.columns) {
      (0..<repeats).flatMap { turn in
        let problem = MatmulProblems.make(
          kind, setting, accumulator: accumulator, elements: pair, scale: scale,
          seed: seed + UInt64(1_000_000 * turn))
        return comparison.compare(problem, name: "matmul \(accumulator.name)")
      }.merged()
    }
  }

  private func elementPairs(
    _ accumulator: Accumulator, _ catalog: FormatCatalog
  ) -> [(a: ElementFormat, b: ElementFormat)] {
    let taken = catalog.elements.filter { accumulator.takes($0) }
    let same = taken.map { (a: $0, b: $0) }
    guard case .any = accumulator.operands else {
      return same + zip(taken, taken.dropFirst()).map { (a: $0, b: $1) }
    }
    let mixed = [("e4m3", "int4"), ("bf16", "e2m1"), ("fp16", "int8"), ("e5m2", "nf4")]
    return same + [(a: .float32, b: .float32)]
      + mixed.compactMap { first, second in
        guard let a = catalog.element(first), let b = catalog.element(second) else { return nil }
        return (a: a, b: b)
      }
  }

  private func settings(_ accumulator: Accumulator) -> [MatmulProblems.Setting] {
    var plain = [
      MatmulProblems.Setting(rows: 5, columns: 19, depth: 64),
      MatmulProblems.Setting(rows: 3, columns: 9, depth: 1),
      MatmulProblems.Setting(rows: 2, columns: 33, depth: 37),
      MatmulProblems.Setting(rows: 2, columns: 3, depth: 0),
      MatmulProblems.Setting(rows: 3, columns: 17, depth: 300),
    ]
    plain += [
      MatmulProblems.Setting(rows: 4, columns: 18, depth: 128, blockA: 16, blockB: 16),
      MatmulProblems.Setting(
        rows: 3, columns: 17, depth: 96, blockA: 32, blockB: 32, tensorScales: true),
      MatmulProblems.Setting(rows: 3, columns: 16, depth: 70, blockA: 17, blockB: 24),
      MatmulProblems.Setting(rows: 2, columns: 9, depth: 40, blockA: 1, blockB: 3),
      MatmulProblems.Setting(rows: 6, columns: 18, depth: 2, blockA: 16, blockB: 16),
      MatmulProblems.Setting(rows: 3, columns: 20, depth: 160, blockA: nil, blockB: 32),
      MatmulProblems.Setting(
        rows: 4, columns: 16, depth: 128, blockA: 32, blockB: 16, scaleSpread: 60),
    ]
    return plain
  }

  private func scale(
    _ accumulator: Accumulator, _ place: Int, _ catalog: FormatCatalog
  ) -> ScaleFormat? {
    let names =
      accumulator.scales.isEmpty
      ? ["e8m0", "ue4m3", "fp32", "fp16", "bf16", "ue5m3"]
      : accumulator.scales
    return catalog.scale(names[place % names.count])
  }
}

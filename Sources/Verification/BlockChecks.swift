import Measurement
import NumberFormats

/// A tensor's shape and how it is cut, for a check.
private struct CheckShape: Sendable {
  var shape: [Int]
  var axis: Int
  var block: BlockShape

  /// Odd lengths, tails, other axes, tiles, whole lines and tensors.
  static let all: [CheckShape] = [
    CheckShape(shape: [6, 96], axis: -1, block: .line(16)),
    CheckShape(shape: [3, 160], axis: -1, block: .line(32)),
    CheckShape(shape: [5, 67], axis: -1, block: .line(17)),
    CheckShape(shape: [4, 100], axis: -1, block: .line(24)),
    CheckShape(shape: [2, 9], axis: -1, block: .line(1)),
    CheckShape(shape: [37, 6], axis: 0, block: .line(8)),
    CheckShape(shape: [3, 10, 5], axis: 1, block: .line(4)),
    CheckShape(shape: [35, 40], axis: -1, block: .tile(rows: 16, columns: 16)),
    CheckShape(shape: [9, 70], axis: -1, block: .tile(rows: 4, columns: 33)),
    CheckShape(shape: [4, 50], axis: -1, block: .axis),
    CheckShape(shape: [20, 3], axis: 0, block: .axis),
    CheckShape(shape: [7, 31], axis: -1, block: .tensor),
    CheckShape(shape: [260], axis: -1, block: .line(256)),
    CheckShape(shape: [2, 5000], axis: -1, block: .line(4500)),
  ]

  /// A few whole blocks of the format's own.
  static func own(of format: BlockFormat) -> [CheckShape] {
    switch format.block {
    case .line(let size):
      return [CheckShape(shape: [4, size * 12], axis: -1, block: format.block)]
    case .tile(let rows, let columns):
      return [CheckShape(shape: [rows * 2, columns * 3], axis: -1, block: format.block)]
    case .axis, .tensor: return [CheckShape(shape: [6, 96], axis: -1, block: format.block)]
    }
  }
}

extension VerificationPlan {
  func blockChecks(_ format: BlockFormat, _ recipe: Recipe) -> [Check] {
    // The alternatives of the scale rule share all else with the first, which sees every shape.
    let takesAll = recipe.steps == .exact(.floor) || (recipe.isExact && level == .nightly)
    let shapes = CheckShape.own(of: format) + (takesAll ? CheckShape.all : [])
    let repeats = level == .nightly ? 8 : 1
    var checks: [Check] = []
    for (number, shape) in shapes.enumerated() {
      guard
        let grid = try? BlockGrid(shape: shape.shape, axis: shape.axis, block: shape.block)
      else { continue }
      for (turn, filling) in VerificationInputs.Filling.allCases.enumerated() {
        for (choice, spec) in specs(format, recipe, isFirst: number == 0).enumerated() {
          // Elsewhere every combination; in seconds, a seventh of them, each filling as often.
          let isTaken = level == .nightly || (turn + choice + 3 * number) % 7 == 0
          guard isTaken else { continue }
          checks.append(
            check(grid, spec, filling, seed: UInt64(1000 * number), repeats: repeats))
        }
      }
    }
    return checks
  }

  private func check(
    _ grid: BlockGrid, _ spec: QuantizationSpec, _ filling: VerificationInputs.Filling,
    seed: UInt64, repeats: Int
  ) -> Check {
    let blocks = blocks
    let name = "blocks \(spec.format.name) \(spec.recipe.name)"
    return Check(size: repeats * grid.elementCount) {
      (0..<repeats).flatMap { turn in
        blocks.compare(
          filling.values(grid.elementCount, seed: seed + UInt64(turn)), grid: grid, spec: spec,
          name: name)
      }.merged()
    }
  }

  /// Tensor scales, roundings and input types to try; all of them on the first shape only.
  private func specs(
    _ format: BlockFormat, _ recipe: Recipe, isFirst: Bool
  ) -> [QuantizationSpec] {
    var specs = [QuantizationSpec(format: format, recipe: recipe)]
    guard isFirst else { return specs }
    let scales: [TensorScaleChoice] = [
      .none, .given(0.3), .given(0.25), .given(0x1.8p-130), .given(0x1.23456p120),
    ]
    specs += scales.map { QuantizationSpec(format: format, recipe: recipe, tensorScale: $0) }
    let types: [ComputeType] = recipe.isExact ? [] : [.bf16, .fp16]
    specs += types.map { QuantizationSpec(format: format, recipe: recipe, computeType: $0) }
    let roundings = Rounding.deterministic + [.stochastic(bits: 8), .stochastic(bits: 32)]
    specs += roundings.map { QuantizationSpec(format: format, recipe: recipe, rounding: $0) }
    return specs
  }
}

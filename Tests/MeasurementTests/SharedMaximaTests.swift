import ErrorStatistics
import FormatCatalog
import Measurement
import NumberFormats
import Testing

/// Numbers with zeros, subnormals, NaN and infinities among them, and whole stretches of zeros.
private func specials(_ count: Int) -> [Float] {
  let rare: [Float] = [.nan, .infinity, -.infinity, 0x1p-149, -0x1.8p-130, -0.0, 3e38]
  return sample(count, seed: 9).enumerated().map { index, value in
    if index % 1511 == 7 { return rare[index / 1511 % rare.count] }
    return index / 400 % 13 == 5 ? 0 : value
  }
}

private func reports(
  _ engine: any QuantizationEngine, _ tensor: InputTensor, _ cases: [ErrorCase], threads: Int = 2
) throws -> [ErrorReport] {
  try ErrorExperiment(engine: engine, parallel: Parallel(threads: threads), cases: cases)
    .run([tensor]).results.map(\.report)
}

/// Formats and recipes by blocks.
private func cases(_ blocks: [(axis: Int, block: BlockShape)]) throws -> [ErrorCase] {
  let catalog = try FormatCatalog.standard()
  let ways = [
    ("mxfp4", "exact"), ("nvfp4", "exact"), ("nf4", "exact"), ("mxfp8_e4m3", "torchao-floor"),
    ("mxfp4", "microxcaling-py"),
  ]
  return try blocks.flatMap { block in
    try ways.map { format, recipe in
      ErrorCase(
        spec: QuantizationSpec(
          format: try #require(catalog.block(format)), recipe: try #require(catalog.recipe(recipe))),
        axis: block.axis, block: block.block)
    }
  }
}

private func lines(_ sizes: [Int], axis: Int = -1) -> [(axis: Int, block: BlockShape)] {
  sizes.map { (axis, .line($0)) }
}

@Suite("Maxima that cases share")
struct SharedMaximaTests {
  private static let sizes = [4, 8, 12, 16, 24, 32, 96, 384]
  private static let tiles: [(axis: Int, block: BlockShape)] = [(2, 4), (4, 4), (16, 16), (32, 48)]
    .map { (-1, .tile(rows: $0.0, columns: $0.1)) }

  /// Ragged ends, sizes that do not divide, tiles, tall blocks, several matrices, tensors above a batch.
  static let tensors: [(shape: [Int], blocks: [(axis: Int, block: BlockShape)])] = [
    (
      [303, 1001],
      lines(sizes) + lines([4, 8, 12], axis: 0) + tiles + [(-1, .axis), (0, .axis), (-1, .tensor)]
    ),
    ([3, 41, 70], lines([4, 8, 12]) + lines([4, 8, 12], axis: 1) + tiles + [(-1, .tensor)]),
    ([1_300_001], lines([16, 24, 32, 96, 384]) + [(-1, .axis)]),
    ([2, 1_200_007], lines([4, 16, 64]) + [(-1, .line(1_100_000))]),
    ([1101, 1200], lines([8, 16, 96]) + tiles + [(0, .axis), (-1, .tensor)]),
  ]

  @Test("Cases measured together have the digits of cases alone", arguments: tensors.indices)
  func together(index: Int) throws {
    try withFolder { folder in
      let (shape, blocks) = Self.tensors[index]
      let tensor = try input(specials(shape.reduce(1, *)), shape, in: folder)
      let all = try cases(blocks)
      let engine = try MaximaEngine()
      let shared = try reports(engine, tensor, all)
      #expect(engine.calls.given > engine.calls.all / 2)
      let lone = try MaximaEngine()
      for (how, together) in zip(all, shared) {
        let alone = try reports(lone, tensor, [how])
        #expect(
          alone == [together],
          "\(shape) \(how.spec.format.name) \(how.block) on \(how.axis) \(how.spec.recipe.name)")
      }
      #expect(lone.calls.given == 0, "alone, a kernel finds them itself")
    }
  }

  @Test("The digits are the reference's")
  func reference() throws {
    try withFolder { folder in
      let tensor = try input(specials(33 * 101), [33, 101], in: folder)
      let all = try cases(lines(Self.sizes) + Self.tiles + [(0, .line(8)), (-1, .tensor)])
      let shared = try reports(makeEngine(target: .auto), tensor, all)
      let expected = try reports(makeReferenceEngine(), tensor, all)
      for (how, (observed, expected)) in zip(all, zip(shared, expected)) {
        #expect(
          observed == expected, "\(how.spec.format.name) \(how.block) \(how.spec.recipe.name)")
      }
    }
  }

  @Test("Rotated numbers have maxima of their own")
  func rotations() throws {
    try withFolder { folder in
      let tensor = try input(sample(40 * 96), [40, 96], in: folder)
      var all = try cases(lines([8, 16]))
      for size in [8, 32] {
        let rotation = try #require(HadamardRotation(size: size))
        all += try cases(lines([8, 16])).map {
          ErrorCase(spec: $0.spec, axis: $0.axis, block: $0.block, rotation: rotation)
        }
      }
      let engine = try MaximaEngine()
      let shared = try reports(engine, tensor, all, threads: 1)
      #expect(engine.calls.given == all.count)
      for (how, together) in zip(all, shared) {
        #expect(try reports(engine, tensor, [how]) == [together], "\(how.block) \(how.transform)")
      }
    }
  }
}

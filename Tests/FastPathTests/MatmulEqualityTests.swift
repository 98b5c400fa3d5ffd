import FastPath
import FormatCatalog
import NumberFormats
import Testing

/// Element pairs that a row takes; of rows that take everything, pairs of every kind.
func elementPairs(_ accumulator: Accumulator) -> [(String, String)] {
  switch accumulator.operands {
  case .any:
    return [
      ("e2m1", "e2m1"), ("e4m3", "e5m2"), ("int8", "e4m3"), ("nf4", "bf16"), ("fp32", "fp32"),
      ("e0m7", "fp16"), ("e5m2", "e5m2"), ("tf32", "int4"),
    ]
  case .integers:
    return [
      ("int8", "int8"), ("int8_full", "int4"), ("mxint8", "e0m7"), ("int2", "int8_full"),
      ("mxint4", "mxint4"),
    ]
  case .named(let names):
    return names.flatMap { a in names.map { (a, $0) } }
  }
}

/// Pairs of scales to try: none, one side, both.
func scalePairs(_ accumulator: Accumulator) -> [(String?, String?)] {
  let scales = accumulator.scales.isEmpty ? ["e8m0", "ue4m3", "fp32"] : accumulator.scales
  return [(nil, nil), (scales[0], nil), (nil, scales[scales.count - 1])]
    + scales.flatMap { a in scales.map { (a, $0) } }
}

func matmulElement(_ name: String) throws -> ElementFormat {
  name == "fp32" ? .float32 : try #require(catalog.element(name))
}

func makers(_ accumulator: Accumulator) throws -> [MatmulMaker] {
  var result: [MatmulMaker] = []
  let pairs = elementPairs(accumulator)
  for (index, pair) in pairs.enumerated() {
    let scales = scalePairs(accumulator)
    for (at, scale) in scales.enumerated() where pairs.count < 5 || (at + index) % 3 == 0 {
      let formats = MatmulFormats(
        a: try matmulElement(pair.0), b: try matmulElement(pair.1),
        scaleA: try scale.0.map { try #require(catalog.scale($0)) },
        scaleB: try scale.1.map { try #require(catalog.scale($0)) })
      result.append(MatmulMaker(accumulator, formats))
    }
  }
  return result
}

/// Every filling, or one in `every`, with some shape, scale range and addend, all of which take
/// turns.
func compareEverything(_ accumulator: Accumulator, seed: UInt64, every: Int = 1) throws {
  let blocks = [1, 3, 16, 17, 24, 32]
  let step = stepLength(accumulator)
  let depths = [1, step - 1, step + 1, 2 * step, 45, 70].filter { $0 >= 0 }
  var turn = Int(seed)
  for maker in try makers(accumulator) {
    for filling in MatmulFilling.allCases {
      turn += 1
      if turn % every != 0 { continue }
      let shape = MatmulShape(
        rows: 2, columns: 17 + turn % 3, depth: depths[turn % depths.count],
        blockA: blocks[turn / 2 % blocks.count], blockB: blocks[turn / 3 % blocks.count])
      let scales = MatmulScales.allCases[turn / 5 % 2]
      let addend = MatmulAddend.allCases[turn % MatmulAddend.allCases.count]
      let problem = maker.problem(
        shape, filling, scales: scales, addend: addend, tensorScales: turn % 4 == 0,
        seed: UInt64(turn) &+ seed)
      let names = [
        maker.formats.a.name, maker.formats.b.name, maker.formats.scaleA?.name ?? "-",
        maker.formats.scaleB?.name ?? "-",
      ]
      try compareMatmul(problem, "\(names) \(shape) \(filling) \(scales) \(addend) turn \(turn)")
    }
  }
}

func stepLength(_ accumulator: Accumulator) -> Int {
  switch accumulator.datapath {
  case .fused(let step): step.terms
  case .float32(let steps): steps.step ?? 33
  case .integer(let register): register.step ?? 33
  case .fixed(let register): register.terms
  case .exact: 33
  }
}

@Suite("Matmul: fast path equals reference")
struct MatmulEqualityTests {
  @Test("Every preset, seeded data", arguments: catalog.accumulators.map(\.name))
  func presets(name: String) throws {
    let accumulator = try #require(catalog.accumulator(name))
    try compareEverything(accumulator, seed: 1)
  }
}

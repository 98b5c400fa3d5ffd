import FastPath
import NumberFormats
import Reference
import Testing

/// The codes, scales and counts of one quantisation, or its error.
struct Outcome: Equatable {
  var codes: [UInt8] = []
  var scales: [UInt32] = []
  var clamped = 0
  var error: QuantizeError?
  var tensorScale = TensorScale.one
  var dequantized: [UInt32] = []
}

func outcome(
  _ engine: any QuantizationEngine, _ values: [Float], _ grid: BlockGrid, _ spec: QuantizationSpec,
  maxima: [UInt32]? = nil
) -> Outcome {
  var result = Outcome()
  let amax = values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
  result.codes = [UInt8](repeating: 0xee, count: values.count * spec.format.element.codeBytes)
  result.scales = [UInt32](repeating: 0xeeee_eeee, count: grid.blockCount)
  do {
    let scale = try engine.tensorScale(amax: amax, spec: spec)
    result.tensorScale = scale
    let count = try quantize(engine, values, grid, spec, scale, maxima, &result)
    result.clamped = count.clampedScales
    result.dequantized = dequantize(engine, grid, spec, result)
  } catch {
    result = Outcome(error: error as? QuantizeError)
  }
  return result
}

private func quantize(
  _ engine: any QuantizationEngine, _ values: [Float], _ grid: BlockGrid, _ spec: QuantizationSpec,
  _ scale: TensorScale, _ maxima: [UInt32]?, _ result: inout Outcome
) throws -> QuantizeCounts {
  try values.withUnsafeBufferPointer { values in
    try result.codes.withUnsafeMutableBytes { codes in
      try result.scales.withUnsafeMutableBufferPointer { scales in
        guard let maxima else {
          return try engine.quantize(
            values, grid: grid, spec: spec, tensorScale: scale, firstElement: 0,
            scalesGiven: false, codes: codes, scales: scales)
        }
        return try maxima.withUnsafeBufferPointer {
          try engine.quantize(
            values, grid: grid, spec: spec, tensorScale: scale, firstElement: 0,
            scalesGiven: false, maxima: $0, codes: codes, scales: scales)
        }
      }
    }
  }
}

private func dequantize(
  _ engine: any QuantizationEngine, _ grid: BlockGrid, _ spec: QuantizationSpec, _ result: Outcome
) -> [UInt32] {
  var output = [Float](repeating: 0, count: grid.elementCount)
  result.codes.withUnsafeBytes { codes in
    result.scales.withUnsafeBufferPointer { scales in
      output.withUnsafeMutableBufferPointer {
        engine.dequantize(
          codes: codes, scales: scales, grid: grid, spec: spec, tensorScale: result.tensorScale,
          into: $0)
      }
    }
  }
  return output.map { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern }
}

/// Records the first difference, in the words of a verification engineer.
func compare(
  _ observed: Outcome, _ expected: Outcome, _ values: [Float], _ grid: BlockGrid,
  _ spec: QuantizationSpec, _ place: String
) {
  guard observed != expected else { return }
  if observed.error != expected.error || observed.tensorScale != expected.tensorScale {
    Issue.record(
      "\(place): expected \(String(describing: expected.error)) T=\(expected.tensorScale), observed \(String(describing: observed.error)) T=\(observed.tensorScale)"
    )
    return
  }
  for block in expected.scales.indices where expected.scales[block] != observed.scales[block] {
    let members = values.indices.filter { grid.blockIndex(ofElement: $0) == block }
    let amax = members.map { abs(values[$0]) }.max() ?? 0
    Issue.record(
      "\(place): scale of block \(block), amax \(described(amax)), T \(described(expected.tensorScale.decode)): expected \(hex(expected.scales[block])), observed \(hex(observed.scales[block]))"
    )
    return
  }
  let bytes = spec.format.element.codeBytes
  for index in values.indices
  where code(expected.codes, index, bytes) != code(observed.codes, index, bytes) {
    let scale = expected.scales[grid.blockIndex(ofElement: index)]
    Issue.record(
      "\(place): element \(index) = \(described(values[index])), scale \(hex(scale)), T \(described(expected.tensorScale.decode)): expected \(hex(code(expected.codes, index, bytes))), observed \(hex(code(observed.codes, index, bytes)))"
    )
    return
  }
  for index in values.indices where expected.dequantized[index] != observed.dequantized[index] {
    let scale = expected.scales[grid.blockIndex(ofElement: index)]
    Issue.record(
      "\(place): dequantised element \(index), code \(hex(code(expected.codes, index, bytes))), scale \(hex(scale)), T \(described(expected.tensorScale.decode)): expected \(hex(expected.dequantized[index])), observed \(hex(observed.dequantized[index]))"
    )
    return
  }
  Issue.record(
    "\(place): clamped scales expected \(expected.clamped), observed \(observed.clamped)")
}

@Suite("Blocks: fast path equals reference")
struct BlockEqualityTests {
  static let shapes: [(shape: [Int], axis: Int, block: BlockShape)] = [
    ([6, 96], -1, .line(16)), ([3, 160], -1, .line(32)), ([5, 67], -1, .line(17)),
    ([4, 100], -1, .line(24)), ([3, 41], -1, .line(7)), ([2, 9], -1, .line(1)),
    ([37, 6], 0, .line(8)), ([3, 10, 5], 1, .line(4)),
    ([35, 40], -1, .tile(rows: 16, columns: 16)),
    ([9, 70], -1, .tile(rows: 4, columns: 33)), ([4, 50], -1, .axis), ([20, 3], 0, .axis),
    ([7, 31], -1, .tensor), ([260], -1, .line(256)), ([2, 5000], -1, .line(4500)),
    ([2, 3001], -1, .axis),
  ]

  @Test(
    "Exact recipes on every format, block shape and filling",
    arguments: catalog.blocks.map(\.name))
  func exactRecipes(name: String) throws {
    let format = try #require(catalog.block(name))
    for (number, shape) in Self.shapes.enumerated() {
      let grid = try BlockGrid(shape: shape.shape, axis: shape.axis, block: shape.block)
      for filling in Filling.allCases {
        let values = filling.values(grid.elementCount, seed: UInt64(number))
        try check(format, grid, values, "\(name) \(shape) \(filling)")
      }
    }
  }

  private func check(
    _ format: BlockFormat, _ grid: BlockGrid, _ values: [Float], _ place: String
  ) throws {
    var choices: [TensorScaleChoice] = [.auto]
    if grid.elementCount < 700 {
      choices += [.none, .given(0.3), .given(0.25), .given(0x1.8p-130), .given(0x1.23456p120)]
    }
    for choice in choices {
      for recipe in catalog.recipes where recipe.isExact {
        if recipe.name != "exact", !format.scale.isPowerOfTwo { continue }
        let spec = QuantizationSpec(format: format, recipe: recipe, tensorScale: choice)
        let expected = outcome(MPFREngine(), values, grid, spec)
        for target in VectorTarget.available {
          let observed = outcome(try VectorEngine(target: target), values, grid, spec)
          compare(
            observed, expected, values, grid, spec, "\(place) \(recipe.name) \(choice) \(target)")
        }
      }
    }
  }

  @Test("Every rounding on every format", arguments: catalog.blocks.map(\.name))
  func roundings(name: String) throws {
    let format = try #require(catalog.block(name))
    let exact = try #require(catalog.recipe("exact"))
    let grid = try BlockGrid(shape: [6, 200], axis: -1, block: .line(16))
    let roundings =
      Rounding.deterministic + [
        .stochastic(bits: 1), .stochastic(bits: 8), .stochastic(bits: 31), .stochastic(bits: 32),
      ]
    for filling in Filling.allCases {
      let values = filling.values(grid.elementCount, seed: 77)
      for rounding in roundings {
        for choice in [TensorScaleChoice.auto, .given(0.3), .given(0.25)] {
          let spec = QuantizationSpec(
            format: format, recipe: exact, rounding: rounding, tensorScale: choice)
          let expected = outcome(MPFREngine(), values, grid, spec)
          for target in VectorTarget.available {
            let observed = outcome(try VectorEngine(target: target), values, grid, spec)
            compare(
              observed, expected, values, grid, spec,
              "\(name) \(filling) \(rounding) \(choice) \(target)")
          }
        }
      }
    }
  }
}

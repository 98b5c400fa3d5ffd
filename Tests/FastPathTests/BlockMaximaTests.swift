import FastPath
import NumberFormats
import Reference
import Testing

/// The bits of each block's largest |x|, number by number.
private func maxima(_ values: [Float], _ grid: BlockGrid) -> [UInt32] {
  var result = [UInt32](repeating: 0, count: grid.blockCount)
  for (index, value) in values.enumerated() {
    let block = grid.blockIndex(ofElement: index)
    result[block] = max(result[block], value.bitPattern & 0x7FFF_FFFF)
  }
  return result
}

private func filled(_ count: Int, _ body: (UnsafeMutableBufferPointer<UInt32>) -> Void) -> [UInt32]
{
  [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
    buffer.initialize(repeating: 0xEEEE_EEEE)
    body(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
    initialized = count
  }
}

private func found(_ values: [Float], _ grid: BlockGrid, _ target: VectorTarget) -> [UInt32] {
  filled(grid.blockCount) { output in
    values.withUnsafeBufferPointer {
      findBlockMaxima($0, grid: grid, target: target, into: output)
    }
  }
}

private func folded(
  _ smaller: [UInt32], _ small: BlockGrid, _ grid: BlockGrid, _ target: VectorTarget
) -> [UInt32] {
  filled(grid.blockCount) { output in
    smaller.withUnsafeBufferPointer {
      foldBlockMaxima(
        $0, rows: small.tileRows, columns: small.tileColumns, into: grid, target: target,
        maxima: output)
    }
  }
}

@Suite("Block maxima")
struct BlockMaximaTests {
  static let shapes = [
    [6, 384], [7, 1000], [35, 50], [3, 10, 21], [2, 9, 16, 8], [5003], [4, 1], [1],
  ]

  /// Every block that a shape takes, on each axis.
  static func grids(_ shape: [Int]) -> [BlockGrid] {
    let sizes = [1, 2, 3, 4, 8, 12, 16, 24, 32, 96, 384, 1000]
    var blocks: [BlockShape] = sizes.map { .line($0) } + [.axis, .tensor]
    for (rows, columns) in [(2, 2), (4, 4), (2, 8), (16, 16), (16, 4), (3, 12), (32, 48), (99, 5)] {
      blocks.append(.tile(rows: rows, columns: columns))
    }
    return blocks.flatMap { block in
      shape.indices.compactMap { try? BlockGrid(shape: shape, axis: $0, block: block) }
    }
  }

  @Test("Maxima are those found number by number, and folded ones the same", arguments: shapes)
  func folding(shape: [Int]) {
    let grids = Self.grids(shape)
    var pairs = 0
    for filling in [Filling.normal, .specials, .subnormal, .huge] {
      let values = filling.values(shape.reduce(1, *), seed: 3)
      let known = grids.map { (grid: $0, maxima: maxima(values, $0)) }
      for target in VectorTarget.available {
        for (grid, expected) in known {
          #expect(found(values, grid, target) == expected, "\(shape) \(grid.block) \(target)")
        }
        for (larger, expected) in known {
          for (small, smaller) in known where larger.isMade(of: small) {
            pairs += 1
            let observed = folded(smaller, small, larger, target)
            #expect(
              observed == expected,
              "\(shape) \(larger.block) on \(larger.axis) of \(small.block) on \(small.axis) \(target)"
            )
          }
        }
      }
    }
    #expect(pairs >= grids.count)
  }

  @Test("Blocks are made of smaller ones exactly where each lies within one", arguments: shapes)
  func divisibility(shape: [Int]) {
    let grids = Self.grids(shape)
    for larger in grids {
      for small in grids {
        var owner = [Int?](repeating: nil, count: small.blockCount)
        var lies = true
        for element in 0..<larger.elementCount where lies {
          let (inner, outer) = (
            small.blockIndex(ofElement: element), larger.blockIndex(ofElement: element)
          )
          lies = owner[inner].map { $0 == outer } ?? true
          owner[inner] = outer
        }
        let place = "\(shape) \(larger.block) on \(larger.axis) of \(small.block) on \(small.axis)"
        // One that could be and is not only costs time.
        if larger.isMade(of: small) { #expect(lies, "\(place)") }
        if lies, shape.count == 2, larger.axis == small.axis, small.block != .tensor {
          #expect(larger.isMade(of: small), "\(place)")
        }
      }
    }
  }

  @Test("Results are the reference's where maxima are given")
  func equality() throws {
    let names = ["exact", "exact-even", "torchao-floor", "microxcaling-py", "ct-mx", "ggml-mxfp4"]
    for shape in BlockEqualityTests.shapes + [([5, 100], -1, .line(32)), ([70, 3], 0, .line(32))] {
      let grid = try BlockGrid(shape: shape.shape, axis: shape.axis, block: shape.block)
      for filling in Filling.allCases {
        let values = filling.values(grid.elementCount, seed: 4)
        let known = maxima(values, grid)
        for (formatName, recipeName) in [("nvfp4", "exact"), ("nf4", "exact"), ("int4", "exact")]
          + names.map({ ("mxfp4", $0) })
        {
          let spec = QuantizationSpec(
            format: try #require(catalog.block(formatName)),
            recipe: try #require(catalog.recipe(recipeName)))
          let expected = outcome(MPFREngine(), values, grid, spec, maxima: known)
          for target in VectorTarget.available {
            let observed = outcome(
              try VectorEngine(target: target), values, grid, spec, maxima: known)
            compare(
              observed, expected, values, grid, spec,
              "\(shape) \(filling) \(formatName) \(recipeName) \(target)")
          }
        }
      }
    }
  }

  @Test("Scales are made of the maxima that are given, and the reference's of the numbers")
  func taken() throws {
    let grid = try BlockGrid(shape: [5, 200], block: .line(16))
    let values = Filling.normal.values(grid.elementCount, seed: 6)
    let doubled = maxima(values, grid).map { $0 + 0x80_0000 }
    for recipe in ["exact", "torchao-floor"] {
      let spec = QuantizationSpec(
        format: try #require(catalog.block("mxfp4")), recipe: try #require(catalog.recipe(recipe)))
      let plain = outcome(MPFREngine(), values, grid, spec)
      #expect(outcome(MPFREngine(), values, grid, spec, maxima: doubled) == plain)
      for target in VectorTarget.available {
        let observed = outcome(
          try VectorEngine(target: target), values, grid, spec, maxima: doubled)
        #expect(observed.scales == plain.scales.map { $0 + 1 }, "\(recipe) \(target)")
        #expect(observed.codes != plain.codes, "\(recipe) \(target)")
      }
    }
  }
}

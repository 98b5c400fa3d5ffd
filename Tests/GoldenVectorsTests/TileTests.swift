import FoundationEssentials
import GoldenVectors
import NumberFormats
import Testing

@Suite("Tiles")
struct TileTests {
  private func cases(
    _ spec: VectorSpec, _ kind: CaseClass, count: Int = 60
  ) throws -> [(inputs: [UInt64], result: [UInt64])] {
    var made: [(inputs: [UInt64], result: [UInt64])] = []
    try withFolder { folder in
      let manifest = try VectorRequest(spec: spec, classes: [kind], count: count, seed: 5)
        .write(to: folder)
      let inputs = try words(folder, "matmul.inputs.memh", manifest.inputs)
      let results = try words(folder, "matmul.expected.memh", manifest.expected)
      made = zip(inputs, results).map { (inputs: $0, result: $1) }
    }
    return made
  }

  @Test(
    "every output is the chained sum of its row and column",
    arguments: [
      ("nvfp4", 16, "blackwell-fp4", 136), ("mxfp8_e4m3", 32, "hopper-fp8", 72),
      ("mxfp8_e4m3", 24, "blackwell-mx", 70), ("int8", 32, "int8-wrap", 50),
      ("mxint8", 32, "fixed(24,-12,saturate)", 50), ("nf4", 10, "fp32-pairwise", 33),
      ("mxfp4", 32, "exact", 40),
    ])
  func chained(format: String, block: Int, accumulator: String, depth: Int) throws {
    let tile = TileShape(rows: 3, columns: 2, depth: depth)
    let spec = try vectorSpec(
      .matmul, format, block: block, accumulator: accumulator, tile: tile)
    let engine = try VectorEngines.standard().reference
    let blocks = (depth - 1) / block + 1
    var seen = 0
    for item in try cases(spec, .random, count: 40) {
      let problem = spec.problem(item.inputs)
      #expect(problem.a.lines == 3 && problem.b.lines == 2 && problem.depth == depth)
      let c = item.inputs.suffix(6).map { $0 }
      for row in 0..<3 {
        for column in 0..<2 {
          // Cut out of the word by the fields' order alone.
          let a = item.inputs[(row * depth)..<((row + 1) * depth)]
          let b = item.inputs[((3 + column) * depth)..<((4 + column) * depth)]
          let scales = 5 * depth
          let sa = item.inputs[(scales + row * blocks)...].prefix(blocks)
          let sb = item.inputs[(scales + (3 + column) * blocks)...].prefix(blocks)
          var one = MatmulProblem(
            a: MatmulOperand(
              element: spec.quantization.format.element, lines: 1, depth: depth,
              codes: a.map { UInt8($0) }),
            b: MatmulOperand(
              element: spec.quantization.format.element, lines: 1, depth: depth,
              codes: b.map { UInt8($0) }),
            accumulator: spec.accumulator)
          let scale = spec.quantization.format.scale
          one.a.scales = .init(format: scale, block: block, codes: sa.map { UInt32($0) })
          one.b.scales = .init(format: scale, block: block, codes: sb.map { UInt32($0) })
          if spec.hasTensorScale {
            let factors = item.inputs[(scales + 5 * blocks)...].prefix(2).map {
              Float(bitPattern: UInt32($0))
            }
            one.a.tensorScale = factors[0]
            one.b.tensorScale = factors[1]
          }
          let width = spec.expected.fields[0].laneWidth
          let pattern = Int64(bitPattern: c[2 * row + column])
          one.c = [
            one.outputType == .int64 ? (pattern << (64 - width)) >> (64 - width) : pattern
          ]
          let expected: [Int64] = try engine.multiply(one)
          let mask = width == 64 ? UInt64.max : 1 << UInt64(width) - 1
          #expect(
            UInt64(bitPattern: expected[0]) & mask == item.result[2 * row + column],
            "d[\(row), \(column)] of \(item.inputs)")
          seen += 1
        }
      }
    }
    #expect(seen == 240)
  }

  @Test("at least half of the random tiles are informative, and the results differ")
  func informative() throws {
    let spec = try vectorSpec(.matmul, "nvfp4", block: 16, accumulator: "blackwell-fp4")
    let all = try cases(spec, .random, count: 40)
    let results = all.flatMap(\.result)
    let middle = results.filter { $0 & 0x7FFF_FFFF != 0 && $0 & 0x7FFF_FFFF < 0x7F7F_FFFF }
    #expect(2 * middle.count >= results.count)
    #expect(Set(results).count > results.count / 2)
  }

  @Test("the tail of a tile is zero from the same k on in every row and column")
  func tails() throws {
    let spec = try vectorSpec(
      .matmul, "nvfp4", block: 16, tile: TileShape(rows: 2, columns: 3, depth: 24))
    var ends: Set<Int> = []
    for (index, item) in try cases(spec, .tailBlocks).enumerated() {
      let first = 1 + index % 23
      for line in 0..<5 {
        #expect(item.inputs[(line * 24 + first)..<((line + 1) * 24)].allSatisfy { $0 == 0 })
      }
      ends.insert(first)
    }
    #expect(ends.count == 23)
  }

  @Test("a walking element meets one row and one column, and visits every lane")
  func walking() throws {
    let tile = TileShape(rows: 2, columns: 2, depth: 20)
    let spec = try vectorSpec(.matmul, "mxfp4", block: 16, tile: tile)
    var seen: Set<Int> = []
    for item in try cases(spec, .walkingElement, count: 100) {
      let lanes = (0..<80).filter { item.inputs[$0] & 7 != 0 }
      #expect(lanes.count == 2)
      seen.formUnion(lanes)
    }
    #expect(seen.count == 80)
  }

  @Test("a NaN of one row or column spoils no other")
  func specials() throws {
    let tile = TileShape(rows: 3, columns: 3, depth: 9)
    let spec = try vectorSpec(.matmul, "mxfp8_e4m3", block: 8, tile: tile)
    for (kind, minimum) in [(CaseClass.nanInfPerLane, 60), (.nanScales, 60)] {
      for item in try cases(spec, kind, count: minimum) {
        let nan = item.result.filter { $0 & 0x7FFF_FFFF > 0x7F80_0000 }.count
        #expect((1...5).contains(nan), "\(kind): \(nan) of 9 results are NaN")
      }
    }
  }

  @Test("shapes that are none, and blocks that do not run along k, are refused")
  func refusals() throws {
    for text in ["", "4x4", "4x4x", "0x4x4", "4x4x4x4", "axbxc", "-1x2x3"] {
      #expect(TileShape(text) == nil, "\(text)")
    }
    #expect(TileShape("2X3x16") == TileShape(rows: 2, columns: 3, depth: 16))
    for tile in [
      TileShape(rows: 65, columns: 1, depth: 1), TileShape(rows: 64, columns: 64, depth: 513),
      TileShape(rows: 1, columns: 1, depth: .max),
    ] {
      #expect(throws: VectorsError.self) {
        try vectorSpec(.matmul, "nvfp4", block: 16, tile: tile)
      }
    }
    let line = try vectorSpec(.dot, "nvfp4", block: 16)
    #expect(throws: VectorsError.self) {
      try VectorSpec(
        operation: .matmul, quantization: line.quantization, accumulator: line.accumulator,
        block: .tile(rows: 4, columns: 4))
    }
  }
}

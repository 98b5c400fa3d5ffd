import GoldenVectors
import NumberFormats
import Testing

/// What a smoke-size folder must hold, whatever the seed.
@Suite("Coverage at smoke level")
struct CoverageTests {
  /// A folder's numbers, field by field, with the class of each case.
  private struct Cases {
    var manifest: VectorManifest
    var inputs: [[UInt64]]
    var results: [[UInt64]]

    /// Lanes of an input field, case by case.
    func input(_ name: String) -> [ArraySlice<UInt64>] {
      var start = 0
      for field in manifest.inputs.fields {
        if field.name == name { return inputs.map { $0[start..<(start + field.lanes)] } }
        start += field.lanes
      }
      return []
    }

    func of(_ kind: CaseClass) -> Range<Int> { manifest.range(kind) ?? 0..<0 }
  }

  private func smoke(_ spec: VectorSpec, seed: UInt64 = 3) throws -> Cases {
    var made: Cases?
    try withFolder { folder in
      let manifest = try VectorRequest(spec: spec, seed: seed, threads: 2).write(to: folder)
      let name = spec.operation.rawValue
      made = Cases(
        manifest: manifest,
        inputs: try words(folder, "\(name).inputs.memh", manifest.inputs),
        results: try words(folder, "\(name).expected.memh", manifest.expected))
    }
    return try #require(made)
  }

  @Test(
    "every code of either operand and of either scale appears",
    arguments: [
      ("nvfp4", 8, 16), ("mxfp8_e4m3", 32, 256), ("mxint8", 32, 256), ("mxfp8_e5m2", 5, 256),
      ("mxfp6_e3m2", 128, 64),
    ])
  func sumCodes(format: String, block: Int, codes: Int) throws {
    for operation in [VectorOperation.product, .dot, .mma] {
      let cases = try smoke(vectorSpec(operation, format, block: block))
      for side in ["a", "b"] {
        let seen = Set(cases.input(side).joined())
        #expect(seen == Set(0..<UInt64(codes)), "\(operation) \(side): \(seen.count)")
        guard operation != .product else { continue }
        let scales = Set(cases.input("scale_\(side)").joined())
        #expect(scales == Set(0..<256), "\(operation) scale_\(side): \(scales.count)")
      }
    }
  }

  @Test("every code and scale is read and written by the operations on one block")
  func blockCodes() throws {
    for (format, finite, finiteScales) in [
      ("nvfp4", Set<UInt64>(0..<16), Set<UInt64>(1...126)),
      ("mxfp8_e4m3", Set<UInt64>(0..<256).subtracting([0x7F, 0xFF]), Set<UInt64>(10...245)),
    ] {
      let stored = try smoke(vectorSpec(.dequantize, format, block: 16))
      #expect(
        stored.input("codes").joined().reduce(into: Set()) { $0.insert($1) }.count >= finite.count)
      #expect(Set(stored.input("scale").joined()) == Set(0..<256))
      let encoded = try smoke(vectorSpec(.encode, format, block: 16))
      #expect(Set(encoded.results.joined()).isSuperset(of: finite), "encode \(format)")
      let blocks = try smoke(vectorSpec(.quantize, format, block: 16))
      #expect(
        Set(blocks.results.flatMap { $0.dropLast() }).isSuperset(of: finite), "quantize \(format)")
      let scales = try smoke(vectorSpec(.scale, format, block: 16))
      #expect(Set(scales.results.joined()).isSuperset(of: finiteScales), "scale \(format)")
    }
  }

  @Test("NaN and single elements visit every lane of both operands of a long block")
  func lanes() throws {
    let cases = try smoke(vectorSpec(.mma, "mxfp8_e4m3", block: 128))
    for side in ["a", "b"] {
      let field = cases.input(side).map(Array.init)
      var nan: Set<Int> = []
      for index in cases.of(.nanInfPerLane) {
        nan.formUnion((0..<128).filter { field[index][$0] & 0x7F == 0x7F })
      }
      #expect(nan.count == 128, "\(side): NaN in \(nan.count) lanes")
      var alone: Set<Int> = []
      for index in cases.of(.walkingElement) {
        let used = (0..<128).filter { field[index][$0] & 0x7F != 0 }
        #expect(used.count == 1)
        alone.formUnion(used)
      }
      #expect(alone.count == 128, "\(side): \(alone.count) lanes walked")
    }
  }

  @Test("the most negative code fills both operands")
  func extremes() throws {
    let cases = try smoke(vectorSpec(.dot, "mxint8", block: 32))
    let full = zip(cases.input("a"), cases.input("b")).filter { a, b in
      a.allSatisfy { $0 == 0x80 } && b.allSatisfy { $0 == 0x80 }
    }
    #expect(!full.isEmpty)
  }

  @Test("c takes every kind, and its specials meet zeros and numbers")
  func addends() throws {
    for (format, accumulator) in [
      ("nvfp4", "exact"), ("mxfp8_e4m3", "hopper-fp8"), ("mxfp8_e4m3", "hopper-fp8-f16"),
    ] {
      let spec = try vectorSpec(.mma, format, block: 32, accumulator: accumulator)
      let cases = try smoke(spec)
      let top = spec.expected.width - 1
      let mantissa = spec.expected.width == 16 ? 10 : 23
      let infinity = (UInt64(1) << UInt64(top)) - (1 << UInt64(mantissa))
      var kinds: [String: Int] = [:]
      for c in cases.input("c").joined() {
        let size = c & ((1 << UInt64(top)) - 1)
        let kind =
          size == 0
          ? "zero"
          : size < 1 << UInt64(mantissa)
            ? "subnormal" : size < infinity ? "normal" : size == infinity ? "infinity" : "NaN"
        kinds["\(c >> UInt64(top) == 1 ? "-" : "+")\(kind)", default: 0] += 1
      }
      for kind in ["zero", "subnormal", "normal", "infinity", "NaN"] {
        for sign in ["+", "-"] {
          #expect(kinds[sign + kind, default: 0] > 1, "\(accumulator): \(sign)\(kind) \(kinds)")
        }
      }
    }
  }

  @Test("roundings carry into the exponent, and ties are decided far below")
  func carries() throws {
    for (format, block) in [("nvfp4", 16), ("mxfp8_e4m3", 32), ("mxint8", 32)] {
      let cases = try smoke(vectorSpec(.mma, format, block: block))
      let addends = cases.input("c").map { $0.first ?? 0 }
      let carried = cases.of(.roundingCarries).filter { index in
        let (c, d) = (addends[index], cases.results[index][0])
        return c & 0x7F_FFFF == 0x7F_FFFF && d == c + 1
      }
      #expect(carried.count > 1, "\(format): \(carried.count)")
      // The same c beside the same power of two: rounded up, to even, and not at all.
      let steps = Set(
        cases.of(.ties).map { Int64(cases.results[$0][0]) - Int64(addends[$0]) })
      #expect(steps.isSuperset(of: [-1, 0, 1]), "\(format): \(steps.sorted().prefix(9))")
    }
    let dots = try smoke(vectorSpec(.dot, "mxfp8_e4m3", block: 32))
    let powers = dots.of(.roundingCarries).filter { dots.results[$0][0] & 0x7F_FFFF == 0 }
    #expect(powers.count > 20, "\(powers.count)")
  }

  @Test("results meet every place of the subnormal range")
  func subnormals() throws {
    for format in ["mxfp8_e4m3", "mxint8", "mxfp4"] {
      let cases = try smoke(vectorSpec(.mma, format, block: 32))
      var widths: Set<Int> = []
      for index in cases.of(.subnormalOutput) {
        let size = cases.results[index][0] & 0x7FFF_FFFF
        if size <= 1 << 23 { widths.insert(64 - size.leadingZeroBitCount) }
      }
      #expect(widths.isSuperset(of: 0...24), "\(format): \(widths.sorted())")
    }
  }

  @Test(
    "smoke vectors exist for every kind of unit, and random cases tell enough",
    arguments: [
      ("nvfp4", "blackwell-fp4", 16), ("mxfp4", "blackwell-fp4", 32),
      ("mxfp8_e4m3", "hopper-fp8", 32),
      ("mxfp8_e5m2", "hopper-fp8-f16", 32), ("mxfp8_e4m3", "blackwell-mx", 32),
      ("mxfp8_e4m3", "fp32-pairwise", 6), ("int8", "int8-wrap", 32), ("int8_fp16", "exact", 32),
      ("mxint8", "fixed(24,-12,saturate)", 32), ("mxfp8_e4m3", "fixed(40,-12,wrap)", 1),
      ("int4", "exact", 1), ("fp8_1x128", "exact", 128),
    ])
  func units(format: String, accumulator: String, block: Int) throws {
    for operation in [VectorOperation.product, .dot, .mma] {
      let spec = try vectorSpec(operation, format, block: block, accumulator: accumulator)
      let first = try smoke(spec, seed: 8).manifest
      #expect((first.informativeRatioRandom ?? 0) >= 0.5, "\(operation)")
      #expect(first.crossChecked == first.count)
    }
  }
}

import FastPath
import GoldenVectors
import NumberFormats
import Testing

@Suite("Case classes")
struct CaseClassTests {
  /// The inputs and results of one class.
  private func cases(
    _ spec: VectorSpec, _ kind: CaseClass, count: Int = 200
  ) throws -> [(inputs: [UInt64], result: [UInt64])] {
    var made: [(inputs: [UInt64], result: [UInt64])] = []
    try withFolder { folder in
      let manifest = try VectorRequest(
        spec: spec, classes: [kind], count: kind == .exhaustive ? nil : count, seed: 5
      ).write(to: folder)
      #expect(manifest.classes.map(\.name) == [kind.rawValue])
      let name = spec.operation.rawValue
      let inputs = try words(folder, "\(name).inputs.memh", manifest.inputs)
      let results = try words(folder, "\(name).expected.memh", manifest.expected)
      made = zip(inputs, results).map { (inputs: $0, result: $1) }
    }
    return made
  }

  @Test(
    "at least half of the random results are informative",
    arguments: [
      ("nvfp4", "blackwell-fp4", 16), ("nvfp4", "exact", 16), ("mxfp8_e4m3", "blackwell-mx", 32),
      ("mxfp8_e4m3", "exact", 32), ("int8", "exact", 32), ("int8", "int8-wrap", 128),
      ("mxint8", "fixed(24,-12,saturate)", 32),
    ])
  func informative(format: String, accumulator: String, block: Int) throws {
    for operation in [VectorOperation.dot, .mma] {
      let spec = try vectorSpec(operation, format, block: block, accumulator: accumulator)
      let results = try cases(spec, .random, count: 600).map { $0.result[0] }
      let end = UInt64(1) << UInt64(spec.expected.width - 1)
      let telling = results.filter { pattern in
        accumulator.hasPrefix("fixed") || accumulator.hasPrefix("int8") && operation == .mma
          ? pattern != 0 && pattern != end && pattern != end - 1
          : pattern & 0x7FFF_FFFF != 0 && pattern & 0x7FFF_FFFF < 0x7F7F_FFFF
      }
      #expect(2 * telling.count >= results.count, "\(operation): \(telling.count)")
      #expect(Set(results).count > results.count / 3, "\(operation): results repeat")
    }
  }

  @Test("every product of two codes is there, once")
  func exhaustive() throws {
    let all = try cases(vectorSpec(.product, "mxfp4", block: 32), .exhaustive)
    #expect(all.count == 256)
    #expect(Set(all.map(\.inputs)).count == 256)
    // 1.5 · −6 = −9
    let found = all.first { $0.inputs == [0x3, 0xF] }
    #expect(found?.result == [UInt64(Float(-9).bitPattern)])
  }

  @Test("zero blocks give zeros and NaN scales give NaN")
  func zerosAndNaN() throws {
    for format in ["nvfp4", "mxfp8_e4m3"] {
      let spec = try vectorSpec(.dot, format, block: 16)
      for item in try cases(spec, .zeros) { #expect(item.result == [0]) }
      for item in try cases(spec, .nanScales) { #expect(item.result == [0x7FC0_0000]) }
    }
  }

  @Test("a NaN or infinity stands in every lane, of either operand")
  func everyLane() throws {
    let spec = try vectorSpec(.dot, "mxfp8_e5m2", block: 6)
    let special: Set<UInt64> = [0x7C, 0x7D, 0x7E, 0x7F, 0xFC, 0xFD, 0xFE, 0xFF]
    var lanes: Set<Int> = []
    for item in try cases(spec, .nanInfPerLane) {
      let hit = (0..<12).filter { special.contains(item.inputs[$0]) }
      #expect(!hit.isEmpty)
      lanes.formUnion(hit)
    }
    #expect(lanes == Set(0..<12))
  }

  @Test("a walking element leaves the other lanes zero, and visits all")
  func walking() throws {
    let spec = try vectorSpec(.dot, "nvfp4", block: 16)
    var seen: Set<Int> = []
    for item in try cases(spec, .walkingElement) {
      let lanes = (0..<16).filter { item.inputs[$0] & 7 != 0 }
      #expect(lanes.count == 1)
      seen.formUnion(lanes)
    }
    #expect(seen.count == 16)
  }

  @Test("tails are zero from some lane on")
  func tails() throws {
    let spec = try vectorSpec(.dot, "nvfp4", block: 16)
    var ends: Set<Int> = []
    for item in try cases(spec, .tailBlocks) {
      let used = (0..<16).last { item.inputs[$0] != 0 || item.inputs[16 + $0] != 0 } ?? -1
      ends.insert(used)
      #expect(used < 15)
    }
    #expect(ends.count > 10)
  }

  @Test("permuted pairs hold the same terms in another order, and exact sums agree")
  func permuted() throws {
    let all = try cases(vectorSpec(.dot, "nvfp4", block: 16), .permuted)
    for pair in stride(from: 0, to: all.count - 1, by: 2) {
      let terms = [pair, pair + 1].map { place in
        (0..<16).map { [all[place].inputs[$0], all[place].inputs[16 + $0]] }
      }
      #expect(terms[0] != terms[1])
      #expect(
        terms[0].sorted { $0.lexicographicallyPrecedes($1) }
          == terms[1].sorted { $0.lexicographicallyPrecedes($1) })
      #expect(all[pair].result == all[pair + 1].result)
    }
  }

  @Test("cancelling sums reach zero and small numbers")
  func cancellation() throws {
    let all = try cases(
      vectorSpec(.mma, "mxfp8_e4m3", block: 32, accumulator: "exact"), .cancellation)
    let zeros = all.filter { $0.result[0] & 0x7FFF_FFFF == 0 }
    #expect(zeros.count > all.count / 10)
    #expect(zeros.count < all.count)
  }

  @Test("the ladder meets every distance up to F + 3")
  func ladder() throws {
    let spec = try vectorSpec(.mma, "mxfp8_e4m3", block: 32, accumulator: "hopper-fp8")
    let all = try cases(spec, .alignmentLadder, count: 400)
    let codes = (0..<256).map { code -> Double in
      let exponent = code >> 3 & 15
      let fraction = Double(code & 7) / 8
      let size =
        exponent == 0
        ? fraction * 0x1p-6
        : (1 + fraction) * Double(sign: .plus, exponent: exponent - 7, significand: 1)
      return code >= 128 ? -size : size
    }
    var distances: Set<Int> = []
    for item in all {
      var terms = (0..<32).map { codes[Int(item.inputs[$0])] * codes[Int(item.inputs[32 + $0])] }
      terms.append(Double(Float(bitPattern: UInt32(item.inputs[64]))))
      let exponents = terms.filter { $0 != 0 }.map { Int($0.exponent) }
      if exponents.count == 2 { distances.insert(abs(exponents[0] - exponents[1])) }
    }
    for distance in 0...16 { #expect(distances.contains(distance), "distance \(distance)") }
  }

  @Test("registers wrap and saturate")
  func registers() throws {
    for (name, hasEnd) in [("fixed(16,-4,wrap)", false), ("fixed(16,-4,saturate)", true)] {
      let spec = try vectorSpec(.mma, "mxfp8_e4m3", block: 32, accumulator: name)
      let all = try cases(spec, .wrapSaturate)
      let moved = all.filter { item in
        let c = Int16(truncatingIfNeeded: item.inputs.last ?? 0)
        let d = Int16(truncatingIfNeeded: item.result[0])
        return hasEnd ? d == .max || d == .min : (c < 0) != (d < 0)
      }
      #expect(moved.count > all.count / 8, "\(name): \(moved.count)")
    }
  }

  @Test("ties of encode are halfway between two codes or one float32 beside")
  func ties() throws {
    let all = try cases(vectorSpec(.encode, "mxfp4", block: 32), .ties)
    let middles: [Float] = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5]
    let near = Set(middles.flatMap { [$0, $0.nextUp, $0.nextDown] })
    for item in all {
      let value = abs(Float(bitPattern: UInt32(item.inputs[0])))
      #expect(near.contains(value), "\(value)")
    }
  }

  @Test("a class without meaning, and one without cases, are refused")
  func refusals() throws {
    let spec = try vectorSpec(.dot, "nvfp4", block: 16)
    for kind in [CaseClass.exhaustive, .nanInfPerLane, .wrapSaturate, .cDominates] {
      #expect(throws: VectorsError.self) {
        try VectorRequest(spec: spec, classes: [kind]).write(to: "/nonexistent/vectors")
      }
    }
  }
}

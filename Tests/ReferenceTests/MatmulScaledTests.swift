import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("Scales in matmuls")
struct MatmulScaledTests {
  /// s for each block of `count` values, from a few powers of two.
  private func scales(_ count: Int, _ block: Int, _ bits: inout TestBits) -> [Float] {
    (0..<((count + block - 1) / block)).map { _ in [0.25, 0.5, 1, 2, 8][Int(bits.next() % 5)] }
  }

  @Test("a NaN scale on a block of zeros gives NaN in every unit that is not a register")
  func nanScale() throws {
    for (unit, element) in [
      ("blackwell-mx", "e4m3"), ("blackwell-fp4", "e2m1"), ("hopper-fp8", "e4m3"),
      ("mxdotp-fp8", "e4m3"), ("exact", "e2m1"), ("fp32-pairwise", "e2m1"),
      ("int8-wrap", "int8"), ("cdna2-fp16", "fp16"),
    ] {
      let zeros = [Float](repeating: 0, count: 48)
      let row = try accumulator(unit)
      let sum = try dot(
        operand(zeros, element, block: 16, scales: [1, 1, .nan]), operand(zeros, element), row)
      expectPattern(UInt32(sum), row.output.nan, unit)
    }
  }

  @Test("FP4 groups end at block borders, and a step takes whole groups while it holds 64 k")
  func groups() throws {
    let values = [Float](repeating: 1, count: 80)
    let problem = MatmulProblem(
      a: try operand(values, "e2m1", block: 17, scales: [1, 2, 4, 8, 16]),
      b: try operand(values, "e2m1"), accumulator: try accumulator("blackwell-fp4"))
    let trace = try MPFREngine().trace(problem, row: 0, column: 0)
    let spans = trace.steps.map { $0.terms.map(\.k).filter { !$0.isEmpty } }
    #expect(
      spans == [
        [0..<16, 16..<17, 17..<33, 33..<34, 34..<50, 50..<51], [51..<67, 67..<68, 68..<80],
      ])
    #expect(trace.result == Int64(Float(17 + 34 + 68 + 136 + 192).bitPattern))
  }

  @Test("a group that cancels keeps its scales' exponent; a group of zeros has the zero exponent")
  func cancellingGroup() throws {
    func exponents(_ a: [Float], _ scale: Float) throws -> [Int?] {
      let trace = try MPFREngine().trace(
        MatmulProblem(
          a: operand(a, "e2m1", block: 2, scale: "ue4m3", scales: [scale]),
          b: operand([1, 1], "e2m1", block: 2, scale: "ue4m3", scales: [2]),
          accumulator: accumulator("blackwell-fp4")), row: 0, column: 0)
      return trace.steps[0].terms.map(\.exponent)
    }
    // The group, the empty lanes, c = 0.
    #expect(try exponents([1, -1], 1.5) == [1, -139, -139])
    #expect(try exponents([0, 0], 1.5) == [-139, -139, -139])
    #expect(try exponents([1, 1], 0) == [-139, -139, -139])
    #expect(try exponents([1, 1], 0x1p-9) == [-5, -139, -139], "a subnormal scale keeps -6")
  }

  @Test("bit 7 of a UE4M3 scale is ignored")
  func maskedSign() throws {
    var a = try operand([1, 2], "e2m1", block: 2, scale: "ue4m3", scales: [1.5])
    let b = try operand([1, 3], "e2m1")
    let plain = try dot(a, b, accumulator("blackwell-fp4"))
    a.scales?.codes[0] |= 0x80
    #expect(try dot(a, b, accumulator("blackwell-fp4")) == plain)
    #expect(plain == Int64(Float(10.5).bitPattern))
  }

  @Test("the run rule sums from 0 to each block border of either operand and adds in float32")
  func runRule() throws {
    var bits = TestBits(11)
    for (unit, element) in [
      ("hopper-fp8", "e4m3"), ("ampere-bf16", "bf16"), ("cdna3-fp16", "fp16"),
    ] {
      for (blockA, blockB) in [(3, 5), (16, 32), (40, 7), (1, 40)] {
        let (a, b) = (bits.plainValues(40), bits.plainValues(40))
        let sA = scales(40, blockA, &bits)
        let sB = scales(40, blockB, &bits)
        var expected: Float = 0.375
        var start = 0
        while start < 40 {
          let end = min(40, (start / blockA + 1) * blockA, (start / blockB + 1) * blockB)
          let partial = try dot(
            Array(a[start..<end]), Array(b[start..<end]), element, unit)
          expected += Float(bitPattern: partial) * (sA[start / blockA] * sB[start / blockB])
          start = end
        }
        let sum = try dot(
          operand(a, element, block: blockA, scale: "fp32", scales: sA),
          operand(b, element, block: blockB, scale: "fp32", scales: sB), accumulator(unit),
          c: Int64(Float(0.375).bitPattern))
        expectValue(UInt32(sum), expected, "\(unit), blocks of \(blockA) and \(blockB)")
      }
    }
  }

  @Test("Hopper's promoted sums restart from 0 every 128 terms, counted from the run's start")
  func promotion() throws {
    var bits = TestBits(5)
    let (a, b) = (
      (0..<300).map { _ in Float(Int(bits.next() % 15) + 1) },
      (0..<300).map { _ in Float(Int(bits.next() % 15) + 1) * 0x1p-6 }
    )
    func partial(_ range: Range<Int>) throws -> Float {
      Float(bitPattern: try dot(Array(a[range]), Array(b[range]), "e4m3", "hopper-fp8"))
    }
    let unit = try accumulator("deepseek-fp8")
    #expect(unit.promoteEvery == 128)
    var expected: Float = 5
    for range in [0..<128, 128..<256, 256..<300] { expected += try partial(range) }
    expectValue(try dot(a, b, "e4m3", unit, c: 5), expected, "without scales")
    #expect(try dot(a, b, "e4m3", "hopper-fp8", c: 5) != expected.bitPattern)

    expected = 5
    for (range, scale) in [
      (0..<128, Float(3)), (128..<200, 3), (200..<300, 0.7),
    ] { expected += try partial(range) * scale }
    let sum = try dot(
      operand(a, "e4m3", block: 200, scale: "fp32", scales: [3, 0.7]), operand(b, "e4m3"), unit,
      c: Int64(Float(5).bitPattern))
    expectValue(UInt32(sum), expected, "with blocks of 200")
  }

  @Test("MX scales join each product's exponent whatever the block size")
  func mxBlocks() throws {
    var bits = TestBits(3)
    for block in [1, 7, 16, 33, 64] {
      let (a, b) = (bits.plainValues(64), bits.plainValues(64))
      let s = scales(64, block, &bits)
      let expected = (0..<64).reduce(Float(0)) { $0 + a[$1] * b[$1] * s[$1 / block] }
      let sum = try dot(
        operand(a, "e4m3", block: block, scales: s), operand(b, "e2m1"), accumulator("blackwell-mx")
      )
      expectValue(UInt32(sum), expected, "block \(block)")
    }
  }

  @Test("tensor scales multiply D once in float32, and every product of exact and fixed sums")
  func tensorScales() throws {
    let (tA, tB): (Float, Float) = (0.1, 0.7)
    let (a, b): ([Float], [Float]) = ([3, 1], [1, 0.5])
    func sum(_ unit: String, c: Int64) throws -> Int64 {
      try dot(
        operand(a, "e4m3", tensorScale: tA), operand(b, "e4m3", tensorScale: tB), accumulator(unit),
        c: c)
    }
    let c = Int64(Float(2).bitPattern)
    expectValue(UInt32(try sum("hopper-fp8", c: c)), (3.5 + 2) * (tA * tB), "D times the scales")
    expectValue(
      UInt32(try sum("exact", c: c)), Float(2 + 3.5 * Double(tA) * Double(tB)), "exact")
    let unit = try #require(try standard().accumulator("fixed(32,-10,wrap)"))
    let products = [3, 0.5].map { ($0 * Double(tA) * Double(tB) * 1024).rounded(.towardZero) }
    #expect(
      try dot(
        operand(a, "e4m3", tensorScale: tA), operand(b, "e4m3", tensorScale: tB), unit, c: 7)
        == Int64(products[0] + products[1]) + 7)
    let half = try dot(
      operand(a, "e4m3", tensorScale: tA), operand(b, "e4m3"), accumulator("ada-fp8-f16"))
    #expect(half == Int64(Float16(Float(3.5) * tA).bitPattern))
  }
}

import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("Sums of float32 operations")
struct MatmulFloat32Tests {
  private func values(_ count: Int, _ bits: inout TestBits) -> [Float] {
    (0..<count).map { _ in
      let magnitude = Float(bitPattern: (bits.next() % 40 + 107) << 23 | (bits.next() % 128) << 16)
      return bits.next() % 2 == 0 ? magnitude : -magnitude
    }
  }

  /// A tree over adjacent pairs, an odd value carried up, in the machine's own arithmetic.
  private func tree(_ values: [Float]) -> Float {
    var level = values
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map {
        $0 + 1 < level.count ? level[$0] + level[$0 + 1] : level[$0]
      }
    }
    return level.first ?? 0
  }

  @Test("sequential, pairwise and chained sums equal the processor's own operations")
  func orders() throws {
    var bits = TestBits(77)
    for count in [1, 2, 3, 5, 8, 31, 32, 33, 70] {
      let (a, b) = (values(count, &bits), values(count, &bits))
      let c = bits.float(100)
      let products = zip(a, b).map { $0 * $1 }
      expectValue(
        try dot(a, b, "bf16", "fp32-sequential", c: c), products.reduce(c, +), "sequential \(count)"
      )
      expectValue(
        try dot(a, b, "bf16", "fp32-pairwise", c: c), c + tree(products), "pairwise \(count)")
      var acc = c
      for start in stride(from: 0, to: count, by: 4) {
        let four = products[start..<min(start + 4, count)] + [0, 0, 0]
        acc += tree(Array(four.prefix(4)))
      }
      expectValue(try dot(a, b, "bf16", "cdna2-bf16-1k", c: c), acc, "cdna2 \(count)")
      acc = c
      for start in stride(from: 0, to: count, by: 32) {
        var chains: [Float] = [0, 0]
        for k in start..<min(start + 32, count) {
          chains[k % 2] = chains[k % 2].addingProduct(a[k], b[k])
        }
        acc += chains[0] + chains[1]
      }
      expectValue(try dot(a, b, "bf16", "amx-bf16", c: c), acc, "amx \(count)")
    }
  }

  @Test("a scaled product is rounded once from the exact a·b·s_A·s_B")
  func scaledProducts() throws {
    let (a, b, sA, sB): (Float, Float, Float, Float) = (0.1, 0.3, 0.7, 0.9)
    // Double holds a·b exactly; the whole product needs 96 bits, so 80-bit pieces would not do.
    let sum = try dot(
      operand([a], "fp32", block: 1, scale: "fp32", scales: [sA]),
      operand([b], "fp32", block: 1, scale: "fp32", scales: [sB]), accumulator("fp32-sequential"))
    let exact = Double(a) * Double(b) * (Double(sA) * Double(sB))
    expectValue(UInt32(sum), Float(exact), "0.1 · 0.3 · 0.7 · 0.9")
    #expect(Float(exact) != a * b * (sA * sB))
  }

  @Test("zeros keep IEEE 754's signs")
  func signedZeros() throws {
    expectPattern(try dot([0], [-1], "bf16", "fp32-sequential", c: -0.0), 0x8000_0000, "-0 + -0")
    expectPattern(try dot([0], [-1], "bf16", "fp32-sequential", c: 0), 0, "+0 + -0")
    expectPattern(try dot([1], [-1], "bf16", "fp32-sequential", c: 1), 0, "1 - 1")
    expectPattern(try dot([0], [-1], "bf16", "exact", c: -0.0), 0, "an exact sum of 0 is +0")
  }

  @Test("CDNA2 flushes subnormal inputs to +0 and subnormal results to a zero of their sign")
  func cdna2() throws {
    let tiny: Float = -0x1p-130
    expectPattern(try dot([tiny], [0x1p100], "bf16", "cdna2-bf16"), 0, "a BF16 subnormal")
    expectPattern(try dot([0x1p-20], [1], "fp16", "cdna2-fp16"), 0, "an FP16 subnormal")
    expectPattern(
      try dot([0x1p-14], [1], "fp16", "cdna2-fp16"), 0x3880_0000, "FP16's smallest normal")
    let (a, b): ([Float], [Float]) = ([-0x1p-64, -0x1p-64], [0x1p-64, 0x1p-64])
    expectPattern(try dot(a, b, "bf16", "cdna2-bf16", c: -0.0), 0, "a c of -0 is read as +0")
    expectPattern(try dot(a, b, "bf16", "cdna2-bf16", c: -0x1p-126), 0x8080_0000, "-2^-126 - 0")
    expectPattern(try dot([-0.0], [-1], "bf16", "cdna2-bf16", c: 0), 0, "an element of -0")
    expectPattern(try dot(a, b, "bf16", "cdna2-bf16", c: tiny), 0, "c is flushed to +0")
    expectPattern(
      try dot([a[0]], [b[0]], "bf16", "cdna2-bf16", c: -0.0), 0, "the second lane is +0"
    )
  }

  @Test("AMX reads subnormal BF16 as zeros and keeps FP16's, and flushes results")
  func amx() throws {
    expectPattern(try dot([0x1p-130], [0x1p100], "bf16", "amx-bf16"), 0, "BF16")
    expectPattern(try dot([0x1p-20], [1], "fp16", "amx-fp16"), Float(0x1p-20).bitPattern, "FP16")
    expectPattern(try dot([0x1p-64], [0x1p-64], "bf16", "amx-bf16"), 0, "a subnormal result")
  }
}

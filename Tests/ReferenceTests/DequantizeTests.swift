import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("Dequantising by the exact recipe")
struct DequantizeTests {
  private func spec(_ format: String) throws -> QuantizationSpec {
    let catalog = try standard()
    return QuantizationSpec(
      format: try #require(catalog.block(format)), recipe: try #require(catalog.recipe("exact")))
  }

  @Test("code·s·T is rounded once: doubles of 32 exact bits agree, subnormals too")
  func once() throws {
    let spec = try spec("nvfp4")
    var random = TestBits(99)
    for _ in 0..<4000 {
      let code = random.next() & 15
      let scale = random.next() & 0x7F
      // Exponents that put many products among the subnormals and beyond the range.
      let exponent = random.next() % 3 == 0 ? Int(random.next() % 254) - 127 : -128
      let significand = 1 + Float(random.next() >> 9) * 0x1p-23
      let factor = significand * Float(sign: .plus, exponent: exponent, significand: 1)
      guard scale != 0x7F, factor > 0 else { continue }
      let grid = try BlockGrid(shape: [1], block: .line(1))
      let observed = dequantize(
        [code], [scale], grid, spec, tensorScale: TensorScale(decode: factor))[0]
      let value = decode([code], spec.format.element)[0]
      let s = decodeScales([scale], spec.format.scale)[0]
      let expected = Float(Double(value) * Double(s) * Double(factor))
      #expect(
        observed.bitPattern == expected.bitPattern,
        "\(code)·\(s)·\(pattern(factor)): expected \(pattern(expected)), observed \(pattern(observed))"
      )
    }
  }

  @Test("a subnormal result is not rounded twice")
  func doubleRounding() throws {
    // 7·(1 + 2^-12)·(1 − 2^-12)·2^-150 = (3.5 − 7·2^-25)·2^-149. Rounded to 24 bits first it would
    // be 3.5 and then, a tie, 4; rounded once it is 3.
    let spec = try spec("fp8_1x128")
    let grid = try BlockGrid(shape: [1], block: .line(1))
    let seven: UInt32 = 0x4E
    #expect(decode([seven], spec.format.element) == [7])
    let below = dequantize(
      [seven], [Float(0x1.001p-100).bitPattern], grid, spec,
      tensorScale: TensorScale(decode: 0x1.ffep-51))[0]
    #expect(below.bitPattern == 3, "\(pattern(below))")
    let tie = dequantize(
      [seven], [Float(0x1p-100).bitPattern], grid, spec, tensorScale: TensorScale(decode: 0x1p-50))
    #expect(tie[0].bitPattern == 4, "\(pattern(tie[0]))")
  }

  @Test("overflow gives infinity, NaN codes and scales NaN, zeros keep their sign")
  func specials() throws {
    let spec = try spec("fp8_1x128")
    let grid = try BlockGrid(shape: [4], block: .line(4))
    let codes: [UInt32] = [0x7E, 0xFE, 0x80, 0x7F]
    let observed = dequantize(codes, [Float(0x1p120).bitPattern], grid, spec)
    #expect(observed[0] == .infinity && observed[1] == -.infinity)
    #expect(observed[2].bitPattern == 0x8000_0000 && observed[3].bitPattern == 0x7FC0_0000)
    let nan = dequantize(codes, [0x7FC0_0000], grid, spec)
    #expect(nan.allSatisfy { $0.bitPattern == 0x7FC0_0000 })
    // 2^25 − 1 = 31 · 601 · 1801: FLT_MAX and half a unit more, a tie to infinity.
    let single = try BlockGrid(shape: [1], block: .line(1))
    for (factor, overflows) in [(Float(1801), true), (1800, false)] {
      let value = dequantize(
        [0x38], [(Float(31 * 601) * 0x1p103).bitPattern], single, spec,
        tensorScale: TensorScale(decode: factor))[0]
      let exact = Float(31 * 601 * 0x1p103 * Double(factor))
      #expect(value == exact && value.isInfinite == overflows, "\(pattern(value))")
    }
  }
}

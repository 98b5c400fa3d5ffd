import FormatCatalog
import NumberFormats
import Reference
import Testing

private func spec(_ format: String, rounding: Rounding? = nil) throws -> QuantizationSpec {
  let catalog = try standard()
  return QuantizationSpec(
    format: try #require(catalog.block(format)), recipe: try #require(catalog.recipe("exact")),
    rounding: rounding)
}

@Suite("Whole blocks by the exact recipe")
struct BlockTests {
  @Test(
    "elements are x/(s·T) rounded once, in every rounding",
    arguments: ["nvfp4", "mxfp4", "mxfp6_e3m2", "mxfp8_e4m3", "mxint8", "int4_fp16", "msfp12"])
  func elements(format: String) throws {
    var random = TestBits(41)
    for rounding in everyRounding {
      var spec = try spec(format, rounding: rounding)
      let model = try #require(TableModel(spec.format.element))
      for round in 0..<12 {
        let scale = Float(sign: .plus, exponent: round * 3 - 18, significand: 1)
        let values = (0..<53).map { _ in random.float(scale) }
        let bits = values.map { _ in random.next() & 255 }
        spec.randomBits = .given(bits)
        let tensorScale: TensorScale =
          spec.format.hasTensorScale ? TensorScale(decode: 0x1.adb6dcp-5 * scale) : .one
        let grid = try BlockGrid(shape: [53], block: .line(13))
        let observed = try quantize(values, grid, spec, tensorScale: tensorScale)
        let scales = decodeScales(observed.scales, spec.format.scale)
        let expected = values.indices.map { index in
          model.encode(
            values[index], over: Double(scales[index / 13]) * Double(tensorScale.decode), rounding,
            random: bits[index])
        }
        expectEqual(observed.codes, expected, inputs: values, "\(format), \(rounding)")
        for block in 0..<grid.blockCount {
          let part = values[(13 * block)..<min(53, 13 * block + 13)]
          let amax = part.reduce(Float(0)) { max($0, abs($1)) }
          let own = try engine.exactScale(amax: amax, spec: spec, tensorScale: tensorScale)
          #expect(own.code == observed.scales[block], "\(format), block \(block)")
        }
      }
    }
  }

  @Test("a codebook's elements, against products of doubles")
  func codebook() throws {
    var random = TestBits(8)
    for rounding in Rounding.deterministic {
      let spec = try spec("nf4", rounding: rounding)
      guard case .codebook(let book) = spec.format.element.kind else { return }
      let values = (0..<640).map { _ in random.float(3) }
      let observed = try quantize(values, BlockGrid(shape: [640], block: .line(64)), spec)
      let scales = decodeScales(observed.scales, spec.format.scale)
      let expected = values.indices.map { index in
        let q = { (v: Float) in Double(v) * Double(scales[index / 64]) }
        let x = Double(values[index])
        let above = book.firstIndex { q($0) > x } ?? book.count
        if above == 0 || above == book.count { return UInt32(above == 0 ? 0 : book.count - 1) }
        let below = above - 1
        if q(book[below]) == x { return UInt32(below) }
        let middle = (Double(book[below]) + Double(book[above])) * Double(scales[index / 64])
        let away = x < 0 ? below : above
        let near = x < 0 ? above : below
        switch rounding {
        case .tiesToEven where 2 * x == middle: return UInt32(below % 2 == 0 ? below : above)
        case .tiesToAway where 2 * x == middle: return UInt32(away)
        case .tiesTowardZero where 2 * x == middle: return UInt32(near)
        case .towardZero: return UInt32(near)
        case .towardPositive: return UInt32(above)
        case .towardNegative: return UInt32(below)
        case .toOdd: return UInt32(below % 2 == 1 ? below : above)
        default: return UInt32(2 * x > middle ? above : below)
        }
      }
      expectEqual(observed.codes, expected, inputs: values, "nf4, \(rounding)")
    }
  }

  @Test("tails, odd sizes, any axis and tiles: each block is quantised as if alone")
  func grids() throws {
    let spec = try spec("mxfp8_e4m3")
    var random = TestBits(5)
    let shape = [3, 7, 5]
    let values = (0..<105).map { index in
      random.float(Float(sign: .plus, exponent: index % 9, significand: 1))
    }
    for (axis, block) in [
      (-1, BlockShape.line(2)), (0, .line(2)), (1, .line(3)), (1, .line(100)), (2, .axis),
      (0, .axis), (0, .tensor), (0, .tile(rows: 3, columns: 2)),
      (0, .tile(rows: 128, columns: 128)), (-1, .line(1)),
    ] {
      let grid = try BlockGrid(shape: shape, axis: axis, block: block)
      let observed = try quantize(values, grid, spec)
      var members = [[Int]](repeating: [], count: grid.blockCount)
      for index in values.indices { members[grid.blockIndex(ofElement: index)].append(index) }
      for (number, indices) in members.enumerated() {
        #expect(!indices.isEmpty && indices.count == grid.elementCount(ofBlock: number))
        let alone = try quantizeBlock(indices.map { values[$0] }, spec)
        #expect(alone.scales == [observed.scales[number]], "axis \(axis), \(block)")
        #expect(alone.codes == indices.map { observed.codes[$0] }, "axis \(axis), \(block)")
      }
    }
  }

  @Test("an empty tensor has no blocks and no codes")
  func empty() throws {
    let observed = try quantize([], BlockGrid(shape: [0, 4], block: .line(32)), spec("mxfp4"))
    #expect(observed.codes.isEmpty && observed.scales.isEmpty && observed.clamped == 0)
  }

  @Test("NaN and infinity make a NaN block: scale NaN, codes 0, other blocks untouched")
  func nanBlocks() throws {
    for (format, nan) in [("mxfp4", UInt32(0xFF)), ("nvfp4", 0x7F), ("int8", 0x7FC0_0000)] {
      for bad in [Float.nan, -.infinity] {
        let spec = try spec(format)
        let grid = try BlockGrid(shape: [12], block: .line(4))
        let clean: [Float] = [1, 2, 3, 4, -1, 5, -0.0, 1, 3, 3, 3, 3]
        var values = clean
        values[6] = bad
        let observed = try quantize(values, grid, spec, tensorScale: .one)
        let untouched = try quantize(clean, grid, spec, tensorScale: .one)
        #expect(observed.scales == [untouched.scales[0], nan, untouched.scales[2]], "\(format)")
        #expect(Array(observed.codes[4..<8]) == [0, 0, 0, 0], "\(format)")
        #expect(observed.codes[..<4] == untouched.codes[..<4], "\(format)")
        #expect(observed.codes[8...] == untouched.codes[8...], "\(format)")
        let values2 = dequantize(observed.codes, observed.scales, grid, spec)
        #expect(values2[4..<8].allSatisfy(\.isNaN) && !values2[0].isNaN, "\(format)")
      }
    }
  }

  @Test("a scale without NaN: the elements are NaN, or the position is named")
  func noScaleNaN() throws {
    var spec = try spec("mxfp8_e4m3")
    spec.format.scale.layout = FloatLayout(
      signBits: 0, exponentBits: 4, mantissaBits: 3, bias: 7, nonFinite: .none)
    let observed = try quantizeBlock([1, .infinity, 2], spec)
    #expect(observed.codes == [0x7F, 0x7F, 0x7F])
    spec.format.element = try #require(standard().element("e2m1"))
    let grid = try BlockGrid(shape: [6], block: .line(3))
    #expect(throws: QuantizeError.nonFinite(position: 1004, format: "mxfp8_e4m3")) {
      try quantize([1, 2, 3, 4, .nan, .infinity], grid, spec, firstElement: 1000)
    }
  }

  @Test("a block of zeros stores code 0 and keeps the signs")
  func zeros() throws {
    for (format, negative) in [
      ("mxfp4", UInt32(8)), ("nvfp4", 8), ("int8", 0), ("fp8_1x128", 0x80), ("int4_fp16", 0),
    ] {
      let observed = try quantizeBlock([0, -0.0, 0], try spec(format))
      #expect(observed.scales == [0] && observed.codes == [0, negative, 0], "\(format)")
      #expect(observed.clamped == 0)
    }
  }

  @Test("no block vanishes: a maximum below the smallest scale takes the smallest, and is counted")
  func smallest() throws {
    let spec = try spec("nvfp4")
    let grid = try BlockGrid(shape: [8], block: .line(4))
    let observed = try quantize(
      [0x1p-20, 0, 0, 0, 448, 6, 0, 0], grid, spec, tensorScale: TensorScale(decode: 1))
    #expect(observed.scales == [1, 0x69] && observed.clamped == 1)
    #expect(observed.codes[0] == 0)
  }

  @Test("given scales are used as they are, whatever they hold")
  func givenScales() throws {
    let mx = try spec("mxfp4")
    #expect(try quantizeBlock([1, 2, -3], mx, given: 127).codes == [2, 4, 0xD])
    #expect(try quantizeBlock([1, 2, -3], mx, given: 255).codes == [0, 0, 0])
    let fp = try spec("fp8_1x128")
    let one = Float(1).bitPattern
    #expect(try quantizeBlock([1, -2], fp, given: one).codes == [0x38, 0xC0])
    #expect(try quantizeBlock([1, -2], fp, given: Float(-1).bitPattern).codes == [0xB8, 0x40])
    #expect(try quantizeBlock([1, -2, 0], fp, given: 0).codes == [0x7E, 0xFE, 0])
    #expect(
      try quantizeBlock([1, -2], fp, given: Float.infinity.bitPattern).codes == [0, 0x80])
    #expect(try quantizeBlock([1, .nan], fp, given: one).codes == [0x7F, 0x7F])
  }

  @Test("subnormal amax, FLT_MAX, and both in one block")
  func extremes() throws {
    let mx = try spec("mxfp8_e4m3")
    let tiny = try quantizeBlock([0x1p-149, 0], mx)
    #expect(tiny.scales == [0] && tiny.clamped == 1)
    #expect(tiny.codes == [0, 0])
    let fp = try spec("fp8_1x128")
    let both = try quantizeBlock([.greatestFiniteMagnitude, 0x1p-149, -.leastNormalMagnitude], fp)
    #expect(both.codes == [0x7E, 0, 0x80])
    let sub = try quantizeBlock([0x1p-140, -0x1p-141], fp)
    #expect(sub.scales == [1])
    #expect(sub.codes == [0x7E, 0xF8])
  }
}

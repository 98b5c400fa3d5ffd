import NumberFormats
import Reference
import Testing

@Suite("Roundings, overflow and NaN of single elements")
struct RoundingTests {
  @Test("the table in Rounding's doc comment")
  func table() throws {
    let element = try #require(standard().element("e2m1"))
    let rows: [(Rounding, [Float])] = [
      (.tiesToEven, [1, -1, 1.5]), (.tiesToAway, [1.5, -1.5, 1.5]),
      (.tiesTowardZero, [1, -1, 1.5]), (.towardZero, [1, -1, 1]),
      (.towardPositive, [1.5, -1, 1.5]), (.towardNegative, [1, -1.5, 1]),
      (.toOdd, [1.5, -1.5, 1.5]),
    ]
    for (rounding, expected) in rows {
      let codes = try encode([1.25, -1.25, 1.3], element, EncodeOptions(rounding: rounding))
      #expect(decode(codes, element) == expected, "\(rounding)")
    }
  }

  @Test("stochastic: floor(f·2^n) + r ≥ 2^n, at its edges", arguments: [1, 8, 32])
  func stochastic(bits: Int) throws {
    let element = try #require(standard().element("e2m1"))
    let top = bits == 32 ? UInt32.max : (1 << UInt32(bits)) - 1
    // 1.25 lies half-way between 1 and 1.5, so floor(f·2^n) is 2^(n−1).
    let half = UInt32(1) << UInt32(bits - 1)
    // 1 + 2^-23 is 2^-22 of the way: only 32 bits see it.
    let tiny: UInt32 = bits == 32 ? 1 << 10 : 0
    let cases: [(Float, UInt32, UInt32)] = [
      (1, top, 2), (1.25, half, 3), (1.25, half - 1, 2), (-1.25, half, 0xB),
      (Float(1).nextUp, top, bits == 32 ? 3 : 2), (Float(1).nextUp, 0, 2),
      (Float(1.5).nextDown, max(1, tiny), 3), (Float(1.5).nextDown, max(1, tiny) - 1, 2),
    ]
    for (x, r, expected) in cases {
      let options = EncodeOptions(rounding: .stochastic(bits: bits), randomBits: .given([r]))
      expectEqual(try encode([x], element, options), [expected], inputs: [x], "n=\(bits), r=\(r)")
    }
    if bits == 32 {
      for (r, expected) in [(UInt32(0) &- tiny, UInt32(3)), (UInt32(0) &- tiny - 1, 2)] {
        let options = EncodeOptions(rounding: .stochastic(bits: 32), randomBits: .given([r]))
        expectEqual(
          try encode([Float(1).nextUp], element, options), [expected], inputs: [Float(1).nextUp],
          "n=32, r=\(r)")
      }
    }
  }

  @Test("random bits that are missing or too large are refused with their position")
  func badBits() throws {
    let element = try #require(standard().element("e2m1"))
    for bits in [[UInt32(3)], [3, 256]] {
      let options = EncodeOptions(rounding: .stochastic(bits: 8), randomBits: .given(bits))
      #expect(throws: QuantizeError.badRandomBits(position: 1)) {
        try encode([1.25, 1.25], element, options)
      }
    }
  }

  @Test("Philox bits go by the element's position")
  func philox() throws {
    let element = try #require(standard().element("e2m1"))
    let inputs = [Float](repeating: 1.25, count: 64)
    let options = EncodeOptions(rounding: .stochastic(bits: 8), randomBits: .philox(seed: 5))
    let expected: [UInt32] = inputs.indices.map {
      128 + (philox4x32Word0(seed: 5, index: UInt64($0)) >> 24) >= 256 ? 3 : 2
    }
    expectEqual(try encode(inputs, element, options), expected, inputs: inputs, "philox")
  }

  @Test("overflow: infinity, NaN or the largest value, as the format and the rounding have it")
  func overflow() throws {
    let catalog = try standard()
    let inf = Float.infinity
    // Format, input, rounding, saturating code, non-finite code.
    let cases: [(String, Float, Rounding, UInt32, UInt32)] = [
      ("e4m3", 464, .tiesToEven, 0x7E, 0x7E), ("e4m3", Float(464).nextUp, .tiesToEven, 0x7E, 0x7F),
      ("e4m3", 464, .tiesToAway, 0x7E, 0x7F), ("e4m3", 464, .tiesTowardZero, 0x7E, 0x7E),
      ("e4m3", 1e9, .towardZero, 0x7E, 0x7E), ("e4m3", 1e9, .toOdd, 0x7E, 0x7E),
      ("e4m3", -1e9, .towardPositive, 0xFE, 0xFE), ("e4m3", 449, .towardPositive, 0x7E, 0x7F),
      ("e4m3", -449, .towardNegative, 0xFE, 0x7F), ("e4m3", -inf, .towardZero, 0xFE, 0x7F),
      ("e5m2", 61440, .tiesToEven, 0x7B, 0x7C), ("e5m2", -61440, .tiesTowardZero, 0xFB, 0xFB),
      ("e5m2", -inf, .toOdd, 0xFB, 0xFC), ("e5m2", 1e9, .towardNegative, 0x7B, 0x7B),
      ("e4m3_fnuz", 247, .tiesToEven, 0x7F, 0x7F), ("e4m3_fnuz", 248, .tiesToEven, 0x7F, 0x80),
      ("e4m3_fnuz", -inf, .tiesToEven, 0xFF, 0x80), ("e2m1", inf, .tiesToEven, 0x7, 0x7),
      ("e2m1", -1e9, .tiesToEven, 0xF, 0xF), ("int8", -1e9, .tiesToEven, 0x81, 0x81),
      ("mxint8_full", -1e9, .tiesToEven, 0x80, 0x80), ("mxint8_full", 1e9, .tiesToEven, 0x7F, 0x7F),
      ("nf4", inf, .tiesToEven, 0xF, 0xF), ("nf4", -3, .towardPositive, 0x0, 0x0),
      ("bf16", .greatestFiniteMagnitude, .tiesToEven, 0x7F7F, 0x7F80),
    ]
    for (name, x, rounding, saturated, nonFinite) in cases {
      let element = try #require(catalog.element(name))
      for (overflow, expected) in [(Overflow.saturate, saturated), (.nonFinite, nonFinite)] {
        let options = EncodeOptions(rounding: rounding, overflow: overflow)
        expectEqual(
          try encode([x], element, options), [expected], inputs: [x],
          "\(name), \(rounding), \(overflow)")
      }
    }
  }

  @Test("NaN: canonical, ml_dtypes', or refused with its position")
  func nan() throws {
    let catalog = try standard()
    let nans = [Float.nan, -Float.nan]
    let rows: [(String, [UInt32], [UInt32])] = [
      ("e4m3", [0x7F, 0x7F], [0x7F, 0xFF]), ("e4m3_fnuz", [0x80, 0x80], [0x80, 0x80]),
      ("e5m2", [0x7E, 0x7E], [0x7E, 0xFE]), ("bf16", [0x7FC0, 0x7FC0], [0x7FC0, 0xFFC0]),
      ("tf32", [0x3FE00, 0x3FE00], [0x3FE00, 0x3FE00]),
    ]
    for (name, canonical, ml) in rows {
      let element = try #require(catalog.element(name))
      #expect(try encode(nans, element) == canonical, "\(name)")
      #expect(try encode(nans, element, EncodeOptions(nan: .mlDtypes)) == ml, "\(name)")
    }
    for name in ["e2m1", "int8", "nf4", "e0m3"] {
      let element = try #require(catalog.element(name))
      #expect(throws: QuantizeError.nonFinite(position: 1, format: name)) {
        try encode([1, .nan], element)
      }
    }
    let e2m1 = try #require(catalog.element("e2m1"))
    #expect(try encode(nans, e2m1, EncodeOptions(nan: .mlDtypes)) == [8, 0])
  }

  @Test("negative zero and negative values that round to zero keep the sign where there is one")
  func negativeZero() throws {
    let catalog = try standard()
    let rows: [(String, UInt32)] = [
      ("e2m1", 0x8), ("e4m3", 0x80), ("e0m3", 0x8), ("e4m3_fnuz", 0), ("int8", 0), ("mxint8", 0),
      ("bf16", 0x8000),
    ]
    for (name, code) in rows {
      let element = try #require(catalog.element(name))
      let inputs: [Float] = [-0.0, -.leastNonzeroMagnitude]
      expectEqual(try encode(inputs, element), [code, code], inputs: inputs, name)
    }
  }

  @Test("a codebook: neighbours by value, even by index, zero between two values")
  func codebook() throws {
    // Indices 0 to 3; zero lies between −1 and 3.
    let element = ElementFormat(name: "book", kind: .codebook([-5, -1, 3, 4]))
    let rows: [(Rounding, [Float], [UInt32])] = [
      (.tiesToEven, [1, -3, 3.5, 0.5, -9, 9], [2, 0, 2, 1, 0, 3]),
      (.tiesToAway, [1, -3, 3.5], [2, 0, 3]), (.tiesTowardZero, [1, -3, 3.5], [1, 1, 2]),
      (.towardZero, [2.9, -0.9, 0, -3, 3.9], [1, 2, 1, 1, 2]),
      (.towardPositive, [2.9, -0.9, 0, -3, 3.9], [2, 2, 2, 1, 3]),
      (.towardNegative, [2.9, -0.9, 0, -3, 3.9], [1, 1, 1, 0, 2]),
      (.toOdd, [2.9, -0.9, -3, 3.9], [1, 1, 1, 3]),
    ]
    for (rounding, inputs, expected) in rows {
      let options = EncodeOptions(rounding: rounding)
      expectEqual(try encode(inputs, element, options), expected, inputs: inputs, "\(rounding)")
    }
    // A tiny number and a huge value in one comparison: bits 2^-149 to 2^127.
    let wide = ElementFormat(
      name: "wide", kind: .codebook([-.greatestFiniteMagnitude, 0x1p-149, 0x1p-148, 1]))
    let inputs: [Float] = [0, -0x1p-149, 0.5, -0x1p126]
    expectEqual(try encode(inputs, wide), [1, 1, 2, 1], inputs: inputs, "wide")
  }

  @Test("codes beyond a codebook's count decode to NaN")
  func beyondCodebook() {
    let element = ElementFormat(name: "book", kind: .codebook([-1, 0, 1]))
    let values = decode([0, 1, 2, 3, 255], element)
    #expect(values[..<3] == [-1, 0, 1])
    #expect(values[3].bitPattern == 0x7FC0_0000 && values[4].bitPattern == 0x7FC0_0000)
  }
}

import FormatCatalog
import NumberFormats
import Reference
import Testing

private func spec(
  _ format: String, _ recipe: String = "exact", tensorScale: TensorScaleChoice = .auto
) throws -> QuantizationSpec {
  let catalog = try standard()
  return QuantizationSpec(
    format: try #require(catalog.block(format)), recipe: try #require(catalog.recipe(recipe)),
    tensorScale: tensorScale)
}

@Suite("Scales: by themselves, of blocks and of tensors")
struct BlockScaleTests {
  @Test("E8M0 by itself: nearest, ties up, NaN for what it cannot hold")
  func e8m0() throws {
    let format = try #require(standard().scale("e8m0"))
    let cases: [(Float, UInt32)] = [
      (1, 127), (1.5, 128), (Float(1.5).nextDown, 127), (0, 0xFF), (-0.0, 0xFF), (-1, 0xFF),
      (.nan, 0xFF), (.infinity, 0xFF), (-.infinity, 0xFF), (0x1p-127, 0), (0x1p-149, 0),
      (0x1.8p-127, 1), (Float(0x1.8p-127).nextDown, 0), (0x1p127, 254),
      (Float(0x1.8p127).nextDown, 254), (0x1.8p127, 0xFF), (.greatestFiniteMagnitude, 0xFF),
    ]
    expectEqual(
      encodeScales(cases.map(\.0), format), cases.map(\.1), inputs: cases.map(\.0), "e8m0")
  }

  @Test("other scales by themselves: nearest, even, saturating, negatives NaN")
  func others() throws {
    let catalog = try standard()
    let cases: [(String, Float, UInt32)] = [
      ("ue4m3", 448, 0x7E), ("ue4m3", 1e9, 0x7E), ("ue4m3", .infinity, 0x7E), ("ue4m3", -1, 0x7F),
      ("ue4m3", 0x1p-10, 0), ("ue4m3", Float(0x1p-10).nextUp, 1), ("ue4m3", -0.0, 0),
      ("ue4m3", .nan, 0x7F), ("ue5m3", 114688, 0xFE), ("ue5m3", 1e9, 0xFE), ("ue5m3", -1, 0xFF),
      ("ue5m3", 0x1p-17, 1), ("fp16", 1, 0x3C00), ("fp16", 1e9, 0x7BFF), ("fp16", -2, 0x7E00),
      ("bf16", 1.00390625, 0x3F80), ("fp32", 0x1p-149, 1), ("fp32", 3, 0x4040_0000),
      ("fp32", .infinity, 0x7F7F_FFFF), ("fp32", -1, 0x7FC0_0000),
    ]
    for (name, x, expected) in cases {
      let format = try #require(catalog.scale(name))
      expectEqual(encodeScales([x], format), [expected], inputs: [x], name)
    }
  }

  @Test("decoding scales: bit 7 of UE4M3 is ignored, UE5M3 uses it, signs are honoured")
  func decoding() throws {
    let catalog = try standard()
    let cases: [(String, UInt32, Float)] = [
      ("ue4m3", 0xFE, 448), ("ue4m3", 0x7F, .nan), ("ue4m3", 0xFF, .nan), ("ue5m3", 0xFE, 114688),
      ("ue5m3", 0xFF, .nan), ("e8m0", 0, 0x1p-127), ("e8m0", 254, 0x1p127), ("e8m0", 255, .nan),
      ("fp16", 0xC000, -2), ("fp32", 0x8000_0001, -0x1p-149), ("bf16", 0x7F80, .infinity),
    ]
    for (name, code, value) in cases {
      let observed = decodeScales([code], try #require(catalog.scale(name)))[0]
      let same = value.isNaN ? observed.bitPattern == 0x7FC0_0000 : observed == value
      #expect(same, "\(name) \(pattern(code)): \(pattern(observed))")
    }
  }

  @Test("E8M0 rules at their thresholds: E2M1, and every power of two in range")
  func rules() throws {
    // Significands 1, just above, 1.5 (maxE = 1.5·2^2), just above, 1.75 (even), √2 (nearest).
    let below = { (x: Float) in x.nextDown }
    let above = { (x: Float) in x.nextUp }
    let rootTwo: Float = 1.4142135  // the largest float32 below √2
    let rows: [(String, [(Float, Int)])] = [
      ("exact", [(1, 0), (below(2), 0), (below(1), -1)]),
      ("exact-rceil", [(1, 0), (1.5, 0), (above(1.5), 1), (below(1), 0), (0.75, -1)]),
      ("exact-ceil", [(1, 0), (above(1), 1), (below(1), 0)]),
      ("exact-even", [(1.75, 1), (below(1.75), 0), (1, 0), (below(1), 0)]),
      ("exact-nearest", [(rootTwo, 0), (above(rootTwo), 1), (1, 0), (below(1), 0)]),
    ]
    for (recipe, cases) in rows {
      let spec = try spec("mxfp4", recipe)
      for (significand, step) in cases {
        for exponent in [-100, -2, 0, 20, 99] {
          let amax = significand * Float(sign: .plus, exponent: exponent, significand: 1)
          let (code, clamped) = try engine.exactScale(amax: amax, spec: spec, tensorScale: .one)
          let expected = UInt32(127 + exponent + step - 2)
          #expect(
            code == expected && !clamped,
            "\(recipe) of \(pattern(amax)): expected \(expected), observed \(code)")
        }
      }
    }
  }

  @Test("the even rule's threshold follows the mantissa bits")
  func evenThreshold() throws {
    let rows: [(String, Float, Int)] = [
      ("mxfp8_e4m3", 1.9375, 8), ("mxfp8_e5m2", 1.875, 15), ("mxfp6_e2m3", 1.9375, 2),
      ("mxfp6_e3m2", 1.875, 4), ("mxint8", 1.9921875, 0), ("msfp12", 1.875, 0),
    ]
    for (format, threshold, emax) in rows {
      let spec = try spec(format, "exact-even")
      let at = try engine.exactScale(amax: threshold, spec: spec, tensorScale: .one)
      let under = try engine.exactScale(amax: threshold.nextDown, spec: spec, tensorScale: .one)
      #expect(at.code == UInt32(128 - emax), "\(format): \(at.code)")
      #expect(under.code == UInt32(127 - emax), "\(format): \(under.code)")
    }
  }

  @Test("E8M0 at the ends: clamped and counted; zero and subnormal amax")
  func ends() throws {
    let spec = try spec("mxfp4")
    let cases: [(Float, UInt32, Bool)] = [
      (0, 0, false), (0x1p-149, 0, true), (0x1p-126, 0, true), (0x1p-125, 0, false),
      (0x1p-124, 1, false), (.greatestFiniteMagnitude, 252, false),
    ]
    for (amax, code, clamped) in cases {
      let observed = try engine.exactScale(amax: amax, spec: spec, tensorScale: .one)
      #expect(observed.code == code && observed.clamped == clamped, "\(pattern(amax)): \(observed)")
    }
    let large = TensorScale(decode: 0x1p-100)
    let observed = try engine.exactScale(amax: 0x1p100, spec: spec, tensorScale: large)
    #expect(observed.code == 254 && observed.clamped)
  }

  @Test(
    "scales with a mantissa are a/(maxE·T), one rounding",
    arguments: ["ue4m3", "ue5m3", "fp16", "bf16"])
  func nearest(scale: String) throws {
    let catalog = try standard()
    var spec = try spec("nvfp4")
    spec.format.scale = try #require(catalog.scale(scale))
    let layout = spec.format.scale.layout
    let model = try #require(
      TableModel(ElementFormat(name: scale, kind: .float(layout.asSigned))))
    var random = TestBits(3)
    for tensorScale in [Float(1), 0x1.555556p-3, 0x1.adb6dcp-5, 0x1p-149, 0x1.fffffep90] {
      let full = 6 * Double(tensorScale)
      var amaxes = (0..<200).map { _ in abs(random.anyFloat()) }
      let landmarks = model.landmarks
      for index in stride(from: 0, to: landmarks.count, by: landmarks.count / 200 | 1) {
        let landmark = landmarks[index]
        let x = Float(landmark * full)
        amaxes += [x, x.nextUp, x.nextDown].filter { $0.isFinite && $0 > 0 }
      }
      for amax in amaxes where amax > 0 {
        let overflowing = model.encode(amax, over: full, .tiesToEven, overflow: .nonFinite)
        var expected = model.encode(amax, over: full, .tiesToEven)
        let clamped = expected == 0 || overflowing != expected
        if expected == 0 { expected = 1 }
        let observed = try engine.exactScale(
          amax: amax, spec: spec, tensorScale: TensorScale(decode: tensorScale))
        #expect(
          observed.code == expected && observed.clamped == clamped,
          "\(scale), T \(tensorScale), amax \(pattern(amax)): expected \(expected) \(clamped), observed \(observed)"
        )
      }
    }
  }

  @Test("an FP32 scale is a/maxE in float32, as the machine divides")
  func float32Scale() throws {
    let spec = try spec("fp8_1x128")
    var random = TestBits(17)
    let amaxes =
      (0..<2000).map { _ in abs(random.anyFloat()) }
      + [0x1p-149, 0x1p-141, 0x1.8p-141, 0x1p-126, .greatestFiniteMagnitude]
    for amax in amaxes where amax > 0 {
      let observed = try engine.exactScale(amax: amax, spec: spec, tensorScale: .one)
      let quotient = amax / 448
      let expected = quotient == 0 ? 1 : quotient.bitPattern
      #expect(observed.code == expected, "\(pattern(amax))")
      #expect(observed.clamped == (quotient == 0), "\(pattern(amax))")
    }
  }

  @Test("a power-of-two FP32 scale is the smallest that holds the maximum")
  func powerOfTwo() throws {
    let spec = try spec("fp8_1x128_pow2")
    let cases: [(Float, Float, Bool)] = [
      (448, 1, false), (Float(448).nextUp, 2, false), (Float(448).nextDown, 1, false),
      (224, 0.5, false), (0x1.cp-140, 0x1p-148, false), (0x1p-149, 0x1p-149, true),
      (.greatestFiniteMagnitude, 0x1p120, false), (1.75, 0x1p-8, false), (0, 0, false),
    ]
    for (amax, expected, clamped) in cases {
      let observed = try engine.exactScale(amax: amax, spec: spec, tensorScale: .one)
      #expect(
        observed.code == expected.bitPattern && observed.clamped == clamped,
        "\(pattern(amax)): expected \(pattern(expected)), observed \(observed)")
    }
  }

  @Test("the tensor scale: A/(maxS·maxE) rounded once, 1 for zeros, never 0, given ones checked")
  func tensorScale() throws {
    let spec = try spec("nvfp4")
    var random = TestBits(23)
    let amaxes = (0..<2000).map { _ in abs(random.anyFloat()) } + [.greatestFiniteMagnitude]
    for amax in amaxes where amax > 0x1p-130 {
      let observed = try engine.tensorScale(amax: amax, spec: spec)
      #expect(observed.decode == amax / 2688 && observed.encode == nil, "\(pattern(amax))")
    }
    #expect(try engine.tensorScale(amax: 0, spec: spec).decode == 1)
    #expect(try engine.tensorScale(amax: 0x1p-149, spec: spec).decode == 0x1p-149)
    let one = try #require(standard().block("mxfp4"))
    var other = spec
    other.format = one
    #expect(try engine.tensorScale(amax: 7, spec: other).decode == 1)
    other.tensorScale = .given(0.3)
    #expect(try engine.tensorScale(amax: 7, spec: other).decode == 0.3)
    for bad in [Float(0), -1, .nan, .infinity] {
      var wrong = spec
      wrong.tensorScale = .given(bad)
      #expect(throws: QuantizeError.self) { try engine.tensorScale(amax: 1, spec: wrong) }
    }
    var none = spec
    none.tensorScale = .none
    #expect(try engine.tensorScale(amax: 7, spec: none).decode == 1)
  }

  @Test("a NaN amax gives the scale's NaN")
  func nanAmax() throws {
    for (format, code) in [("mxfp4", UInt32(0xFF)), ("nvfp4", 0x7F), ("int8", 0x7FC0_0000)] {
      let observed = try engine.exactScale(
        amax: .nan, spec: try spec(format), tensorScale: .one)
      #expect(observed.code == code && !observed.clamped)
    }
  }
}

extension FloatLayout {
  /// The same magnitudes with a sign, so that the table of doubles takes them.
  fileprivate var asSigned: FloatLayout {
    var layout = self
    layout.signBits = 1
    return layout
  }
}

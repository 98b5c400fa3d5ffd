import FormatCatalog
import NumberFormats
import Reference
import Testing

/// Modes with a stand-in for every kind, stochastic with bits that never and always round up.
let everyRounding: [Rounding] = Rounding.deterministic + [.stochastic(bits: 8)]

@Suite("Elements: decoding and encoding")
struct ElementTests {
  static let elements: [String] = (try? FormatCatalog.standard().elements.map(\.name)) ?? []

  @Test("all elements of the table are here")
  func count() { #expect(Self.elements.count >= 30) }

  @Test("values of directed codes")
  func directed() throws {
    let cases: [(String, UInt32, Float)] = [
      ("e2m1", 0x7, 6), ("e2m1", 0x9, -0.5), ("e2m1", 0x8, -0.0), ("e2m3", 0x1F, 7.5),
      ("e2m3", 0x01, 0.125), ("e3m2", 0x1F, 28), ("e3m2", 0x01, 0.0625), ("e4m3", 0x7E, 448),
      ("e4m3", 0x01, 0x1p-9), ("e5m2", 0x7B, 57344), ("e5m2", 0x7C, .infinity),
      ("e5m2", 0xFC, -.infinity), ("e4m3_ieee", 0x77, 240), ("e3m4", 0x6F, 15.5),
      ("e4m3_fnuz", 0x7F, 240), ("e4m3_fnuz", 0x01, 0x1p-10), ("e5m2_fnuz", 0x7F, 57344),
      ("e4m3b11_fnuz", 0x7F, 30), ("e3m0", 0x1, 0.25), ("e3m0", 0x7, 16), ("e1m2", 0x7, 1.75),
      ("e0m3", 0xF, -1.75), ("int4", 0x8, -8), ("int8", 0x81, -127), ("mxint8", 0x7F, 127.0 / 64),
      ("mxint8", 0x80, -2), ("nf4", 0x0, -1), ("nf4", 0x7, 0), ("bf16", 0x3F80, 1),
      ("bf16", 0x0001, 0x1p-133), ("fp16", 0x0001, 0x1p-24), ("fp16", 0x7BFF, 65504),
      ("tf32", 0x1FC00, 1), ("tf32", 0x00001, 0x1p-136), ("int2", 0x3, -1),
    ]
    let catalog = try standard()
    for (name, code, value) in cases {
      let element = try #require(catalog.element(name))
      let observed = decode([code], element)[0]
      #expect(
        observed.bitPattern == value.bitPattern,
        "\(name) \(pattern(code)): expected \(pattern(value)), observed \(pattern(observed))")
    }
  }

  @Test("every code is the value of its fields, or NaN", arguments: elements)
  func fields(name: String) throws {
    let element = try #require(standard().element(name))
    guard case .float(let layout) = element.kind else { return }
    let codes = (0..<UInt32(element.codeCount)).map { $0 }
    let values = decode(codes, element)
    let sign = UInt32(1) << UInt32(layout.bits - 1)
    for code in codes {
      let magnitude = code & (sign - 1)
      let value = values[Int(code)]
      if magnitude <= layout.largestFiniteMagnitudeCode {
        if layout.nonFinite == .negativeZeroNaN && code == sign { continue }
        let expected = TableModel.value(magnitude, layout) * (code & sign == 0 ? 1 : -1)
        #expect(Double(value) == expected, "\(name) \(pattern(code)): \(pattern(value))")
        #expect((value.sign == .minus) == (code & sign != 0), "\(name) \(pattern(code))")
      } else {
        let isInfinity =
          layout.nonFinite == .ieee && magnitude == layout.largestFiniteMagnitudeCode + 1
        #expect(isInfinity ? value.isInfinite : value.bitPattern == 0x7FC0_0000)
      }
    }
  }

  @Test("a decoded value encodes to its own code under every rounding", arguments: elements)
  func identity(name: String) throws {
    let element = try #require(standard().element(name))
    let stride = element.bits > 12 ? 7 : 1
    for overflow in Overflow.allCases {
      let codes = Swift.stride(from: 0, to: UInt32(element.codeCount), by: stride).filter { code in
        let value = decode([code], element)[0]
        if value.isNaN || (value.isInfinite && overflow == .saturate) { return false }
        // Symmetric integers decode their most negative code but never write it.
        guard case .integer(let layout) = element.kind, layout.encoding == .twosComplement,
          !layout.fullRange
        else { return true }
        return code != 1 << UInt32(layout.bits - 1)
      }
      let values = decode(codes, element)
      for rounding in everyRounding {
        let bits = RandomBits.given([UInt32](repeating: 255, count: values.count))
        let options = EncodeOptions(rounding: rounding, overflow: overflow, randomBits: bits)
        expectEqual(
          try encode(values, element, options), codes, inputs: values,
          "\(name), \(rounding), \(overflow)")
      }
    }
  }

  @Test("equals a table of doubles around every boundary and at random", arguments: elements)
  func model(name: String) throws {
    let element = try #require(standard().element(name))
    guard let model = TableModel(element) else { return }
    let inputs = Self.inputs(model)
    var random = TestBits(11)
    let bits = inputs.map { _ in random.next() & 255 }
    for overflow in Overflow.allCases {
      for rounding in everyRounding {
        let options = EncodeOptions(
          rounding: rounding, overflow: overflow, randomBits: .given(bits))
        let expected = zip(inputs, bits).map {
          model.encode($0, rounding, random: $1, overflow: overflow)
        }
        expectEqual(
          try encode(inputs, element, options), expected, inputs: inputs,
          "\(name), \(rounding), \(overflow)")
      }
    }
  }

  /// Boundaries with their float neighbours, of both signs, the extremes, and random numbers. Wide
  /// formats are sampled.
  static func inputs(_ model: TableModel) -> [Float] {
    let landmarks = model.landmarks
    let step = max(1, landmarks.count / 600) | 1
    var magnitudes: [Float] = [
      0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, .infinity,
    ]
    let chosen =
      stride(from: 0, to: landmarks.count, by: step).map { landmarks[$0] } + landmarks.suffix(8)
    for landmark in chosen {
      let value = Float(landmark)
      magnitudes += [value, value.nextUp, max(0, value.nextDown)]
    }
    var random = TestBits(7)
    for _ in 0..<400 {
      magnitudes.append(abs(random.anyFloat()))
      magnitudes.append(abs(random.float(Float(min(model.largest * 1.3, 3e38)))))
    }
    return magnitudes.flatMap { [$0, -$0] }
  }
}

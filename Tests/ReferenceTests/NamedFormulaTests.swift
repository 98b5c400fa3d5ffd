import FormatCatalog
import NumberFormats
import Reference
import Testing

/// BF16 numbers with many ties: small integers times a few powers of two.
private func tieRich(_ count: Int, seed: UInt64) -> [Float] {
  var random = TestBits(seed)
  return (0..<count).map { _ in
    let units = Float(Int(random.next() % 255) - 127)
    return units * Float(sign: .plus, exponent: Int(random.next() % 5) - 9, significand: 1)
  }
}

@Suite("Named recipes against formulas in the machine's float32")
struct NamedFormulaTests {
  /// One stack's steps written out: the tensor scale's G and P, the scale before rounding, and the
  /// quotient.
  struct Stack: Sendable {
    var name: String
    var scale: @Sendable (_ a: Float, _ g: Float, _ p: Float) -> Float
    var quotient: @Sendable (_ x: Float, _ s: Float, _ g: Float, _ p: Float) -> Float
    var usesG: Bool
  }

  static let stacks: [Stack] = {
    let te: @Sendable (Float, Float, Float, Float) -> Float = { x, s, g, _ in
      x * min(1 / (s * (1 / g)), .greatestFiniteMagnitude)
    }
    let sixth = Float(1) / 6
    return [
      Stack(name: "te-2.15", scale: { a, g, _ in a * (g * sixth) }, quotient: te, usesG: true),
      Stack(name: "te-2.14-t", scale: { a, g, _ in a / 6 * g }, quotient: te, usesG: true),
      Stack(name: "te-2.14-n", scale: { a, g, _ in a * sixth * g }, quotient: te, usesG: true),
      Stack(
        name: "torchao-nvfp4", scale: { a, _, p in min(448, max(0x1p-6, a / 6 / p)) },
        quotient: { x, s, _, p in x * ((1 / p) / s) }, usesG: false),
      Stack(
        name: "mslk-nvfp4", scale: { a, g, _ in min(448, max(0x1p-9, a / 6 * g)) },
        quotient: { x, s, g, _ in x * (g / s) }, usesG: true),
      Stack(
        name: "modelopt-nvfp4",
        scale: { a, _, p in
          let t = a / (6 * p)
          return min(448, max(0x1p-9, t == 0 ? 1 : t))
        }, quotient: { x, s, _, p in x / (s * p) }, usesG: false),
      Stack(
        name: "vllm-ref", scale: { a, g, _ in a * sixth * g },
        quotient: { x, s, g, _ in
          func r(_ v: Float) -> Float { 1 / (v == 0 ? v + 1e8 : v) }
          return x * r(s * r(g))
        }, usesG: true),
    ]
  }()

  @Test("scales and codes on tie-rich BF16 data", arguments: stacks.map(\.name))
  func formulas(name: String) throws {
    let stack = try #require(Self.stacks.first { $0.name == name })
    let spec = try namedSpec(name, "nvfp4")
    let elements = try #require(TableModel(spec.format.element))
    let scales = try #require(
      TableModel(
        ElementFormat(
          name: "e4m3",
          kind: .float(
            FloatLayout(
              signBits: 1, exponentBits: 4, mantissaBits: 3, bias: 7, nonFinite: .allOnesNaN)),
          canonicalNaN: 0x7F)))
    let values = tieRich(16 * 400, seed: 71).map { $0 == 0 ? 0 : $0 }
    let amax = values.reduce(Float(0)) { max($0, abs($1)) }
    let g = 2688 / amax
    let p = amax / 2688
    let scale = try engine.tensorScale(amax: amax, spec: spec)
    #expect(stack.usesG ? scale.encode == g && scale.decode == 1 / g : scale.decode == p)
    let grid = try BlockGrid(shape: [values.count], block: .line(16))
    let observed = try quantize(values, grid, spec, tensorScale: scale)
    var expectedScales: [UInt32] = []
    var expectedCodes: [UInt32] = []
    for start in stride(from: 0, to: values.count, by: 16) {
      let block = values[start..<(start + 16)]
      let a = block.reduce(Float(0)) { max($0, abs($1)) }
      let code = scales.encode(stack.scale(a, g, p), .tiesToEven)
      let s = decodeScales([code], spec.format.scale)[0]
      expectedScales.append(code)
      expectedCodes += block.map { elements.encode(stack.quotient($0, s, g, p), .tiesToEven) }
    }
    #expect(observed.scales == expectedScales)
    expectEqual(observed.codes, expectedCodes, inputs: values, name)
  }

  @Test("4over6 takes 4 where its error is smaller, a tie takes 6")
  func fourOverSix() throws {
    for (name, numerator) in [("te-4over6", Float(1536)), ("te-4over6-2688", 2688)] {
      let spec = try namedSpec(name, "nvfp4")
      let elements = try #require(TableModel(spec.format.element))
      let values = tieRich(16 * 300, seed: 5).map { $0 == 0 ? 0 : $0 }
      let amax = values.reduce(Float(0)) { max($0, abs($1)) }
      let g = numerator / amax
      let scale = try engine.tensorScale(amax: amax, spec: spec)
      #expect(scale.encode == g)
      let grid = try BlockGrid(shape: [values.count], block: .line(16))
      let observed = try quantize(values, grid, spec, tensorScale: scale)
      var fours = 0
      for block in 0..<grid.blockCount {
        let part = values[(16 * block)..<(16 * block + 16)]
        let a = part.reduce(Float(0)) { max($0, abs($1)) }
        func candidate(_ t: Float) -> (code: UInt32, codes: [UInt32], error: Float) {
          let code = encodeScales([min(448, t)], spec.format.scale)[0]
          let s = decodeScales([code], spec.format.scale)[0]
          let factor = min(1 / (s * (1 / g)), Float.greatestFiniteMagnitude)
          let codes = part.map { elements.encode($0 * factor, .tiesToEven) }
          let read = decode(codes, spec.format.element)
          let error = zip(read, part).reduce(Float(0)) {
            $0 + abs($1.0 * s * amax / numerator - $1.1)
          }
          return (code, codes, error)
        }
        let six = candidate(a / 6 * g)
        let four = candidate(a / 6 * g * 1.5)
        let chosen = four.error < six.error ? four : six
        if four.error < six.error { fours += 1 }
        #expect(observed.scales[block] == chosen.code, "\(name), block \(block)")
        #expect(Array(observed.codes[(16 * block)..<(16 * block + 16)]) == chosen.codes)
      }
      #expect(fours > 20 && fours < 280, "both candidates are met: \(fours)")
    }
  }
}

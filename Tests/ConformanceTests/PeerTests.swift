import FastPath
import FormatCatalog
import NumberFormats
import Reference
import Testing

/// Every engine that must reproduce the outside witnesses.
let engines: [any QuantizationEngine] =
  [MPFREngine()] + VectorTarget.available.compactMap { try? VectorEngine(target: $0) }

@Suite("Other people's quantisers, bit for bit")
struct PeerTests {
  @Test("all 79 cases are present")
  func count() { #expect(PeerCase.all.count == 79) }

  @Test("codes, scales, tensor scale and dequantised values", arguments: PeerCase.all)
  func matches(peer: PeerCase) throws {
    let catalog = try FormatCatalog.standard()
    let mapped = try PeerSpec(peer)
    let spec = try mapped.quantization(peer, catalog)
    let (values, shape) = try peer.values()
    let grid = try BlockGrid(shape: shape, block: .line(mapped.block))
    let amax = values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
    for engine in engines {
      let tensorScale = try engine.tensorScale(amax: amax, spec: spec)
      let result = try Quantized(
        values, grid: grid, spec: spec, tensorScale: tensorScale, engine: engine)
      let place = "\(peer.name), \(engine.name)"
      if let expected = try PeerCodes(peer) {
        expectEqual(result.scales, expected.scales, "\(place): scale of block")
        expectEqual(result.codes, expected.codes, "\(place): code of element")
      }
      if peer.files["dequantized"] != nil {
        let expected = try peer.file("dequantized").floats()
        // microxcaling never makes codes: its float results keep the sign of a zero that two's
        // complement has no code for.
        let unsigned = peer.stack == "microxcaling" && spec.format.element.hasOneZero
        expectSameFloats(
          result.dequantized, unsigned ? expected.map { $0 == 0 ? 0 : $0 } : expected,
          "\(place): dequantised element", input: values)
      }
      if peer.files["tensor_scale"] != nil {
        let expected = try peer.file("tensor_scale").floats()
        expectSameFloats([tensorScale.decode], expected, "\(place): tensor scale")
      }
      if peer.files["global_scale"] != nil {
        let expected = try peer.file("global_scale").floats()
        expectSameFloats(
          [try #require(tensorScale.encode)], expected, "\(place): encode-side tensor scale")
      }
      if peer.files["codes_as_values"] != nil {
        try matchesValues(peer, spec, result, engine, place)
      }
    }
  }

  /// Cases that hold decoded element values and scales.
  private func matchesValues(
    _ peer: PeerCase, _ spec: QuantizationSpec, _ result: Quantized,
    _ engine: any QuantizationEngine, _ place: String
  ) throws {
    let scales = try peer.file("scale").bytes().map(UInt32.init)
    expectEqual(result.scales, scales, "\(place): scale of block")
    let scaleValues = decodeScales(result.scales, spec.format.scale, engine)
    expectSameFloats(
      scaleValues, try peer.file("scale_value").floats(), "\(place): scale value of block")
    let values = decodeCodes(result.codes, spec.format.element, engine)
    expectSameFloats(
      values, try peer.file("codes_as_values").floats(), "\(place): value of element")
  }
}

extension ElementFormat {
  /// Whether the format has no negative zero.
  fileprivate var hasOneZero: Bool {
    if case .integer(let layout) = kind { return layout.encoding == .twosComplement }
    return false
  }
}

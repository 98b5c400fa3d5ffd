import FormatCatalog
import NumberFormats
import Testing

@Suite("Swift's Float16, all 65,536 FP16 and BF16 inputs")
struct Float16Tests {
  @Test("encoding to FP16 with infinities rounds as the language's own conversion")
  func encodes() throws {
    let element = try #require(FormatCatalog.standard().element("fp16"))
    let options = EncodeOptions(overflow: .nonFinite)
    let inputs = (UInt32(0)...0xffff).flatMap { bits in
      [Float(bitPattern: bits << 16), Float(Float16(bitPattern: UInt16(bits)))]
    }.filter { !$0.isNaN }
    let expected = inputs.map { UInt32(Float16($0).bitPattern) }
    for engine in engines {
      let observed = try encode(inputs, element, options, engine)
      expectEqual(observed, expected, "fp16, \(engine.name): input")
    }
  }
}

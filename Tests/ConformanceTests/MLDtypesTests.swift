import FormatCatalog
import FoundationEssentials
import NumberFormats
import Reference
import TensorIO
import Testing

/// The casts of ml_dtypes 0.6.0 (golden/ml_dtypes, its manifest): `from_fp16` and `from_bf16` hold
/// the code of every FP16 and BF16 bit pattern, `decode` the float32 bits of every code.
@Suite("ml_dtypes, all 65,536 FP16 and BF16 inputs")
struct MLDtypesTests {
  static let elementTypes = [
    "float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn", "float8_e3m4", "float8_e4m3",
    "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz",
    "bfloat16",
  ]

  @Test("encoding with infinities and ml_dtypes' NaN codes", arguments: elementTypes)
  func encodes(type: String) throws {
    let element = try #require(FormatCatalog.standard().element(type))
    let options = EncodeOptions(overflow: .nonFinite, nan: .mlDtypes)
    for (array, inputs) in [("from_fp16", Self.fp16), ("from_bf16", Self.bf16)] {
      let expected = try Self.codes(type, array)
      for engine in engines {
        let observed = try encode(inputs, element, options, engine)
        expectEqual(observed, expected, "\(type), \(array), \(engine.name): input")
      }
    }
  }

  @Test("decoding", arguments: elementTypes)
  func decodes(type: String) throws {
    let element = try #require(FormatCatalog.standard().element(type))
    let expected = try Self.codes(type, "decode").map { Float(bitPattern: $0) }
    let codes = (0..<UInt32(expected.count)).map { $0 }
    for engine in engines {
      expectSameFloats(
        decodeCodes(codes, element, engine), expected, "\(type), \(engine.name): code")
    }
  }

  /// ml_dtypes rounds up what lies between 2^-127 and 1.5·2^-127, where the nearest is 2^-127: the
  /// 31 BF16 patterns 0x41 to 0x5F. Everything else is nearest, ties up.
  @Test("E8M0 by itself, but for 31 inputs that ml_dtypes does not round to nearest")
  func scales() throws {
    let format = try #require(FormatCatalog.standard().scale("float8_e8m0fnu"))
    for (array, inputs) in [("from_fp16", Self.fp16), ("from_bf16", Self.bf16)] {
      var expected = try Self.codes("float8_e8m0fnu", array)
      if array == "from_bf16" {
        for index in 0x41...0x5F {
          #expect(expected[index] == 1)
          expected[index] = 0
        }
      }
      for engine in engines {
        var observed = [UInt32](repeating: 0, count: inputs.count)
        inputs.withUnsafeBufferPointer { values in
          observed.withUnsafeMutableBufferPointer {
            engine.encodeScales(values, format: format, into: $0)
          }
        }
        expectEqual(observed, expected, "float8_e8m0fnu, \(array), \(engine.name): input")
      }
    }
    let decoded = try Self.codes("float8_e8m0fnu", "decode").map { Float(bitPattern: $0) }
    for engine in engines {
      expectSameFloats(
        decodeScales((0..<256).map { $0 }, format, engine), decoded,
        "float8_e8m0fnu, \(engine.name): code")
    }
  }

  static let bf16: [Float] = (0..<65536).map { Float(bitPattern: UInt32($0) << 16) }

  static let fp16: [Float] = (0..<65536).map { value(ofHalf: UInt32($0)) }

  private static func value(ofHalf bits: UInt32) -> Float {
    let sign = (bits & 0x8000) << 16
    let field = (bits >> 10) & 31
    let fraction = bits & 1023
    if field == 31 { return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13) }
    if field != 0 { return Float(bitPattern: sign | (field + 112) << 23 | fraction << 13) }
    let magnitude = Float(fraction) * 0x1p-24
    return sign == 0 ? magnitude : -magnitude
  }

  private static func codes(_ type: String, _ array: String) throws -> [UInt32] {
    let path = goldenFolder.appending(path: "ml_dtypes/\(type).npz").path
    let file = try TensorFile.open(path)
    let tensor = try #require(file.tensor(named: array))
    var bytes = [UInt8](repeating: 0, count: tensor.byteRange.count)
    try bytes.withUnsafeMutableBytes { raw in
      try file.readBytes(tensor, range: 0..<raw.count, into: raw)
    }
    return widen(bytes, tensor.dtype.bits / 8)
  }
}

func encode(
  _ values: [Float], _ element: ElementFormat, _ options: EncodeOptions,
  _ engine: any QuantizationEngine
) throws -> [UInt32] {
  var bytes = [UInt8](repeating: 0, count: values.count * element.codeBytes)
  try values.withUnsafeBufferPointer { input in
    try bytes.withUnsafeMutableBytes { raw in
      try engine.encode(input, element: element, options: options, into: raw)
    }
  }
  return widen(bytes, element.codeBytes)
}

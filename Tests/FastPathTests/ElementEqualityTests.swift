import FastPath
import NumberFormats
import Reference
import Testing

/// All 65,536 BF16 and all 65,536 FP16 numbers as float32, NaN only where asked for.
func allInputs(nan: Bool) -> [Float] {
  var inputs: [Float] = []
  for bits in UInt32(0)...0xffff {
    let bf16 = Float(bitPattern: bits << 16)
    if nan || !bf16.isNaN { inputs.append(bf16) }
    let fp16 = Float(Float16(bitPattern: UInt16(bits)))
    if nan || !fp16.isNaN { inputs.append(fp16) }
  }
  return inputs
}

func encoded(
  _ engine: any QuantizationEngine, _ values: [Float], _ element: ElementFormat,
  _ options: EncodeOptions
) throws -> [UInt8] {
  var codes = [UInt8](repeating: 0, count: values.count * element.codeBytes)
  try values.withUnsafeBufferPointer { values in
    try codes.withUnsafeMutableBytes {
      try engine.encode(values, element: element, options: options, into: $0)
    }
  }
  return codes
}

@Suite("Elements: fast path equals reference")
struct ElementEqualityTests {
  @Test("Every code decodes equally", arguments: catalog.elements.map(\.name))
  func decodes(name: String) throws {
    let element = try #require(catalog.element(name))
    let count = 1 << element.bits
    var codes = [UInt8](repeating: 0, count: count * element.codeBytes)
    codes.withUnsafeMutableBytes { raw in
      for value in 0..<count {
        switch element.codeBytes {
        case 1: raw[value] = UInt8(value)
        case 2: raw.storeBytes(of: UInt16(value), toByteOffset: value * 2, as: UInt16.self)
        default: raw.storeBytes(of: UInt32(value), toByteOffset: value * 4, as: UInt32.self)
        }
      }
    }
    func decode(_ engine: any QuantizationEngine) -> [UInt32] {
      var output = [Float](repeating: 0, count: count)
      codes.withUnsafeBytes { codes in
        output.withUnsafeMutableBufferPointer {
          engine.decode(codes: codes, element: element, into: $0)
        }
      }
      return output.map { $0.isNaN ? 0x7fc0_0000 : $0.bitPattern }
    }
    let expected = decode(MPFREngine())
    for target in VectorTarget.available {
      let observed = decode(try VectorEngine(target: target))
      for value in 0..<count where observed[value] != expected[value] {
        Issue.record(
          "\(name) \(target) code \(hex(UInt32(value))): expected \(hex(expected[value])), observed \(hex(observed[value]))"
        )
        return
      }
    }
  }

  @Test(
    "Every BF16 and FP16 input encodes equally in every rounding and overflow",
    arguments: catalog.elements.map(\.name))
  func encodes(name: String) throws {
    let element = try #require(catalog.element(name))
    let inputs = allInputs(nan: element.canonicalNaN != nil)
    let roundings =
      Rounding.deterministic + [.stochastic(bits: 1), .stochastic(bits: 8), .stochastic(bits: 32)]
    for rounding in roundings {
      for overflow in Overflow.allCases {
        for nan in NaNPolicy.allCases {
          if nan == .mlDtypes && (element.mlDtypesNaN == nil || overflow == .saturate) { continue }
          let options = EncodeOptions(rounding: rounding, overflow: overflow, nan: nan)
          let expected = try encoded(MPFREngine(), inputs, element, options)
          for target in VectorTarget.available {
            let observed = try encoded(VectorEngine(target: target), inputs, element, options)
            guard observed != expected else { continue }
            let bytes = element.codeBytes
            for index in inputs.indices
            where code(observed, index, bytes) != code(expected, index, bytes) {
              Issue.record(
                "\(name) \(rounding) \(overflow) \(nan) \(target): input \(described(inputs[index])), expected \(hex(code(expected, index, bytes))), observed \(hex(code(observed, index, bytes)))"
              )
              return
            }
          }
        }
      }
    }
  }

  @Test(
    "Every BF16 and FP16 input encodes equally as a scale", arguments: catalog.scales.map(\.name))
  func encodesScales(name: String) throws {
    let format = try #require(catalog.scale(name))
    let inputs = allInputs(nan: true)
    func encode(_ engine: any QuantizationEngine) -> [UInt32] {
      var codes = [UInt32](repeating: 0, count: inputs.count)
      inputs.withUnsafeBufferPointer { values in
        codes.withUnsafeMutableBufferPointer {
          engine.encodeScales(values, format: format, into: $0)
        }
      }
      return codes
    }
    let expected = encode(MPFREngine())
    for target in VectorTarget.available {
      let observed = encode(try VectorEngine(target: target))
      for index in inputs.indices where observed[index] != expected[index] {
        Issue.record(
          "\(name) \(target): input \(described(inputs[index])), expected \(hex(expected[index])), observed \(hex(observed[index]))"
        )
        return
      }
    }
  }
}

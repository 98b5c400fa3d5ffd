import NumberFormats
import Testing

/// A tensor quantised by an engine, codes widened to one UInt32 each.
struct Quantized {
  var codes: [UInt32]
  var scales: [UInt32]
  var dequantized: [Float]

  init(
    _ values: [Float], grid: BlockGrid, spec: QuantizationSpec, tensorScale: TensorScale,
    engine: any QuantizationEngine
  ) throws {
    let width = spec.format.element.codeBytes
    var bytes = [UInt8](repeating: 0, count: values.count * width)
    var stored = [UInt32](repeating: 0, count: grid.blockCount)
    var output = [Float](repeating: 0, count: values.count)
    try values.withUnsafeBufferPointer { input in
      try bytes.withUnsafeMutableBytes { raw in
        try stored.withUnsafeMutableBufferPointer { scales in
          _ = try engine.quantize(
            input, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: 0,
            scalesGiven: false, codes: raw, scales: scales)
        }
      }
    }
    bytes.withUnsafeBytes { raw in
      stored.withUnsafeBufferPointer { scales in
        output.withUnsafeMutableBufferPointer { floats in
          engine.dequantize(
            codes: raw, scales: scales, grid: grid, spec: spec, tensorScale: tensorScale,
            into: floats)
        }
      }
    }
    codes = widen(bytes, width)
    scales = stored
    dequantized = output
  }
}

/// Little-endian codes of `width` bytes each.
func widen(_ bytes: [UInt8], _ width: Int) -> [UInt32] {
  stride(from: 0, to: bytes.count, by: width).map { start in
    bytes[start..<(start + width)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
  }
}

func decodeScales(
  _ scales: [UInt32], _ format: ScaleFormat, _ engine: any QuantizationEngine
) -> [Float] {
  var output = [Float](repeating: 0, count: scales.count)
  scales.withUnsafeBufferPointer { codes in
    output.withUnsafeMutableBufferPointer {
      engine.decodeScales(codes, format: format, into: $0)
    }
  }
  return output
}

func decodeCodes(
  _ codes: [UInt32], _ element: ElementFormat, _ engine: any QuantizationEngine
) -> [Float] {
  let width = element.codeBytes
  let bytes = codes.flatMap { code in
    (0..<width).map { UInt8(truncatingIfNeeded: code >> UInt32(8 * $0)) }
  }
  var output = [Float](repeating: 0, count: codes.count)
  bytes.withUnsafeBytes { raw in
    output.withUnsafeMutableBufferPointer { engine.decode(codes: raw, element: element, into: $0) }
  }
  return output
}

/// Hexadecimal and binary of a pattern.
func pattern(_ bits: UInt32) -> String {
  "0x\(String(bits, radix: 16)) (0b\(String(bits, radix: 2)))"
}

/// Reports how many differ, and the first places.
func expectEqual(
  _ observed: [UInt32], _ expected: [UInt32], _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(observed.count == expected.count, "\(what): count", sourceLocation: sourceLocation)
  let places = zip(observed, expected).enumerated().filter { $1.0 != $1.1 }
  let first = places.prefix(4).map {
    "\($0.offset): expected \(pattern($0.element.1)), observed \(pattern($0.element.0))"
  }
  #expect(
    places.isEmpty, "\(what): \(places.count) differ; \(first.joined(separator: "; "))",
    sourceLocation: sourceLocation)
}

/// Equal bits, or both NaN.
func expectSameFloats(
  _ observed: [Float], _ expected: [Float], _ what: String, input: [Float] = [],
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(observed.count == expected.count, "\(what): count", sourceLocation: sourceLocation)
  let places = zip(observed, expected).enumerated().filter { _, pair in
    pair.0.bitPattern != pair.1.bitPattern && !(pair.0.isNaN && pair.1.isNaN)
  }
  let first = places.prefix(4).map { place in
    let x = place.offset < input.count ? " of \(input[place.offset])" : ""
    return "\(place.offset)\(x): expected \(place.element.1) "
      + "\(pattern(place.element.1.bitPattern)), observed \(place.element.0) "
      + pattern(place.element.0.bitPattern)
  }
  #expect(
    places.isEmpty, "\(what): \(places.count) differ; \(first.joined(separator: "; "))",
    sourceLocation: sourceLocation)
}

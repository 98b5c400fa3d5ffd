import FormatCatalog
import NumberFormats
import Reference
import Testing

let engine = MPFREngine()

func standard() throws -> FormatCatalog { try FormatCatalog.standard() }

/// A tensor quantised by the reference, codes widened to UInt32.
struct Quantized: Equatable {
  var codes: [UInt32]
  var scales: [UInt32]
  var clamped: Int
}

func quantize(
  _ values: [Float], _ grid: BlockGrid, _ spec: QuantizationSpec,
  tensorScale: TensorScale? = nil, firstElement: Int = 0, given: [UInt32]? = nil
) throws -> Quantized {
  let width = spec.format.element.codeBytes
  let amax = values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
  let scale = try tensorScale ?? engine.tensorScale(amax: amax, spec: spec)
  var bytes = [UInt8](repeating: 0xAA, count: values.count * width)
  var scales = given ?? [UInt32](repeating: 0xAAAA_AAAA, count: grid.blockCount)
  var counts = QuantizeCounts()
  try values.withUnsafeBufferPointer { input in
    try bytes.withUnsafeMutableBytes { raw in
      try scales.withUnsafeMutableBufferPointer { stored in
        counts = try engine.quantize(
          input, grid: grid, spec: spec, tensorScale: scale, firstElement: firstElement,
          scalesGiven: given != nil, codes: raw, scales: stored)
      }
    }
  }
  return Quantized(codes: widen(bytes, width), scales: scales, clamped: counts.clampedScales)
}

/// One block along the last axis of a vector.
func quantizeBlock(
  _ values: [Float], _ spec: QuantizationSpec, tensorScale: TensorScale? = nil,
  given: UInt32? = nil
) throws -> Quantized {
  let grid = try BlockGrid(shape: [values.count], block: .line(max(1, values.count)))
  return try quantize(
    values, grid, spec, tensorScale: tensorScale, given: given.map { [$0] })
}

func dequantize(
  _ codes: [UInt32], _ scales: [UInt32], _ grid: BlockGrid, _ spec: QuantizationSpec,
  tensorScale: TensorScale = .one
) -> [Float] {
  let bytes = narrow(codes, spec.format.element.codeBytes)
  var output = [Float](repeating: 0, count: codes.count)
  bytes.withUnsafeBytes { raw in
    scales.withUnsafeBufferPointer { stored in
      output.withUnsafeMutableBufferPointer {
        engine.dequantize(
          codes: raw, scales: stored, grid: grid, spec: spec, tensorScale: tensorScale, into: $0)
      }
    }
  }
  return output
}

func encode(
  _ values: [Float], _ element: ElementFormat, _ options: EncodeOptions = EncodeOptions()
) throws -> [UInt32] {
  var bytes = [UInt8](repeating: 0xAA, count: values.count * element.codeBytes)
  try values.withUnsafeBufferPointer { input in
    try bytes.withUnsafeMutableBytes { raw in
      try engine.encode(input, element: element, options: options, into: raw)
    }
  }
  return widen(bytes, element.codeBytes)
}

func decode(_ codes: [UInt32], _ element: ElementFormat) -> [Float] {
  var output = [Float](repeating: 0, count: codes.count)
  narrow(codes, element.codeBytes).withUnsafeBytes { raw in
    output.withUnsafeMutableBufferPointer { engine.decode(codes: raw, element: element, into: $0) }
  }
  return output
}

func encodeScales(_ values: [Float], _ format: ScaleFormat) -> [UInt32] {
  var output = [UInt32](repeating: 0, count: values.count)
  values.withUnsafeBufferPointer { input in
    output.withUnsafeMutableBufferPointer {
      engine.encodeScales(input, format: format, into: $0)
    }
  }
  return output
}

func decodeScales(_ codes: [UInt32], _ format: ScaleFormat) -> [Float] {
  var output = [Float](repeating: 0, count: codes.count)
  codes.withUnsafeBufferPointer { input in
    output.withUnsafeMutableBufferPointer {
      engine.decodeScales(input, format: format, into: $0)
    }
  }
  return output
}

private func widen(_ bytes: [UInt8], _ width: Int) -> [UInt32] {
  stride(from: 0, to: bytes.count, by: width).map { start in
    bytes[start..<(start + width)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
  }
}

private func narrow(_ codes: [UInt32], _ width: Int) -> [UInt8] {
  codes.flatMap { code in
    (0..<width).map { UInt8(truncatingIfNeeded: code >> UInt32(8 * $0)) }
  }
}

/// Hexadecimal and binary of a pattern.
func pattern(_ bits: UInt32) -> String {
  "0x\(String(bits, radix: 16)) (0b\(String(bits, radix: 2)))"
}

func pattern(_ value: Float) -> String { "\(value) \(pattern(value.bitPattern))" }

/// Reports the first places where two results differ.
func expectEqual(
  _ observed: [UInt32], _ expected: [UInt32], inputs: [Float], _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(observed.count == expected.count, "\(what)", sourceLocation: sourceLocation)
  let places = observed.indices.filter { observed[$0] != expected[$0] }
  let first = places.prefix(4).map { index in
    "input \(pattern(inputs[index])): expected \(pattern(expected[index])), "
      + "observed \(pattern(observed[index]))"
  }
  #expect(
    places.isEmpty, "\(what): \(places.count) differ; \(first.joined(separator: "; "))",
    sourceLocation: sourceLocation)
}

/// A small fixed sequence of bits (xorshift64*), so that a failure repeats.
struct TestBits {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt32 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return UInt32(truncatingIfNeeded: (state &* 2_685_821_657_736_338_717) >> 32)
  }

  /// A finite float of any exponent.
  mutating func anyFloat() -> Float {
    while true {
      let value = Float(bitPattern: next())
      if value.isFinite { return value }
    }
  }

  /// A float between −scale and scale, spread evenly.
  mutating func float(_ scale: Float) -> Float {
    (Float(next() >> 8) * 0x1p-23 - 1) * scale
  }
}

import FastPath
import NumberFormats
import Reference

/// An engine that gives the results of every operation.
public typealias VectorsEngine = QuantizationEngine & MatmulEngine

extension VectorSpec {
  /// The result of one case by an engine.
  func result(_ inputs: [UInt64], engine: any VectorsEngine) throws(VectorsError) -> [UInt64] {
    if operation.isSum { return try summed(inputs, engine) }
    do throws(QuantizeError) {
      switch operation {
      case .decode: return [decoded(inputs[0], engine)]
      case .encode: return try encoded(inputs[0], engine)
      case .scale: return try scaled(inputs, engine)
      case .quantize: return try quantized(inputs, engine)
      case .dequantize: return try dequantized(inputs, engine)
      case .product, .dot, .mma, .matmul: return []
      }
    } catch { throw .refused("\(operation.rawValue): \(error)") }
  }

  private var format: BlockFormat { quantization.format }

  private func decoded(_ code: UInt64, _ engine: any VectorsEngine) -> UInt64 {
    var little = UInt32(truncatingIfNeeded: code).littleEndian
    var value: Float = 0
    withUnsafeBytes(of: &little) { bytes in
      withUnsafeMutablePointer(to: &value) {
        engine.decode(
          codes: bytes, element: format.element,
          into: UnsafeMutableBufferPointer(start: $0, count: 1))
      }
    }
    return UInt64(value.bitPattern)
  }

  private func encoded(
    _ pattern: UInt64, _ engine: any VectorsEngine
  ) throws(QuantizeError) -> [UInt64] {
    let values = [Float(bitPattern: UInt32(truncatingIfNeeded: pattern))]
    let options = EncodeOptions(rounding: quantization.rounding ?? .tiesToEven)
    var codes = [UInt8](repeating: 0, count: 4)
    let outcome = codes.withUnsafeMutableBytes { codes in
      values.withUnsafeBufferPointer { values in
        Result { () throws(QuantizeError) in
          try engine.encode(values, element: format.element, options: options, into: codes)
        }
      }
    }
    try outcome.get()
    return [codes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }]
  }

  /// The tensor's scale: the field's number as the decode-side factor.
  private func tensorScale(
    _ inputs: [UInt64], _ engine: any VectorsEngine
  ) throws(QuantizeError) -> TensorScale {
    guard hasTensorScale, let last = inputs.last else {
      var none = quantization
      if none.format.hasTensorScale, none.tensorScale == .auto { none.tensorScale = .none }
      return try engine.tensorScale(amax: 1, spec: none)
    }
    var given = quantization
    given.tensorScale = .given(Float(bitPattern: UInt32(truncatingIfNeeded: last)))
    return try engine.tensorScale(amax: 1, spec: given)
  }

  private func scaled(
    _ inputs: [UInt64], _ engine: any VectorsEngine
  ) throws(QuantizeError) -> [UInt64] {
    let amax = Float(bitPattern: UInt32(truncatingIfNeeded: inputs[0]))
    let factor = try tensorScale(inputs, engine)
    if quantization.recipe.isExact {
      let scale = try engine.exactScale(amax: amax, spec: quantization, tensorScale: factor)
      return [UInt64(scale.code)]
    }
    var values = [Float](repeating: 0, count: lanes)
    values[0] = amax
    return [try quantized(values, factor, engine).scale]
  }

  private func quantized(
    _ inputs: [UInt64], _ engine: any VectorsEngine
  ) throws(QuantizeError) -> [UInt64] {
    let values = inputs[..<lanes].map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
    let result = try quantized(values, tensorScale(inputs, engine), engine)
    return result.codes + [result.scale]
  }

  private func quantized(
    _ values: [Float], _ factor: TensorScale, _ engine: any VectorsEngine
  ) throws(QuantizeError) -> (codes: [UInt64], scale: UInt64) {
    guard let grid = try? grid() else { return ([], 0) }
    let width = format.element.codeBytes
    var bytes = [UInt8](repeating: 0, count: lanes * width)
    var scales: [UInt32] = [0]
    let outcome = bytes.withUnsafeMutableBytes { codes in
      scales.withUnsafeMutableBufferPointer { scales in
        values.withUnsafeBufferPointer { values in
          Result { () throws(QuantizeError) in
            _ = try engine.quantize(
              values, grid: grid, spec: quantization, tensorScale: factor, firstElement: 0,
              scalesGiven: false, codes: codes, scales: scales)
          }
        }
      }
    }
    try outcome.get()
    let codes = (0..<lanes).map { lane in
      (0..<width).reduce(UInt64(0)) { $0 | UInt64(bytes[lane * width + $1]) << UInt64(8 * $1) }
    }
    return (codes, UInt64(scales[0]))
  }

  private func dequantized(
    _ inputs: [UInt64], _ engine: any VectorsEngine
  ) throws(QuantizeError) -> [UInt64] {
    guard let grid = try? grid() else { return [] }
    let factor = try tensorScale(inputs, engine)
    var bytes: [UInt8] = []
    for code in inputs[..<lanes] {
      for byte in 0..<format.element.codeBytes {
        bytes.append(UInt8(truncatingIfNeeded: code >> UInt64(8 * byte)))
      }
    }
    let scales = [UInt32(truncatingIfNeeded: inputs[lanes])]
    var output = [Float](repeating: 0, count: lanes)
    bytes.withUnsafeBytes { codes in
      scales.withUnsafeBufferPointer { scales in
        output.withUnsafeMutableBufferPointer {
          engine.dequantize(
            codes: codes, scales: scales, grid: grid, spec: quantization, tensorScale: factor,
            into: $0)
        }
      }
    }
    return output.map { UInt64($0.bitPattern) }
  }

  private func summed(
    _ inputs: [UInt64], _ engine: any VectorsEngine
  ) throws(VectorsError) -> [UInt64] {
    do throws(MatmulError) {
      return patterns(try engine.multiply(problem(inputs)))
    } catch { throw .refused("\(operation.rawValue): \(error)") }
  }

  /// Whether a result tells much: finite, neither zero nor saturated; of a tile, half of its outputs.
  func isInformative(_ result: [UInt64], codes: ElementCodes) -> Bool {
    switch operation {
    case .encode:
      let value = codes.value(UInt32(truncatingIfNeeded: result[0]))
      return value.isFinite && value != 0 && abs(value) != codes.value(codes.largest)
    case .scale: return isMiddle(scale: result[0])
    case .quantize:
      return isMiddle(scale: result[lanes])
        && result[..<lanes].contains { code in
          let value = codes.value(UInt32(truncatingIfNeeded: code))
          return value != 0 && value.isFinite
        }
    case .decode, .dequantize:
      let values = result.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
      return values.allSatisfy(\.isFinite) && values.contains { $0 != 0 }
    case .product, .dot, .mma: return isMiddle(sum: result[0])
    case .matmul: return 2 * result.filter(isMiddle(sum:)).count >= result.count
    }
  }

  private func isMiddle(scale code: UInt64) -> Bool {
    let scale = ScaleCodes(format.scale)
    return code < UInt64(scale.largest) && code > UInt64(scale.smallest)
  }

  private func isMiddle(sum pattern: UInt64) -> Bool {
    let width = UInt64(outputWidth)
    if isRegister {
      let end: UInt64 = 1 << (width - 1)
      return pattern != 0 && pattern != end && pattern != end - 1
    }
    let magnitude = pattern & ((1 << (width - 1)) - 1)
    return magnitude != 0 && magnitude < (width == 16 ? 0x7BFF : largestFloat)
  }

  /// The pattern of the output's largest finite float32.
  private var largestFloat: UInt64 {
    guard case .float32(let bits) = accumulator.output.format else { return 0x7F7F_FFFF }
    return 0x7F80_0000 - (1 << UInt64(23 - bits))
  }
}

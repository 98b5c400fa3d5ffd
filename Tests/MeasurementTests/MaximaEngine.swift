import Measurement
import NumberFormats
import Synchronization
import Testing

/// An engine that looks at the block maxima it is given: each must be its block's.
struct MaximaEngine: QuantizationEngine {
  let name = "maxima"
  let calls = Calls()
  private let sound: any QuantizationEngine

  final class Calls: Sendable {
    private let counts = Mutex((given: 0, all: 0))

    /// How many calls came with maxima.
    var given: Int { counts.withLock { $0.given } }
    var all: Int { counts.withLock { $0.all } }

    func add(isGiven: Bool) {
      counts.withLock {
        $0.given += isGiven ? 1 : 0
        $0.all += 1
      }
    }
  }

  init() throws { sound = try makeEngine(target: .auto) }

  func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    maxima: UnsafeBufferPointer<UInt32>?, codes: UnsafeMutableRawBufferPointer,
    scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    calls.add(isGiven: maxima != nil)
    if let maxima {
      var expected = [UInt32](repeating: 0, count: grid.blockCount)
      for (index, value) in values.enumerated() {
        let block = grid.blockIndex(ofElement: index)
        expected[block] = max(expected[block], value.bitPattern & 0x7FFF_FFFF)
      }
      #expect(Array(maxima) == expected, "\(grid.shape) \(grid.block) from \(firstElement)")
    }
    return try sound.quantize(
      values, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: firstElement,
      scalesGiven: scalesGiven, maxima: maxima, codes: codes, scales: scales)
  }

  func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    try quantize(
      values, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: firstElement,
      scalesGiven: scalesGiven, maxima: nil, codes: codes, scales: scales)
  }

  func tensorScale(
    amax: Float, spec: QuantizationSpec
  ) throws(QuantizeError) -> TensorScale { try sound.tensorScale(amax: amax, spec: spec) }

  func exactScale(
    amax: Float, spec: QuantizationSpec, tensorScale: TensorScale
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    try sound.exactScale(amax: amax, spec: spec, tensorScale: tensorScale)
  }

  func dequantize(
    codes: UnsafeRawBufferPointer, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, tensorScale: TensorScale, into output: UnsafeMutableBufferPointer<Float>
  ) {
    sound.dequantize(
      codes: codes, scales: scales, grid: grid, spec: spec, tensorScale: tensorScale, into: output)
  }

  func decode(
    codes: UnsafeRawBufferPointer, element: ElementFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) { sound.decode(codes: codes, element: element, into: output) }

  func decodeScales(
    _ scales: UnsafeBufferPointer<UInt32>, format: ScaleFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) { sound.decodeScales(scales, format: format, into: output) }

  func encode(
    _ values: UnsafeBufferPointer<Float>, element: ElementFormat, options: EncodeOptions,
    into codes: UnsafeMutableRawBufferPointer
  ) throws(QuantizeError) {
    try sound.encode(values, element: element, options: options, into: codes)
  }

  func encodeScales(
    _ values: UnsafeBufferPointer<Float>, format: ScaleFormat,
    into scales: UnsafeMutableBufferPointer<UInt32>
  ) { sound.encodeScales(values, format: format, into: scales) }
}

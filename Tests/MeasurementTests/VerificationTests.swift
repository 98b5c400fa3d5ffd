import Measurement
import NumberFormats
import Testing
import Verification

/// The reference with one wrong answer: what is 1.5 comes out one code too high, and the scale of an
/// element's block of amax 6 one too low.
private struct FlawedEngine: QuantizationEngine {
  let name = "flawed"
  private let sound = makeReferenceEngine()

  func tensorScale(
    amax: Float, spec: QuantizationSpec
  ) throws(QuantizeError) -> TensorScale { try sound.tensorScale(amax: amax, spec: spec) }

  func exactScale(
    amax: Float, spec: QuantizationSpec, tensorScale: TensorScale
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    try sound.exactScale(amax: amax, spec: spec, tensorScale: tensorScale)
  }

  func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    let counts = try sound.quantize(
      values, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: firstElement,
      scalesGiven: scalesGiven, codes: codes, scales: scales)
    if values.contains(6) { scales[0] -= 1 }
    return counts
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
    for index in values.indices where values[index] == 1.5 { codes[index] += 1 }
  }

  func encodeScales(
    _ values: UnsafeBufferPointer<Float>, format: ScaleFormat,
    into scales: UnsafeMutableBufferPointer<UInt32>
  ) { sound.encodeScales(values, format: format, into: scales) }
}

@Suite("Verification")
struct VerificationTests {
  private let numbers = NumberComparison(
    reference: makeReferenceEngine(), engines: [FlawedEngine(), makeReferenceEngine()])
  private let element = NumberFormatRow.element(format().element)

  @Test("A wrong code is found, with its input, and only there")
  func wrongCode() {
    let reports = numbers.encode([1, 1.5, 2, 1.5], to: element)
    #expect(reports.map(\.mismatchCount) == [2, 0])
    #expect(reports.map(\.compared) == [4, 4])
    #expect(
      reports[0].mismatches.first?.description
        == "code at 1: input 0x3fc00000 (0b00111111110000000000000000000000),"
        + " expected 0x3 (0b0011), observed 0x4 (0b0100)")
  }

  @Test("A sweep over float32 patterns finds the one wrong input")
  func sweep() throws {
    let sweep = Float32Sweep(comparison: numbers, parallel: Parallel(threads: 2))
    let one = UInt64(Float(1.5).bitPattern)
    let reports = sweep.run(element, patterns: (one - 100_000)..<(one + 100_000))
    #expect(reports.map(\.target) == ["flawed", "reference"])
    #expect(reports.map(\.compared) == [200_000, 200_000])
    #expect(reports.map(\.mismatchCount) == [1, 0])
    #expect(reports[0].mismatches.first?.input == Float(1.5).bitPattern)
  }

  @Test("A wrong scale is found, and the values that follow from it")
  func wrongScale() throws {
    let comparison = BlockComparison(
      reference: makeReferenceEngine(), engines: [FlawedEngine()])
    let grid = try BlockGrid(shape: [1, 16], block: .line(16))
    let spec = QuantizationSpec(format: format(), recipe: exact)
    let values = (0..<16).map { Float($0 % 7) }
    let report = comparison.compare(values, grid: grid, spec: spec, name: "blocks")[0]
    #expect(report.mismatches.contains { $0.what == "scale" && $0.input == Float(6).bitPattern })
    // Zeros keep their value under any scale.
    #expect(report.mismatchCount == 1 + values.filter { $0 != 0 }.count)
  }

  @Test("Reports of one check add up")
  func merging() {
    let report = numbers.encode([1.5], to: element)
    let merged = (report + report).merged()
    #expect(merged.count == 2)
    #expect(merged[0].compared == 2 && merged[0].mismatchCount == 2)
  }
}

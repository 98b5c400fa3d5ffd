import Measurement
import NumberFormats

/// Whole tensors through quantise and dequantise: engines against the reference.
public struct BlockComparison: Sendable {
  public var reference: any QuantizationEngine
  public var engines: [any QuantizationEngine]

  public init(reference: any QuantizationEngine, engines: [any QuantizationEngine]) {
    self.reference = reference
    self.engines = engines
  }

  /// Codes, scales, clamp counts, tensor scale, dequantised values, or the error; one report per
  /// engine.
  ///
  /// - Parameter name: What the report calls the check.
  public func compare(
    _ values: [Float], grid: BlockGrid, spec: QuantizationSpec, name: String
  ) -> [VerificationReport] {
    let expected = BlockOutcome(reference, values, grid, spec)
    return engines.map { engine in
      var report = VerificationReport(check: name, target: engine.name)
      let observed = BlockOutcome(engine, values, grid, spec)
      report.compared = values.count + grid.blockCount
      expected.compare(observed, values, grid, spec, &report)
      return report
    }
  }
}

/// What an engine makes of a tensor.
private struct BlockOutcome: Sendable {
  var codes: CodeStorage
  var scales: [UInt32]
  var dequantized: [Float]
  var tensorScale = TensorScale.one
  var clamped = 0
  var error: QuantizeError?

  init(
    _ engine: any QuantizationEngine, _ values: [Float], _ grid: BlockGrid,
    _ spec: QuantizationSpec
  ) {
    codes = CodeStorage(count: values.count, width: spec.format.element.codeBytes)
    scales = [UInt32](repeating: 0, count: grid.blockCount)
    dequantized = [Float](repeating: 0, count: values.count)
    let amax = values.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
    do throws(QuantizeError) {
      tensorScale = try engine.tensorScale(amax: amax, spec: spec)
      clamped = try quantize(engine, values, grid, spec).clampedScales
      dequantize(engine, grid, spec)
    } catch {
      self.error = error
    }
  }

  private mutating func quantize(
    _ engine: any QuantizationEngine, _ values: [Float], _ grid: BlockGrid,
    _ spec: QuantizationSpec
  ) throws(QuantizeError) -> QuantizeCounts {
    let tensorScale = tensorScale
    let outcome = codes.bytes.withUnsafeMutableBytes { codes in
      scales.withUnsafeMutableBufferPointer { scales in
        values.withUnsafeBufferPointer { values in
          Result { () throws(QuantizeError) in
            try engine.quantize(
              values, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: 0,
              scalesGiven: false, codes: codes, scales: scales)
          }
        }
      }
    }
    return try outcome.get()
  }

  private mutating func dequantize(
    _ engine: any QuantizationEngine, _ grid: BlockGrid, _ spec: QuantizationSpec
  ) {
    let tensorScale = tensorScale
    codes.bytes.withUnsafeBytes { codes in
      scales.withUnsafeBufferPointer { scales in
        dequantized.withUnsafeMutableBufferPointer {
          engine.dequantize(
            codes: codes, scales: scales, grid: grid, spec: spec, tensorScale: tensorScale,
            into: $0)
        }
      }
    }
  }

  func compare(
    _ other: BlockOutcome, _ values: [Float], _ grid: BlockGrid, _ spec: QuantizationSpec,
    _ report: inout VerificationReport
  ) {
    func differ(
      _ what: String, _ position: Int, _ input: UInt32, _ expected: UInt32, _ observed: UInt32,
      _ bits: Int
    ) {
      guard expected != observed else { return }
      report.add(
        Mismatch(
          position: position, input: input, inputBits: 32, expected: expected,
          observed: observed, resultBits: bits, what: what))
    }
    let scaleBits = (tensorScale.decode.bitPattern, other.tensorScale.decode.bitPattern)
    differ("tensor scale", 0, 0, scaleBits.0, scaleBits.1, 32)
    if error?.withoutWording != other.error?.withoutWording {
      report.add(
        Mismatch(
          position: 0, input: 0, inputBits: 32, expected: error == nil ? 0 : 1,
          observed: other.error == nil ? 0 : 1, resultBits: 1,
          what: "error (expected \(Self.text(error)), observed \(Self.text(other.error)))"))
    }
    guard error == nil, other.error == nil else { return }
    for block in scales.indices {
      differ(
        "scale", block, amax(block, values, grid), scales[block], other.scales[block],
        spec.format.scale.storedBits)
    }
    for index in values.indices {
      let input = values[index].bitPattern
      differ("code", index, input, codes[index], other.codes[index], spec.format.element.bits)
      differ(
        "dequantised value", index, input, canonicalBits(dequantized[index]),
        canonicalBits(other.dequantized[index]), 32)
    }
    differ("clamped scales", 0, 0, UInt32(clamped), UInt32(other.clamped), 32)
  }

  private func amax(_ block: Int, _ values: [Float], _ grid: BlockGrid) -> UInt32 {
    values.indices.filter { grid.blockIndex(ofElement: $0) == block }
      .map { values[$0].bitPattern & 0x7FFF_FFFF }.max() ?? 0
  }

  private static func text(_ error: QuantizeError?) -> String {
    error.map { "\($0)" } ?? "none"
  }
}

extension QuantizeError {
  /// The error without the name of the unknown step, for which each engine has its own words.
  fileprivate var withoutWording: QuantizeError {
    guard case .unknownStep(let recipe, _, let position) = self else { return self }
    return .unknownStep(recipe: recipe, step: "", position: position)
  }
}

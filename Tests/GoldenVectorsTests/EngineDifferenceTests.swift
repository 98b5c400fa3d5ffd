import FoundationEssentials
import GoldenVectors
import NumberFormats
import Testing

/// An engine whose results differ from another's where a case says so, in their last bit.
private struct FlawedEngine: QuantizationEngine, MatmulEngine {
  let base: any VectorsEngine
  /// Whether a product comes out wrong.
  var isWrong: @Sendable (MatmulProblem) -> Bool = { _ in false }
  var isWrongCode: @Sendable (UInt8) -> Bool = { _ in false }
  var name: String { "flawed" }

  func multiply(
    _ problem: MatmulProblem, into output: UnsafeMutableRawBufferPointer
  ) throws(MatmulError) {
    try base.multiply(problem, into: output)
    if isWrong(problem) { output[output.count - problem.outputType.bytes] ^= 1 }
  }

  func decode(
    codes: UnsafeRawBufferPointer, element: ElementFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    base.decode(codes: codes, element: element, into: output)
    if output.count == 1, isWrongCode(codes[0]) { output[0] = output[0].nextUp }
  }

  func tensorScale(amax: Float, spec: QuantizationSpec) throws(QuantizeError) -> TensorScale {
    try base.tensorScale(amax: amax, spec: spec)
  }

  func exactScale(
    amax: Float, spec: QuantizationSpec, tensorScale: TensorScale
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    try base.exactScale(amax: amax, spec: spec, tensorScale: tensorScale)
  }

  func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    try base.quantize(
      values, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: firstElement,
      scalesGiven: scalesGiven, codes: codes, scales: scales)
  }

  func dequantize(
    codes: UnsafeRawBufferPointer, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, tensorScale: TensorScale, into output: UnsafeMutableBufferPointer<Float>
  ) {
    base.dequantize(
      codes: codes, scales: scales, grid: grid, spec: spec, tensorScale: tensorScale, into: output)
  }

  func decodeScales(
    _ scales: UnsafeBufferPointer<UInt32>, format: ScaleFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    base.decodeScales(scales, format: format, into: output)
  }

  func encode(
    _ values: UnsafeBufferPointer<Float>, element: ElementFormat, options: EncodeOptions,
    into codes: UnsafeMutableRawBufferPointer
  ) throws(QuantizeError) {
    try base.encode(values, element: element, options: options, into: codes)
  }

  func encodeScales(
    _ values: UnsafeBufferPointer<Float>, format: ScaleFormat,
    into scales: UnsafeMutableBufferPointer<UInt32>
  ) {
    base.encodeScales(values, format: format, into: scales)
  }
}

@Suite("Engines that differ")
struct EngineDifferenceTests {
  /// Rare enough that the first chunk of cases may hold none.
  private static func isRare(_ problem: MatmulProblem) -> Bool {
    problem.a.codes.prefix(2) == [0x7, 0x6]
  }

  /// A request refused for a difference that names the engine; nothing new beside the folder.
  private func expectRefusal(_ request: VectorRequest, _ engines: VectorEngines) throws {
    try withFolder { folder in
      let error = #expect(throws: VectorsError.self) {
        try request.write(to: folder, engines: engines)
      }
      guard case .difference(let text)? = error else {
        Issue.record("\(request.spec.operation): \(String(describing: error))")
        return
      }
      #expect(error?.exitCode == 1)
      #expect(text.contains("\(request.spec.operation.rawValue), class "))
      #expect(text.contains("flawed") || engines.reference.name == "flawed")
      let found = try left(beside: folder)
      #expect(found.isEmpty, "\(request.spec.operation)")
    }
  }

  /// Files and folders whose names begin with the folder's.
  private func left(beside folder: String) throws -> [String] {
    let url = URL(filePath: folder)
    return try FileManager.default.contentsOfDirectory(
      atPath: url.deletingLastPathComponent().path(percentEncoded: false)
    ).filter { $0.hasPrefix(url.lastPathComponent) }
  }

  @Test(
    "one wrong result in one of the engines compared, and nothing is written",
    arguments: [VectorOperation.dot, .mma, .matmul])
  func comparedEngine(operation: VectorOperation) throws {
    var engines = try VectorEngines.standard()
    let base = try #require(engines.compared.last)
    engines.compared.append(FlawedEngine(base: base, isWrong: Self.isRare))
    let tile = operation == .matmul ? TileShape(rows: 2, columns: 2, depth: 20) : nil
    let spec = try vectorSpec(
      operation, "nvfp4", block: 16, accumulator: "blackwell-fp4", tile: tile)
    let request = VectorRequest(
      spec: spec, count: 3000, kinds: Set(VectorFileKind.allCases), threads: 2)
    try expectRefusal(request, engines)
    // The same request is written by engines that agree, so that only the flaw stood in its way.
    engines.compared.removeLast()
    try withFolder { folder in
      let manifest = try request.write(to: folder, engines: engines)
      #expect(manifest.count == 3000)
    }
  }

  @Test("a wrong reference is not believed either")
  func reference() throws {
    let standard = try VectorEngines.standard()
    let flawed = FlawedEngine(base: standard.reference, isWrong: Self.isRare)
    try expectRefusal(
      VectorRequest(spec: try vectorSpec(.dot, "mxfp4", block: 8), count: 3000),
      VectorEngines(reference: flawed, compared: standard.compared))
  }

  @Test("one wrong code among the decoded ones")
  func decoded() throws {
    var engines = try VectorEngines.standard()
    engines.compared.append(
      FlawedEngine(base: engines.reference, isWrongCode: { $0 == 0x42 }))
    try expectRefusal(
      VectorRequest(spec: try vectorSpec(.decode, "mxfp8_e4m3", block: 32)), engines)
  }

  @Test("earlier vectors stay as they were")
  func earlier() throws {
    var engines = try VectorEngines.standard()
    let request = VectorRequest(spec: try vectorSpec(.dot, "nvfp4", block: 16), count: 500)
    try withFolder { folder in
      _ = try request.write(to: folder)
      let before = try contents(of: folder)
      engines.compared.append(FlawedEngine(base: engines.reference, isWrong: { _ in true }))
      #expect(throws: VectorsError.self) { try request.write(to: folder, engines: engines) }
      let after = try contents(of: folder)
      #expect(after == before)
      let found = try left(beside: folder)
      #expect(found.count == 1)
    }
  }

  @Test("a request to stop leaves nothing")
  func stopped() throws {
    var request = VectorRequest(spec: try vectorSpec(.dot, "nvfp4", block: 16), count: 500)
    request.isStopped = { true }
    try withFolder { folder in
      #expect(throws: VectorsError.stopped) { try request.write(to: folder) }
      let found = try left(beside: folder)
      #expect(found.isEmpty)
    }
  }
}

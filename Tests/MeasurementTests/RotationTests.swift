import FormatCatalog
import Measurement
import NumberFormats
import Testing

/// H/√n by its entries' signs, in float64: another order of sums than the fast transform's.
private func rotated(_ values: [Float], _ size: Int) -> [Double] {
  values.indices.map { index in
    let (run, row) = index.quotientAndRemainder(dividingBy: size)
    let sum = (0..<size).reduce(0.0) { sum, column in
      let sign = (row & column).nonzeroBitCount % 2 == 0 ? 1.0 : -1.0
      return sum + sign * Double(values[run * size + column])
    }
    return sum / Double(size).squareRoot()
  }
}

private func experiment() throws -> MatmulExperiment {
  MatmulExperiment(
    quantizer: try makeEngine(target: .auto), engine: try makeMatmulEngine(target: .auto),
    parallel: Parallel(threads: 2), catalog: try FormatCatalog.standard())
}

private func request(
  _ format: String?, _ block: BlockShape, _ transform: OperandTransform
) throws -> MatmulRequest {
  let catalog = try FormatCatalog.standard()
  let side = try CaseRequest(formats: [format ?? "none"], blocks: format == nil ? [] : [block])
    .matmulSide(in: catalog)
  return MatmulRequest(
    a: side, b: side, transposesB: true, accumulator: try catalog.requiredAccumulator("exact"),
    transform: transform)
}

private func hadamard(_ size: Int) throws -> OperandTransform {
  .hadamard(try #require(HadamardRotation(size: size)))
}

@Suite("Rotations and splits of operands")
struct RotationTests {
  @Test("The words of transforms are read as they are written")
  func words() throws {
    for text in [
      "none", "hadamard:2", "hadamard:65536", "outliers:values:0.01", "outliers:columns:1.0",
    ] {
      #expect(OperandTransform(text)?.description == text, "\(text)")
    }
    for text in [
      "", "hadamard", "hadamard:0", "hadamard:1", "hadamard:48", "hadamard:131072", "hadamard:x",
      "outliers:values", "outliers:values:1.1", "outliers:values:-0.1", "outliers:rows:0.1",
      "none:1",
    ] {
      #expect(OperandTransform(text) == nil, "\(text)")
    }
  }

  @Test("A tensor's error under a rotation is that of the tensor rotated beforehand")
  func tensors() throws {
    let spec = QuantizationSpec(format: format(), recipe: exact)
    for (size, shape) in [(2, [3, 64]), (16, [5, 48]), (128, [9, 384])] {
      let values = sample(shape.reduce(1, *), seed: UInt32(size))
      let before = rotated(values, size).map { Float($0) }
      let rotation = try #require(HadamardRotation(size: size))
      let engine = try makeEngine(target: .auto)
      try withFolder { folder in
        func run(_ values: [Float], _ rotation: HadamardRotation?) throws -> ErrorResult {
          let how = ErrorCase(spec: spec, axis: -1, block: .line(16), rotation: rotation)
          return try ErrorExperiment(
            engine: engine, parallel: Parallel(threads: 2), cases: [how]
          ).run([try input(values, shape, in: folder)]).results[0]
        }
        let (found, expected) = (try run(values, rotation).report, try run(before, nil).report)
        // Sums in another order may move a float32's last bit.
        let (a, b) = (try #require(found.nmse), try #require(expected.nmse))
        #expect(abs(a - b) < 1e-5 * b, "size \(size): expected \(b), observed \(a)")
        let plain = try #require(try run(values, nil).report.nmse)
        #expect(abs(a - plain) > 1e-5 * plain, "size \(size): nothing was rotated")
      }
    }
  }

  @Test("Rotated operands that nothing rounds have the product of the operands as they are")
  func unchanged() throws {
    try withFolder { folder in
      let a = try input(sample(7 * 96), [7, 96], in: folder)
      for size in [2, 8, 32] {
        let found = try experiment().run(a, a, request(nil, .tensor, hadamard(size))).report
        let nmse = try #require(found.total.nmse)
        #expect(nmse < 1e-12, "size \(size): \(nmse)")
        #expect(nmse > 0, "size \(size): float32 rounds something, so nothing was rotated")
      }
    }
  }

  @Test("An error of one number spreads over a run, and the parts of an error sum to the total")
  func parts() throws {
    try withFolder { folder in
      // One large number a line: a block of 32 loses the others unless they are mixed.
      var values = sample(16 * 64).map { $0 / 4 }
      for line in 0..<16 { values[line * 64 + 5 * line % 64] = 60 }
      let a = try input(values, [16, 64], in: folder)
      let plain = try experiment().run(a, a, request("mxfp4", .line(32), .none)).report
      let mixed = try experiment().run(a, a, request("mxfp4", .line(32), hadamard(32))).report
      let sum = mixed.parts.reduce(0) { $0 + ($1.contribution ?? 0) }
      let total = try #require(mixed.total.mse)
      #expect(abs(sum - total) < 1e-9 * total, "expected \(total), observed \(sum)")
      #expect(mixed.total.nmse != plain.total.nmse)
    }
  }

  @Test("A split of outliers has the product error that assignments measure")
  func outliers() throws {
    try withFolder { folder in
      let a = try input(sample(12 * 64, seed: 3), [12, 64], in: folder)
      let how = try request("mxfp4", .line(16), .none)
      let spec = try #require(how.a.spec)
      let layers = LayerExperiment(
        matmul: try experiment(), accumulator: how.accumulator, fraction: 1, seed: 1)
      let pair = LayerPair(weight: a, activation: a)
      for split in [
        OutlierSplit(.values, share: 0.05), OutlierSplit(.columns, share: 0.1),
        OutlierSplit(.values, share: 0),
      ] {
        let found = try experiment().run(
          a, a, request("mxfp4", .line(16), .outliers(split))
        ).report.total.nmse
        let expected = try layers.outliers(
          pair, case: ErrorCase(spec: spec, axis: -1, block: .line(16)), splits: [split]
        )[0].product
        let (one, other) = (try #require(found), try #require(expected))
        #expect(abs(one - other) < 1e-9 * other, "\(split): expected \(other), observed \(one)")
        let plain = try #require(try experiment().run(a, a, how).report.total.nmse)
        #expect(
          (abs(one - plain) < 1e-9 * plain) == (split.share == 0),
          "\(split): \(one), without \(plain)")
      }
    }
  }

  @Test("Sizes that do not divide, and axes other than the last, are refused")
  func refusals() throws {
    try withFolder { folder in
      let a = try input(sample(4 * 48), [4, 48], in: folder)
      #expect(throws: MeasurementError.self) {
        try experiment().run(a, a, request("mxfp4", .line(16), hadamard(32)))
      }
      let spec = QuantizationSpec(format: format(), recipe: exact)
      let rotation = try #require(HadamardRotation(size: 16))
      for (axis, fits) in [(-1, true), (1, true), (0, false)] {
        let how = ErrorCase(spec: spec, axis: axis, block: .line(4), rotation: rotation)
        #expect(how.fits(a) == fits, "axis \(axis)")
      }
    }
  }
}

@Suite("Codebooks by k-means")
struct CodebookTests {
  @Test("Values ascend from -1 over 0 to 1, and err less than even ones")
  func fit() throws {
    try withFolder { folder in
      let values = sample(64 * 64).map { $0 * $0 * $0 / 16 }
      let tensor = try input(values, [64, 64], in: folder)
      for size in [4, 5, 16] {
        var fit = CodebookFit()
        try fit.add(tensor, block: 32, parallel: Parallel(threads: 2))
        let found = try fit.values(size)
        #expect(found.count == size && found.first == -1 && found.last == 1)
        #expect(found.contains(0) && zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
        func error(_ codebook: [Float]) throws -> Double {
          let element = ElementFormat(name: "book", kind: .codebook(codebook))
          let block = BlockFormat(name: "b", element: element, scale: fp32, block: .line(32))
          let how = ErrorCase(
            spec: QuantizationSpec(format: block, recipe: exact), axis: -1, block: .line(32))
          let run = try ErrorExperiment(
            engine: makeEngine(target: .auto), parallel: Parallel(threads: 1), cases: [how]
          ).run([tensor])
          return try #require(run.results[0].report.mse)
        }
        let below = (size - 1) / 2
        let even = (0..<size).map { index in
          Float(index - below) / Float(index < below ? below : size - 1 - below)
        }
        let (own, other) = (try error(found), try error(even))
        #expect(own < other, "\(size) values: \(own), even ones \(other)")
      }
      #expect(throws: MeasurementError.self) { try CodebookFit().values(16) }
    }
  }
}

import ErrorStatistics
import Measurement
import NumberFormats
import Testing

/// One case of one tensor on some engine and number of threads.
private func report(
  _ tensor: InputTensor, _ how: ErrorCase, _ target: EngineTarget = .baseline, threads: Int = 1
) throws -> ErrorReport {
  let experiment = ErrorExperiment(
    engine: try makeEngine(target: target), parallel: Parallel(threads: threads), cases: [how])
  let (results, totals) = try experiment.run([tensor])
  #expect(results.count == 1 && totals.count == 1)
  #expect(totals[0].report == results[0].report, "the total of one tensor is the tensor's")
  return results[0].report
}

@Suite("Error experiments")
struct ErrorExperimentTests {
  /// Long lines, tall blocks, tiles, tensors above a batch of 2^20 elements.
  static let cuts: [(shape: [Int], axis: Int, block: BlockShape)] = [
    ([300, 1000], -1, .line(17)), ([300, 1000], 0, .line(16)),
    ([300, 1000], -1, .tile(rows: 16, columns: 33)), ([300, 1000], 0, .axis),
    ([1_300_000], -1, .line(24)), ([1_300_000], -1, .tensor), ([1_300_000], -1, .axis),
    ([2, 1_200_000], -1, .line(1_100_000)), ([1100, 1200], 0, .axis), ([1100, 1200], -1, .tensor),
    ([3, 5, 7], 1, .line(2)), ([0, 16], -1, .line(16)),
  ]

  @Test("The same digits for every number of threads", arguments: cuts.indices)
  func threads(cut: Int) throws {
    try withFolder { folder in
      let cut = Self.cuts[cut]
      let tensor = try input(sample(cut.shape.reduce(1, *)), cut.shape, in: folder)
      for scale in [e8m0, fp32, ue4m3] {
        let spec = QuantizationSpec(
          format: format(scale: scale, tensorScale: scale.name == "ue4m3"), recipe: exact)
        let how = ErrorCase(spec: spec, axis: cut.axis, block: cut.block)
        let one = try report(tensor, how)
        for threads in [2, 3] {
          #expect(try report(tensor, how, threads: threads) == one, "\(cut), \(threads) threads")
        }
      }
    }
  }

  @Test("The same digits on the reference", arguments: [0, 2, 10])
  func reference(cut: Int) throws {
    try withFolder { folder in
      let cut = Self.cuts[cut]
      let shape = cut.shape.map { min($0, 70) }
      let tensor = try input(sample(shape.reduce(1, *)), shape, in: folder)
      let spec = QuantizationSpec(
        format: format(scale: ue4m3, tensorScale: true), recipe: exact)
      let how = ErrorCase(spec: spec, axis: cut.axis, block: cut.block)
      #expect(try report(tensor, how) == report(tensor, how, .reference))
    }
  }

  @Test("A block that is split into batches gives what whole blocks give")
  func splitBlocks() throws {
    try withFolder { folder in
      let values = sample(1_300_000, seed: 5)
      let spec = QuantizationSpec(format: format(scale: fp32), recipe: exact)
      // The same single block three ways: split along the line, as a tensor, as a short line block.
      let line = try input(values, [1, 1_300_000], in: folder)
      let reports = try [BlockShape.tensor, .axis, .line(2_000_000)].map {
        try report(line, ErrorCase(spec: spec, axis: -1, block: $0))
      }
      #expect(reports[0] == reports[1])
      #expect(reports[0] == reports[2])
      // And against numbers worked out here: the scale is amax/6 in float32.
      let amax = values.map(abs).max() ?? 0
      let scale = Double(Float(Double(amax) / 6))
      let grid = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
      let largest = values.map { value -> Double in
        let size = Double(abs(value)) / scale
        return (grid.map { abs($0 - size) }.min() ?? 0) * scale
      }.max()
      let observed = try #require(reports[0].maxAbsoluteError)
      #expect(abs(observed - (largest ?? 0)) <= 1e-12)
      #expect(reports[0].bitsPerElement == 4 + 32.0 / 1_300_000)
    }
  }

  @Test("Cases measured together equal cases measured alone")
  func together() throws {
    try withFolder { folder in
      let tensor = try input(sample(64 * 96), [64, 96], in: folder)
      let cases = [8, 16, 17, 96].flatMap { size in
        [e8m0, fp32].map { scale in
          ErrorCase(
            spec: QuantizationSpec(format: format(scale: scale), recipe: exact), axis: -1,
            block: .line(size))
        }
      }
      let experiment = ErrorExperiment(
        engine: try makeEngine(target: .auto), parallel: Parallel(threads: 2), cases: cases)
      let (results, _) = try experiment.run([tensor])
      #expect(results.map(\.errorCase) == cases)
      for result in results {
        #expect(try report(tensor, result.errorCase) == result.report)
      }
    }
  }

  @Test("What cannot be quantised as asked is refused with file and tensor")
  func errorsNameTheirPlace() throws {
    try withFolder { folder in
      let tensor = try input(sample(32), [2, 16], in: folder)
      let spec = QuantizationSpec(
        format: format(), recipe: exact, tensorScale: .given(-1))
      #expect(
        throws: MeasurementError.quantize(
          file: tensor.path, tensor: "tensor", .badTensorScale(-1))
      ) {
        try report(tensor, ErrorCase(spec: spec, axis: -1, block: .line(16)))
      }
      let axis = ErrorCase(
        spec: QuantizationSpec(format: format(), recipe: exact), axis: 2, block: .line(16))
      #expect(
        throws: MeasurementError.grid(
          file: tensor.path, tensor: "tensor", .axisOutOfRange(axis: 2, rank: 2))
      ) { try report(tensor, axis) }
    }
  }
}

import FormatCatalog
import Measurement
import NumberFormats
import ScalingLaws
import TensorIO
import Testing

/// Tensors of a file, and a selection of them.
private func select(
  _ tensors: [(name: String, shape: [Int], values: [Float])], as file: String, in folder: String
) throws -> InputSelection {
  let path = "\(folder)/\(file).safetensors"
  let writer = try SafetensorsWriter(
    path: path,
    tensors: tensors.map {
      SafetensorsWriter.Declaration(name: $0.name, dtype: .f32, shape: $0.shape)
    })
  for (index, tensor) in tensors.enumerated() { try writer.append(tensor.values, to: index) }
  try writer.finish()
  return try InputSelection([path])
}

/// Two layers, the second with short last blocks, and a tensor that meets nothing.
private func layers(in folder: String, withActivations: Bool = true) throws -> LayerPairs {
  let weights = try select(
    [
      ("a.0.weight", [24, 64], sample(24 * 64, seed: 1)),
      ("a.1.weight", [16, 40], sample(16 * 40, seed: 2)), ("alone.weight", [4, 8], sample(32)),
    ], as: "w", in: folder)
  guard withActivations else { return try LayerPairs(weights: weights, activations: nil) }
  let activations = try select(
    [
      ("a.0.input", [30, 64], sample(30 * 64, seed: 3)),
      ("a.1.input", [30, 40], sample(30 * 40, seed: 4)), ("unused", [2, 8], sample(16)),
    ], as: "a", in: folder)
  return try LayerPairs(weights: weights, activations: activations)
}

private func experiment() throws -> LayerExperiment {
  let catalog = try FormatCatalog.standard()
  return LayerExperiment(
    matmul: MatmulExperiment(
      quantizer: try makeEngine(target: .baseline), engine: try makeMatmulEngine(target: .baseline),
      parallel: Parallel(threads: 2), catalog: catalog),
    accumulator: try catalog.requiredAccumulator("exact"))
}

private func cases(_ formats: [String], _ blocks: [BlockShape]) throws -> [ErrorCase] {
  try CaseRequest(formats: formats, blocks: blocks).cases(in: try FormatCatalog.standard()).cases
}

@Suite("Layers")
struct LayerTests {
  @Test("Weights meet activations by name; what meets nothing is listed")
  func pairs() throws {
    try withFolder { folder in
      let pairs = try layers(in: folder)
      #expect(pairs.pairs.map(\.name) == ["a.0.weight", "a.1.weight"])
      #expect(pairs.pairs.map(\.activation?.name) == ["a.0.input", "a.1.input"])
      #expect(pairs.skipped.map(\.name) == ["alone.weight", "unused"])
      #expect(pairs.parameters == 24 * 64 + 16 * 40)
      #expect(try layers(in: folder, withActivations: false).pairs.count == 3)
    }
  }

  @Test("Shapes that do not meet, and nothing that meets, are refused")
  func refusals() throws {
    try withFolder { folder in
      let weights = try select([("x.weight", [4, 8], sample(32))], as: "w", in: folder)
      let two = [("x.input", [2, 9], sample(18)), ("y.input", [2, 8], sample(16))]
      #expect(throws: MeasurementError.self) {
        try LayerPairs(weights: weights, activations: select(two, as: "a", in: folder))
      }
      let other = [("y.input", [2, 8], sample(16)), ("z.input", [2, 8], sample(16))]
      #expect(throws: MeasurementError.self) {
        try LayerPairs(weights: weights, activations: select(other, as: "b", in: folder))
      }
    }
  }

  @Test("A layer's errors are those of matmul and error, however many cases share a read")
  func agreement() throws {
    try withFolder { folder in
      let pairs = try layers(in: folder)
      let all = try cases(["nvfp4", "mxfp8_e4m3"], [.line(16), .line(24), .axis])
      let together = try experiment().run(pairs, cases: all)
      #expect(together.count == 2 * all.count)
      let one = try experiment()
      for (index, found) in together.enumerated() {
        let pair = pairs.pairs[index / all.count]
        let how = all[index % all.count]
        #expect(try one.run(pairs, cases: [how])[index / all.count] == found)
        let side = MatmulSideRequest(spec: how.spec, block: how.block)
        let product = try one.matmul.run(
          try #require(pair.activation), pair.weight,
          MatmulRequest(a: side, b: side, transposesB: true, accumulator: one.accumulator))
        #expect(product.report.total.nmse == found.product)
        let weight = product.report.parts.first { $0.part == .weight }
        #expect(weight?.nmse == found.weight)
        let tensors = ErrorExperiment(
          engine: one.matmul.quantizer, parallel: one.matmul.parallel, cases: [how])
        #expect(try tensors.run([pair.weight]).results[0].report.nmse == found.weightTensor)
      }
    }
  }

  @Test("A curve is the weighted mean of its layers, at their mean block size")
  func curves() throws {
    try withFolder { folder in
      let pairs = try layers(in: folder)
      let found = try experiment().run(pairs, cases: cases(["nvfp4"], [.line(16), .axis]))
      let curve = try LayerCurves(weighting: .parameters, kind: .product).curves(found)[0]
      let (a, b) = (1536.0, 640.0)
      let errors = try [0, 1].map { index in
        let (first, second) = (found[index], found[2 + index])
        return (a * (try #require(first.product)) + b * (try #require(second.product))) / (a + b)
      }
      #expect(curve.curve.points.map(\.block) == ["16", "axis"])
      for (point, error) in zip(curve.curve.points, errors) {
        #expect(abs(point.error - error) < 1e-15, "\(point), expected \(error)")
      }
      // 24 rows of 4 blocks and 16 rows of 3, the third of 8; then one block a row.
      #expect(curve.curve.points.map(\.blockSize) == [2176.0 / 144, 2176.0 / 40])
      #expect(curve.points[0].delta == nil && curve.points[0].layers == 2)
    }
  }

  @Test("FP8 scales that underflow make a curve that falls, and the measured points are used")
  func underflow() throws {
    try withFolder { folder in
      // Without a tensor scale blocks of small numbers round their scale to few bits or to 0; the
      // larger the block the larger its maximum (arXiv 2601.19026).
      let small = sample(64 * 512, seed: 9).map { $0 * $0 * $0 / 16 * 0.005 }
      let weights = try select([("x.weight", [64, 512], small)], as: "w", in: folder)
      let pairs = try LayerPairs(weights: weights, activations: nil)
      let blocks = [8, 16, 32, 64, 128, 256].map { BlockShape.line($0) }
      func curve(_ scale: ScaleFormat) throws -> ErrorCurve {
        let spec = QuantizationSpec(format: format(scale: scale), recipe: exact)
        let found = try experiment().run(
          pairs, cases: blocks.map { ErrorCase(spec: spec, axis: -1, block: $0) })
        return try LayerCurves(weighting: .parameters, kind: .weightTensor).curves(found)[0].curve
      }
      let fp8 = try curve(ue4m3)
      #expect(fp8.trend != .rises, "\(fp8.points.map(\.error))")
      #expect(PlannedError(fp8, law: try? BlockSizeLaw(fp8)).name == "measured")
      let wide = try curve(fp32)
      #expect(wide.trend == .rises, "\(wide.points.map(\.error))")
      #expect(wide.points[0].error < fp8.points[0].error)
    }
  }
}

@Suite("Outlier splits")
struct OutlierTests {
  @Test("The counts kept are exact, and ties go to the earlier")
  func counts() {
    for (share, count, kept) in [
      (0.0, 100, 0), (0.01, 100, 1), (0.005, 1000, 5), (0.1, 7, 1), (1, 9, 9), (0.5, 0, 0),
    ] {
      #expect(OutlierSplit(.values, share: share).kept(of: count) == kept, "\(share) of \(count)")
    }
    let scores = [1, 5, 5, 2, .nan, 5, 0]
    let expected = [[], [4], [1, 4], [1, 2, 4], [1, 2, 4, 5], [1, 2, 3, 4, 5]]
    for (count, indices) in expected.enumerated() {
      #expect(largestIndices(scores, count: count) == indices, "\(count)")
    }
    #expect(largestIndices(scores, count: 99) == Array(0..<7))
  }

  @Test(
    "Nothing kept is the plain error, everything kept none, and outliers are what is kept first")
  func errors() throws {
    try withFolder { folder in
      // One value in each row, in column 3, is a hundred times the others.
      var values = sample(24 * 64, seed: 1).map { $0 / 8 }
      for row in 0..<24 { values[row * 64 + 3] = row % 2 == 0 ? 50 : -50 }
      let weights = try select([("x.weight", [24, 64], values)], as: "w", in: folder)
      let inputs = try select([("x.input", [30, 64], sample(1920, seed: 3))], as: "a", in: folder)
      let pair = try LayerPairs(weights: weights, activations: inputs).pairs[0]
      let how = try cases(["mxfp4"], [.line(32)])[0]
      let one = try experiment()
      let plain = try one.run(
        LayerPairs(weights: weights, activations: inputs), cases: [how])[0]
      for scheme in OutlierSplit.Scheme.allCases {
        let shares = [0, 1.0 / 64, 1]
        let found = try one.outliers(
          pair, case: how, splits: shares.map { OutlierSplit(scheme, share: $0) })
        #expect(found.map(\.kept) == [0, 24, 24 * 64], "\(scheme)")
        let product = try #require(plain.product)
        #expect(abs((found[0].product ?? 0) - product) <= 1e-12 * product, "\(scheme)")
        #expect(found[2].product == 0, "\(scheme)")
        let tensor = try #require(plain.weightTensor)
        #expect(abs((found[0].weightTensor ?? 0) - tensor) <= 1e-12 * tensor, "\(scheme)")
        #expect(found[2].weightTensor == 0)
        // What is left has no outliers: its error, over the whole tensor's squares, is far less.
        #expect(try #require(found[1].weightTensor) < tensor / 20, "\(scheme): \(found[1])")
        #expect(found[0].bitsPerElement == 4.25, "\(scheme)")
        // 24 values with an index each and 24 row pointers, or one column of 64 with its index.
        let sparse: Double = 4.25 + 0.5 + 0.5
        let column: Double = (4.25 * 63 + 16) / 64 + 16.0 / 1536
        let bits = scheme == .values ? sparse : column
        #expect(abs(found[1].bitsPerElement - bits) < 1e-12, "\(scheme): \(found[1])")
      }
    }
  }
}

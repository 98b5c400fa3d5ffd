import ErrorStatistics
import NumberFormats

/// The error of one layer whose outliers stay in high precision.
public struct OutlierErrors: Sendable, Hashable {
  public var tensor: String
  public var parameters: Int
  public var split: OutlierSplit
  /// Weights in high precision.
  public var kept: Int
  public var bitsPerElement: Double
  /// ‖D − X·Wᵀ‖²/‖X·Wᵀ‖²; nil without activations.
  public var product: Double?
  /// ‖dW‖²/‖W‖².
  public var weightTensor: Double?
}

extension LayerExperiment {
  /// A layer under one case, once for each split; its tensors are read once.
  public func outliers(
    _ pair: LayerPair, case errorCase: ErrorCase, splits: [OutlierSplit],
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws -> [OutlierErrors] {
    let weight = try MatmulInput(
      tensor: pair.weight, matrices: 1, lines: pair.weight.info.shape[0],
      depth: pair.weight.info.shape[1], isTransposed: false
    ).read(0, parallel: matmul.parallel).matrix
    guard let activation = pair.activation else {
      return try splits.map { try outlier(pair, errorCase, $0, weight, nil, nil, progress) }
    }
    let inputs = try MatmulInputs(activation, pair.weight, transposesB: true)
    let left = try inputs.a.read(0, parallel: matmul.parallel).matrix
    // What the unsplit product squares to: the same denominator for every split.
    let none = MatmulSideRequest(spec: nil, block: .tensor)
    let whole = try product(pair, (left, weight), none, progress)
    return try splits.map { try outlier(pair, errorCase, $0, weight, left, whole.exact, progress) }
  }

  private func outlier(
    _ pair: LayerPair, _ errorCase: ErrorCase, _ split: OutlierSplit, _ weight: LineMatrix,
    _ left: LineMatrix?, _ exactSquared: Double?, _ progress: @Sendable (Int) -> Void
  ) throws -> OutlierErrors {
    let (rows, depth) = (weight.lines, weight.depth)
    let dense: (left: LineMatrix?, weight: LineMatrix)
    let kept: Int
    let indices = split.indices(weight: weight, activations: left)
    switch split.scheme {
    case .values:
      kept = indices.count
      dense = (left, weight.zeroing(indices))
    case .columns:
      kept = indices.count * rows
      dense = (left?.zeroing(columns: indices), weight.zeroing(columns: indices))
    }
    let side = MatmulSideRequest(spec: errorCase.spec, block: errorCase.block)
    let quantised = try built(pair.weight, dense.weight, side)
    let grid = try BlockGrid(shape: [rows, depth], axis: -1, block: errorCase.block)
    let bits = errorCase.spec.bitsPerElement(
      grid, storesTensorScale: errorCase.spec.storesTensorScale)
    var errors = OutlierErrors(
      tensor: pair.name, parameters: pair.parameters, split: split, kept: kept,
      bitsPerElement: split.bitsPerElement(rows: rows, depth: depth, quantised: bits))
    let (error, _) = squares(quantised)
    let norm = weight.squares()
    errors.weightTensor = norm > 0 ? error / norm : nil
    if let left = dense.left, let exactSquared, exactSquared > 0 {
      errors.product =
        try product(pair, (left, dense.weight), side, progress).error / exactSquared
    }
    return errors
  }

  private func built(
    _ tensor: InputTensor, _ lines: LineMatrix, _ side: MatmulSideRequest
  ) throws(MeasurementError) -> MatmulSideData {
    let input = MatmulInput(
      tensor: tensor, matrices: 1, lines: lines.lines, depth: lines.depth, isTransposed: false)
    return try matmul.build(input, 0, (lines, 0), side, accumulator)
  }

  /// Sums of squares of the product's error and of the product itself.
  private func product(
    _ pair: LayerPair, _ lines: (left: LineMatrix, right: LineMatrix), _ side: MatmulSideRequest,
    _ progress: @Sendable (Int) -> Void
  ) throws -> (error: Double, exact: Double) {
    guard let activation = pair.activation else { return (0, 0) }
    let a = try built(activation, lines.left, side)
    let b = try built(pair.weight, lines.right, side)
    let tiles = MatmulTiles(
      experiment: matmul, a: a, b: b, accumulator: accumulator,
      rows: Array(0..<lines.left.lines), columns: Array(0..<lines.right.lines), firstRow: 0,
      worstCount: 0)
    let done = try tiles.run(
      ProductErrorSums(worstCount: 0), names: (activation, pair.weight), writer: nil,
      progress: progress)
    let report = ProductErrorReport(done.sums)
    let count = Double(report.count - report.nonFinite)
    guard report.nonFinite == 0, let mse = report.total.mse, let rms = report.rms else {
      throw MeasurementError.badData(
        file: pair.weight.path, tensor: pair.name,
        "the product holds NaN or infinity (expected finite weights and activations)")
    }
    return (mse * count, rms * rms * count)
  }

  /// Σ dW² and Σ W² of a quantised side.
  private func squares(_ side: MatmulSideData) -> (error: Double, exact: Double) {
    let lines = side.operand.lines
    let step = 64
    let parts = matmul.parallel.map((lines + step - 1) / step) { index -> (Double, Double) in
      let range = (index * step)..<min(lines, (index + 1) * step)
      let both = MatmulTileSide(side, range, matmul.quantizer).stacked
      let half = both.count / 2
      let exact = both[..<half].reduce(0) { $0 + $1 * $1 }
      return (both[half...].reduce(0) { $0 + $1 * $1 }, exact)
    }
    return parts.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
  }
}

extension LineMatrix {
  /// A copy with zeros at some row-major indices.
  func zeroing(_ indices: [Int]) -> LineMatrix {
    guard !indices.isEmpty else { return self }
    let copy = gathering(Array(0..<lines))
    let all = copy.values[0..<(lines * depth)]
    for index in indices { all[index] = 0 }
    return copy
  }

  /// A copy with zeros in some columns.
  func zeroing(columns: [Int]) -> LineMatrix {
    guard !columns.isEmpty else { return self }
    let copy = gathering(Array(0..<lines))
    let all = copy.values[0..<(lines * depth)]
    for line in 0..<lines {
      for column in columns { all[line * depth + column] = 0 }
    }
    return copy
  }

  func columnSquares() -> [Double] {
    var sums = [Double](repeating: 0, count: depth)
    for index in 0..<lines {
      for (column, value) in line(index).enumerated() {
        sums[column] += Double(value) * Double(value)
      }
    }
    return sums
  }

  func squares() -> Double {
    (0..<lines).reduce(0) { sum, index in
      line(index).reduce(sum) { $0 + Double($1) * Double($1) }
    }
  }
}

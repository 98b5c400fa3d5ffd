import ErrorStatistics

/// One request of a matmul experiment while its products are added up.
struct MatmulRun {
  let request: MatmulRequest
  let output: String?
  /// Lines of A and of B that are computed, ascending.
  let rows: [Int]
  let columns: [Int]
  var writer: MatmulWriter?
  var sums: ProductErrorSums
  var bound = 0.0
  var sides = (a: MatmulSideTotals(), b: MatmulSideTotals())

  init(_ inputs: MatmulInputs, _ request: MatmulRequest, output: String?) throws(MeasurementError) {
    guard request.fraction > 0, request.fraction <= 1, request.fraction == 1 || output == nil else {
      throw MeasurementError.usage("--fraction: expected a number above 0, at most 1")
    }
    if let error = request.transform.misfit(inputs.a.tensor, depth: inputs.a.depth) { throw error }
    if case .outliers = request.transform, output != nil {
      throw .usage("D of an outlier split is no unit's output (expected no --output)")
    }
    self.request = request
    self.output = output
    let share = request.fraction.squareRoot()
    rows = sample(Self.size(inputs.a.lines, share), of: inputs.a.lines, seed: request.seed)
    columns = sample(
      Self.size(inputs.b.lines, share), of: inputs.b.lines, seed: request.seed &+ 0x9E37_79B9)
    sums = ProductErrorSums(worstCount: request.worstCount)
  }

  /// How many of `count` lines a share of them is: at least one where there are any.
  static func size(_ count: Int, _ share: Double) -> Int {
    min(count, max(1, Int((Double(count) * share).rounded(.up))))
  }

  /// The statistics after the last product; D gets its name.
  func finish(_ inputs: MatmulInputs) throws -> MatmulResult {
    try writer?.finish()
    return MatmulResult(
      a: side(inputs.a, request.a, sides.a), b: side(inputs.b, request.b, sides.b),
      request: request, shape: inputs.shape, depth: inputs.a.depth, sampledRows: rows.count,
      sampledColumns: columns.count, report: ProductErrorReport(sums), referenceBound: bound)
  }

  private func side(
    _ input: MatmulInput, _ request: MatmulSideRequest, _ totals: MatmulSideTotals
  ) -> MatmulResult.Side {
    MatmulResult.Side(
      file: input.tensor.path, tensor: input.tensor.name, shape: input.tensor.info.shape,
      request: request, element: totals.element, tensorScales: totals.tensorScales,
      clampedScales: totals.clampedScales, narrowed: totals.narrowed)
  }
}

/// What one side's matrices add up to.
struct MatmulSideTotals {
  var element = ""
  var tensorScales: [Float] = []
  var clampedScales = 0
  var narrowed = 0

  mutating func add(_ data: MatmulSideData) {
    element = data.operand.element.name
    tensorScales += [data.operand.tensorScale].compactMap { $0 }
    clampedScales += data.clampedScales
    narrowed += data.narrowed
  }
}

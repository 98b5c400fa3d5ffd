import ErrorStatistics
import FastPath
import FormatCatalog
import NumberFormats
import TensorIO

/// What a matmul experiment found.
public struct MatmulResult: Sendable {
  /// One side as it was multiplied.
  public struct Side: Sendable {
    public var file: String
    public var tensor: String
    public var shape: [Int]
    public var request: MatmulSideRequest
    /// The element the unit multiplied: the format's own, or one that holds its values exactly, or
    /// the type an unquantised side was rounded to.
    public var element: String
    /// One for each matrix; none where the format has none.
    public var tensorScales: [Float]
    public var clampedScales: Int
    /// Numbers of the file that were rounded to float32.
    public var narrowed: Int
  }

  public var a: Side
  public var b: Side
  public var request: MatmulRequest
  /// D's whole shape.
  public var shape: [Int]
  public var depth: Int
  /// Rows and columns computed, of a matrix.
  public var sampledRows: Int
  public var sampledColumns: Int
  public var report: ProductErrorReport
  /// |float64 product − real product| is at most this for every output of A·B (see
  /// ``Float64Product``).
  public var referenceBound: Double
}

/// Multiplies two tensors as a matrix unit would, and compares with the product of the unquantised
/// operands, computed in float64.
public struct MatmulExperiment: Sendable {
  public var quantizer: any QuantizationEngine
  public var engine: any MatmulEngine
  public var parallel: Parallel
  public var catalog: FormatCatalog

  public init(
    quantizer: any QuantizationEngine, engine: any MatmulEngine, parallel: Parallel,
    catalog: FormatCatalog
  ) {
    self.quantizer = quantizer
    self.engine = engine
    self.parallel = parallel
    self.catalog = catalog
  }

  /// - Parameters:
  ///   - output: the .npy file D is written to; needs every output.
  ///   - progress: called with the multiply-accumulates done since the last call.
  public func run(
    _ a: InputTensor, _ b: InputTensor, _ request: MatmulRequest, output: String? = nil,
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws -> MatmulResult {
    let inputs = try MatmulInputs(a, b, transposesB: request.transposesB)
    guard request.fraction > 0, request.fraction <= 1, request.fraction == 1 || output == nil else {
      throw MeasurementError.usage("--fraction: expected a number above 0, at most 1")
    }
    let share = request.fraction.squareRoot()
    let rows = sample(Self.size(inputs.a.lines, share), of: inputs.a.lines, seed: request.seed)
    let columns = sample(
      Self.size(inputs.b.lines, share), of: inputs.b.lines, seed: request.seed &+ 0x9E37_79B9)
    var writer: MatmulWriter?
    var sums = ProductErrorSums(worstCount: request.worstCount)
    var bound = 0.0
    var sides = (MatmulSideTotals(), MatmulSideTotals())
    for matrix in 0..<inputs.matrices {
      let whole = (
        try build(inputs.a, matrix, request.a, request),
        try build(inputs.b, matrix, request.b, request)
      )
      sides.0.add(whole.0)
      sides.1.add(whole.1)
      let (left, right) = (whole.0.gathering(rows), whole.1.gathering(columns))
      let product = MatmulTiles(
        experiment: self, a: left, b: right, accumulator: request.accumulator, rows: rows,
        columns: columns, firstRow: matrix * inputs.a.lines, worstCount: request.worstCount)
      if let output, writer == nil {
        writer = MatmulWriter(path: output, shape: inputs.shape, type: product.outputType)
      }
      let done = try product.run(
        sums, names: (inputs.a.tensor, inputs.b.tensor), writer: writer, progress: progress)
      sums = done.sums
      bound = max(bound, done.referenceBound)
    }
    try writer?.finish()
    return MatmulResult(
      a: side(inputs.a, request.a, sides.0), b: side(inputs.b, request.b, sides.1),
      request: request, shape: inputs.shape, depth: inputs.a.depth, sampledRows: rows.count,
      sampledColumns: columns.count, report: ProductErrorReport(sums), referenceBound: bound)
  }

  /// Multiply-accumulates of a run.
  public func work(
    _ a: InputTensor, _ b: InputTensor, _ request: MatmulRequest
  ) throws(MeasurementError) -> Int {
    let inputs = try MatmulInputs(a, b, transposesB: request.transposesB)
    let share = request.fraction.squareRoot()
    return inputs.matrices * inputs.a.depth * Self.size(inputs.a.lines, share)
      * Self.size(inputs.b.lines, share)
  }

  private static func size(_ count: Int, _ share: Double) -> Int {
    min(count, max(1, Int((Double(count) * share).rounded(.up))))
  }

  private func build(
    _ input: MatmulInput, _ matrix: Int, _ side: MatmulSideRequest, _ request: MatmulRequest
  ) throws -> MatmulSideData {
    let (lines, narrowed) = try input.read(matrix, parallel: parallel)
    var builder = MatmulSideBuilder(
      engine: quantizer, parallel: parallel, accumulator: request.accumulator,
      tensor: input.tensor, firstElement: matrix * input.lines * input.depth)
    if case .named(let names) = request.accumulator.operands {
      for name in names { builder.carriers[name] = catalog.element(name) }
    }
    var data = try builder.build(lines, side)
    data.narrowed = narrowed
    return data
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
private struct MatmulSideTotals {
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

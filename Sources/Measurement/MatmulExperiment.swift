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
    var run = try MatmulRun(inputs, request, output: output)
    for matrix in 0..<inputs.matrices {
      try step(&run, inputs, matrix, read(inputs, matrix), progress)
    }
    return try run.finish(inputs)
  }

  /// Several ways of multiplying the same two tensors, which are read once.
  ///
  /// - Parameter requests: all with the same `transposesB`.
  public func run(
    _ a: InputTensor, _ b: InputTensor, _ requests: [MatmulRequest],
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws -> [MatmulResult] {
    guard let first = requests.first else { return [] }
    guard requests.allSatisfy({ $0.transposesB == first.transposesB }) else {
      throw MeasurementError.usage("requests of one read: expected B the same way round")
    }
    let inputs = try MatmulInputs(a, b, transposesB: first.transposesB)
    var runs = try requests.map { try MatmulRun(inputs, $0, output: nil) }
    for matrix in 0..<inputs.matrices {
      let lines = try read(inputs, matrix)
      for index in runs.indices { try step(&runs[index], inputs, matrix, lines, progress) }
    }
    return try runs.map { try $0.finish(inputs) }
  }

  /// Both operands of one product as the files have them.
  private func read(_ inputs: MatmulInputs, _ matrix: Int) throws -> MatmulLines {
    MatmulLines(
      a: try inputs.a.read(matrix, parallel: parallel),
      b: try inputs.b.read(matrix, parallel: parallel))
  }

  /// Adds the product of one pair of matrices to a run.
  private func step(
    _ run: inout MatmulRun, _ inputs: MatmulInputs, _ matrix: Int, _ lines: MatmulLines,
    _ progress: @Sendable (Int) -> Void
  ) throws {
    let request = run.request
    let transformed = TransformedLines(lines, request.transform, parallel: parallel)
    var whole = (
      try build(
        inputs.a, matrix, (transformed.a, lines.a.narrowed), request.a, request.accumulator),
      try build(
        inputs.b, matrix, (transformed.b, lines.b.narrowed), request.b, request.accumulator)
    )
    transformed.complete(&whole.0, &whole.1)
    run.sides.a.add(whole.0)
    run.sides.b.add(whole.1)
    let product = MatmulTiles(
      experiment: self, a: whole.0.gathering(run.rows), b: whole.1.gathering(run.columns),
      accumulator: request.accumulator, rows: run.rows, columns: run.columns,
      firstRow: matrix * inputs.a.lines, worstCount: request.worstCount)
    if let output = run.output, run.writer == nil {
      run.writer = MatmulWriter(path: output, shape: inputs.shape, type: product.outputType)
    }
    let done = try product.run(
      run.sums, names: (inputs.a.tensor, inputs.b.tensor), writer: run.writer, progress: progress)
    run.sums = done.sums
    run.bound = max(run.bound, done.referenceBound)
  }

  /// Multiply-accumulates of a run.
  public func work(
    _ a: InputTensor, _ b: InputTensor, _ request: MatmulRequest
  ) throws(MeasurementError) -> Int {
    let inputs = try MatmulInputs(a, b, transposesB: request.transposesB)
    let share = request.fraction.squareRoot()
    return inputs.matrices * inputs.a.depth * MatmulRun.size(inputs.a.lines, share)
      * MatmulRun.size(inputs.b.lines, share)
  }

  /// One side of one product, quantised for a unit.
  func build(
    _ input: MatmulInput, _ matrix: Int, _ lines: (matrix: LineMatrix, narrowed: Int),
    _ side: MatmulSideRequest, _ accumulator: Accumulator
  ) throws(MeasurementError) -> MatmulSideData {
    var builder = MatmulSideBuilder(
      engine: quantizer, parallel: parallel, accumulator: accumulator,
      tensor: input.tensor, firstElement: matrix * input.lines * input.depth)
    if case .named(let names) = accumulator.operands {
      for name in names { builder.carriers[name] = catalog.element(name) }
    }
    var data = try builder.build(lines.matrix, side)
    data.narrowed = lines.narrowed
    return data
  }
}

/// Two operands as read, with how many of their numbers were rounded to float32.
struct MatmulLines {
  var a: (matrix: LineMatrix, narrowed: Int)
  var b: (matrix: LineMatrix, narrowed: Int)
}

import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import TensorIO

struct Mma: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Multiply codes as a matrix unit would: codes in, the unit's bits out.",
    discussion: """
      A is [m, k] and B is [k, n], one code per element: uint8 up to 8 bits, uint16 up to 16, uint32 \
      above. SA is [m, ceil(k/N)] and SB is [ceil(k/N), n], scale codes likewise (FP32 scales may be \
      float32). C and D are [m, n]: float32, float16 for FP16 outputs, int32 for integer \
      accumulators without scales (with scales their sums are float32), int64 for fixed ones. NaN is \
      written as the bits that the unit has for it.
      """)

  @Option(help: ArgumentHelp("The element of A, and of B unless given.", valueName: "e"))
  var element: String
  @Option(help: ArgumentHelp("The element of B.", valueName: "e2"))
  var elementB: String?
  @Option(
    help: ArgumentHelp(
      "How products are added; blockscale formats lists them.", valueName: "acc"))
  var accumulator: String
  @Option(name: .customLong("a"), help: ArgumentHelp("Codes [m, k].", valueName: "a.npy"))
  var a: String
  @Option(name: .customLong("b"), help: ArgumentHelp("Codes [k, n].", valueName: "b.npy"))
  var b: String
  @Option(
    name: .customLong("c"),
    help: ArgumentHelp("The addend [m, n]; 0 by default.", valueName: "c.npy"))
  var c: String?
  @Option(help: ArgumentHelp("The scale format of A, and of B unless given.", valueName: "s"))
  var scale: String?
  @Option(help: ArgumentHelp("The scale format of B.", valueName: "s2"))
  var scaleBFormat: String?
  @Option(
    help: ArgumentHelp("Elements of A's blocks along k, and of B's unless given.", valueName: "n"))
  var block: Int?
  @Option(help: ArgumentHelp("Elements of B's blocks along k.", valueName: "n2"))
  var blockB: Int?
  @Option(help: ArgumentHelp("Scale codes of A.", valueName: "sa.npy"))
  var scaleA: String?
  @Option(help: ArgumentHelp("Scale codes of B.", valueName: "sb.npy"))
  var scaleB: String?
  @Option(
    help: ArgumentHelp("The file to write.", valueName: "d.npy"),
    completion: .file(extensions: ["npy"]))
  var output: String
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Print every step and term of one output, as the reference sums it.",
      valueName: "row,column"))
  var trace: CommaList<Int>?
  @OptionGroup var summary: SummaryOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    try checkEnding(of: output, [".npy"])
    if let trace, trace.values.count != 2 {
      throw ValidationError("--trace: expected row,column")
    }
    if scaleA == nil, scaleB == nil {
      guard scale == nil, block == nil, scaleBFormat == nil, blockB == nil else {
        throw ValidationError("--scale and --block: expected with --scale-a or --scale-b")
      }
    }
    if scaleB == nil, scaleBFormat != nil || blockB != nil {
      throw ValidationError("--scale-b-format and --block-b: expected with --scale-b")
    }
    for block in [block, blockB].compactMap({ $0 }) where block < 1 {
      throw ValidationError("--block: expected 1 or more")
    }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let elements = (
      try catalog.requiredElement(element), try catalog.requiredElement(elementB ?? element)
    )
    let unit = try catalog.requiredAccumulator(accumulator)
    let scaleFormats = (
      try scaleA.map { _ in try scaleFormat(scale, catalog) },
      try scaleB.map { _ in try scaleFormat(scaleBFormat ?? scale, catalog) }
    )
    var product = CodeProduct(
      a: try codes(a, elements.0), b: try codes(b, elements.1), c: nil, elementA: elements.0,
      elementB: elements.1, scalesA: nil, scalesB: nil, accumulator: unit)
    if let scaleA, let format = scaleFormats.0 {
      product.scalesA = (try scales(scaleA, format), format, try blockSize(block))
    }
    if let scaleB, let format = scaleFormats.1 {
      product.scalesB = (try scales(scaleB, format), format, try blockSize(blockB ?? block))
    }
    if let c { product.c = try CodeArray(c, types: [product.problem().outputType.dtype]) }
    let problem = try product.problem()
    if let place = trace?.values {
      try problem.checkOutput(row: place[0], column: place[1])
    }
    let matmul = try makeMatmulEngine(target: engine.target)
    let patterns = try multiply(problem, by: matmul, parallel: engine.parallel, files: (a, b))
    try writePatterns(
      patterns, rows: problem.rows, columns: problem.columns, type: problem.outputType, to: output)
    let run = RunFields(
      engine: matmul.name, seed: nil,
      rows: [UsedRow(unit), UsedRow(.element(elements.0)), UsedRow(.element(elements.1))]
        + [scaleFormats.0, scaleFormats.1].compactMap { $0 }.map { UsedRow(.scale($0)) })
    if let place = trace?.values {
      let trace = try traced(problem, row: place[0], column: place[1], files: (a, b))
      var options = ReportOptions()
      options.form = summary.form ?? .table
      return try options.print(
        TraceReports.report(trace, problem, row: place[0], column: place[1], run: run))
    }
    try summary.print(MatmulReports.written(problem, to: output, run: run), skipped: [])
  }

  private func scaleFormat(_ name: String?, _ catalog: FormatCatalog) throws -> ScaleFormat {
    guard let name else { throw UsageError("--scale: expected with --scale-a or --scale-b") }
    return try catalog.requiredScale(name)
  }

  private func blockSize(_ block: Int?) throws -> Int {
    guard let block else { throw UsageError("--block: expected with --scale-a or --scale-b") }
    return block
  }

  private func codes(_ path: String, _ element: ElementFormat) throws -> CodeArray {
    try CodeArray(
      path, types: [element.codeBytes == 1 ? .u8 : element.codeBytes == 2 ? .u16 : .u32])
  }

  private func scales(_ path: String, _ format: ScaleFormat) throws -> CodeArray {
    switch format.storedBits {
    case 8: try CodeArray(path, types: [.u8])
    case 16: try CodeArray(path, types: [.u16, .f16])
    default: try CodeArray(path, types: [.u32, .f32])
    }
  }
}

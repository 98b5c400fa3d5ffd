import ArgumentParser
import FormatCatalog
import FoundationEssentials
import GoldenVectors
import Measurement
import NumberFormats
import Reporting
import TensorIO

extension VectorOperation: ExpressibleByArgument {}
extension CaseClass: ExpressibleByArgument {}
extension VectorLevel: ExpressibleByArgument {}
extension VectorFileKind: ExpressibleByArgument {}

struct Vectors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write golden vectors: operands, and the results a device must give.",
    discussion: """
      Results come from the MPFR reference and are compared with every instruction set of this \
      machine; nothing is written when two differ. The folder holds manifest.json, OP.inputs.memh, \
      OP.expected.memh and the other files asked for. Equal arguments give equal bytes on every \
      machine.
      """)

  @Option(help: ArgumentHelp("A block format.", valueName: "f"))
  var format: String
  @Option(help: ArgumentHelp("Elements of a block: N or RxC.", valueName: "n"))
  var block: BlockShape?
  @Option(name: .customLong("op"), help: "What the device does.")
  var operation: VectorOperation
  @Option(help: ArgumentHelp("How scales and codes are computed.", valueName: "r"))
  var recipe = "exact"
  @Option(help: ArgumentHelp("Rounding of elements in place of the recipe's.", valueName: "mode"))
  var rounding: Rounding?
  @Option(help: ArgumentHelp("How products are added.", valueName: "acc"))
  var accumulator = "exact"
  @Option(
    name: .customLong("class"),
    help: ArgumentHelp("Only these classes of cases.", valueName: "c,..."))
  var classes: CommaList<CaseClass>?
  @Option(
    help: ArgumentHelp(
      "Take operands of mma from A.npy, B.npy, C.npy, SA.npy and SB.npy in a folder, or from"
        + " PREFIX.A.npy and so on; a case for each output.", valueName: "dir|prefix"))
  var operands: String?
  @Option(help: "How many cases of each class.")
  var level: VectorLevel = .smoke
  @Option(help: ArgumentHelp("Cases altogether, in place of the level's.", valueName: "n"))
  var count: Int?
  @Option(help: ArgumentHelp("Another seed gives other cases.", valueName: "n"))
  var seed: UInt64 = 1
  @Flag(help: "Say in CSV and JSON what each sum went through.")
  var debug = false
  @Option(help: ArgumentHelp("Files beside memh: raw,csv,json,text,sv,v,c.", valueName: "kind,..."))
  var emit: CommaList<VectorFileKind>?
  @Option(help: ArgumentHelp("Threads; by default one a core.", valueName: "n"))
  var threads: Int?
  @Option(
    help: ArgumentHelp("A new folder, or one of earlier vectors.", valueName: "dir"),
    completion: .directory)
  var output: String
  @OptionGroup var summary: SummaryOptions
  @OptionGroup var rows: CatalogOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count: expected 1 or more") }
    if let threads, threads < 1 { throw ValidationError("--threads: expected 1 or more") }
    if debug, !operation.isSum {
      throw ValidationError("--debug: expected with --op product, dot or mma")
    }
    if operands != nil, operation != .mma || classes != nil || count != nil {
      throw ValidationError("--operands: expected with --op mma, without --class and --count")
    }
  }

  /// The product that the operands' files ask for.
  private func product(
    _ format: BlockFormat, _ unit: Accumulator
  ) throws -> MatmulProblem? {
    guard let operands else { return nil }
    func path(_ name: String) -> String {
      FileManager.default.fileExists(atPath: "\(operands)/A.npy")
        ? "\(operands)/\(name).npy" : "\(operands).\(name).npy"
    }
    let bytes = format.element.codeBytes
    let types: [TensorDType] = [bytes == 1 ? .u8 : bytes == 2 ? .u16 : .u32]
    var product = CodeProduct(
      a: try CodeArray(path("A"), types: types), b: try CodeArray(path("B"), types: types), c: nil,
      elementA: format.element, elementB: format.element, scalesA: nil, scalesB: nil,
      accumulator: unit)
    if FileManager.default.fileExists(atPath: path("SA")) {
      guard case .line(let size) = block ?? format.block else {
        throw UsageError("--block: expected N with scales")
      }
      let stored: [TensorDType] =
        format.scale.storedBits == 8
        ? [.u8] : format.scale.storedBits == 16 ? [.u16, .f16] : [.u32, .f32]
      product.scalesA = (try CodeArray(path("SA"), types: stored), format.scale, size)
      product.scalesB = (try CodeArray(path("SB"), types: stored), format.scale, size)
    }
    if FileManager.default.fileExists(atPath: path("C")) {
      product.c = try CodeArray(path("C"), types: [product.problem().outputType.dtype])
    }
    let problem = try product.problem()
    guard problem.depth > 0, problem.rows * problem.columns > 0 else {
      throw UsageError("--operands: expected at least one term and one output")
    }
    return problem
  }

  func run() throws {
    let catalog = try rows.catalog()
    let cases = try CaseRequest(
      formats: [format], blocks: block.map { [$0] } ?? [], recipes: [recipe], rounding: rounding
    ).cases(in: catalog).cases
    guard let quantization = cases.first?.spec else {
      throw UsageError("recipe \(recipe) is not defined for format \(format)")
    }
    let unit = try catalog.requiredAccumulator(accumulator)
    let problem = try product(quantization.format, unit)
    let spec = try VectorSpec(
      operation: operation, quantization: quantization, accumulator: unit, block: block,
      depth: problem?.depth, scaled: problem?.isScaled)
    let used = usedRows(quantization) + (operation.isSum ? [UsedRow(unit)] : [])
    var request = VectorRequest(
      spec: spec, classes: classes?.values ?? [], level: level, count: count, seed: seed,
      kinds: Set(emit?.values ?? []), isDebug: debug, threads: Parallel(threads: threads).threads,
      toolVersion: toolVersion, rows: manifestRows(quantization, unit),
      command: command(spec))
    request.operands = problem
    let manifest = try request.write(to: output)
    let run = RunFields(engine: "reference", seed: seed, rows: used)
    try summary.print(VectorReports.written(manifest, to: output, run: run), skipped: [])
  }

  private func manifestRows(
    _ spec: QuantizationSpec, _ unit: Accumulator
  ) -> [VectorManifest.Row] {
    var rows: [(UsedRow, RowText)] = [
      (UsedRow(spec.format), RowText(spec.format)),
      (UsedRow(.element(spec.format.element)), RowText(spec.format.element)),
      (UsedRow(.scale(spec.format.scale)), RowText(spec.format.scale)),
      (UsedRow(spec.recipe), RowText(spec.recipe)),
    ]
    if operation.isSum { rows.append((UsedRow(unit), RowText(unit))) }
    return rows.map { used, row in
      VectorManifest.Row(
        kind: used.kind, name: used.name, source: used.source, checked: used.checked,
        rowHash: used.hash, text: row.text)
    }
  }

  /// The command with everything that decides the bytes, and nothing that does not.
  private func command(_ spec: VectorSpec) -> String {
    var words = ["blockscale vectors --format \(spec.quantization.format.name)"]
    words.append("--block \(spec.block) --op \(operation.rawValue) --recipe \(recipe)")
    if let rounding { words.append("--rounding \(rounding)") }
    if operation.isSum { words.append("--accumulator '\(spec.accumulator.name)'") }
    if let classes {
      words.append("--class " + classes.values.map(\.rawValue).joined(separator: ","))
    }
    words.append("--level \(level.rawValue)")
    if let count { words.append("--count \(count)") }
    if let operands { words.append("--operands '\(operands)'") }
    words.append("--seed \(seed)")
    if debug { words.append("--debug") }
    for file in rows.files { words.append("--formats '\(file)'") }
    let kinds = VectorFileKind.allCases.filter { Set(emit?.values ?? []).contains($0) }
    if !kinds.isEmpty { words.append("--emit " + kinds.map(\.rawValue).joined(separator: ",")) }
    return (words + ["--output DIR"]).joined(separator: " ")
  }
}

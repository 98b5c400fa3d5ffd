import ArgumentParser
import FormatCatalog
import GoldenVectors
import Measurement
import NumberFormats
import Reporting

extension VectorOperation: ExpressibleByArgument {}
extension CaseClass: ExpressibleByArgument {}
extension VectorLevel: ExpressibleByArgument {}
extension VectorFileKind: ExpressibleByArgument {}
extension TileShape: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

struct Vectors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write golden vectors: operands, and the results a device must give.",
    discussion: """
      Results come from the MPFR reference and are compared with every instruction set of this \
      machine; nothing is written when two differ. The folder holds manifest.json, OP.inputs.memh, \
      OP.expected.memh and the other files asked for. Equal arguments give equal bytes on every \
      machine.
      """)

  @Option(
    help: ArgumentHelp("A block format, or an element where there are no scales.", valueName: "f"))
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
      "Take operands of dot, mma and matmul from A.npy, B.npy, C.npy, SA.npy and SB.npy in a"
        + " folder, or from PREFIX.A.npy and so on; a case for each output or tile.",
      valueName: "dir|prefix"))
  var operands: String?
  @Flag(help: "Row i of A meets row i of B, which has A's shape.")
  var pairs = false
  @Option(
    help: ArgumentHelp(
      "Outputs and terms of a matmul; by default 4x4 outputs of two blocks or two of the unit's"
        + " steps.", valueName: "MxNxK"))
  var tile: TileShape?
  @Flag(help: "Operands of dot, mma and matmul without scales.")
  var unscaled = false
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
  @OptionGroup var threads: ThreadOptions
  @Option(
    help: ArgumentHelp("A new folder, or one of earlier vectors.", valueName: "dir"),
    completion: .directory)
  var output: String
  @OptionGroup var summary: SummaryOptions
  @OptionGroup var rows: CatalogOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count: expected 1 or more") }
    if debug, !operation.isSum {
      throw ValidationError("--debug: expected with --op product, dot, mma or matmul")
    }
    let takesFiles = [.dot, .mma, .matmul].contains(operation)
    if operands != nil, !takesFiles || classes != nil || count != nil {
      throw ValidationError(
        "--operands: expected with --op dot, mma or matmul, without --class and --count")
    }
    if pairs, operands == nil { throw ValidationError("--pairs: expected with --operands") }
    if tile != nil, operation != .matmul {
      throw ValidationError("--tile: expected with --op matmul")
    }
    if unscaled, !takesFiles {
      throw ValidationError("--unscaled: expected with --op dot, mma or matmul")
    }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let chosen = try VectorFormat(
      format, block: block, recipe: recipe, rounding: rounding, operation: operation, in: catalog)
    var quantization = chosen.quantization
    let unit = try catalog.requiredAccumulator(accumulator)
    let files = try operands.map {
      try OperandFiles(
        $0, operation: operation, format: quantization.format, block: block, tile: tile,
        pairs: pairs, unit: unit)
    }
    // There is no file for the tensor scales of operands: they are 1.
    if files != nil { quantization.tensorScale = .none }
    let isUnscaled = chosen.isElement || unscaled
    if isUnscaled, files?.isScaled == true {
      throw UsageError("--operands: SA and SB, and operands without scales are asked for")
    }
    let spec = try VectorSpec(
      operation: operation, quantization: quantization, accumulator: unit, block: block,
      depth: files?.depth, scaled: isUnscaled ? false : files?.isScaled,
      tile: files?.tile ?? tile)
    let used = operation.isSum ? unit : nil
    var request = VectorRequest(
      spec: spec, classes: classes?.values ?? [], level: level, count: count, seed: seed,
      kinds: Set(emit?.values ?? []), isDebug: debug, threads: threads.parallel.threads,
      toolVersion: toolVersion, rows: chosen.manifestRows(used),
      command: command(spec, isPaired: files?.operands.meeting == .pairs))
    request.operands = files?.operands
    StopSignals.watch()
    request.isStopped = { StopSignals.haveCome }
    let manifest = try request.write(to: output)
    let run = RunFields(engine: "reference", seed: seed, rows: chosen.used(used))
    try summary.print(VectorReports.written(manifest, to: output, run: run), skipped: [])
  }

  /// The command with everything that decides the bytes, and nothing that does not.
  private func command(_ spec: VectorSpec, isPaired: Bool) -> String {
    var words = ["blockscale vectors --format \(spec.quantization.format.name)"]
    words.append("--block \(spec.block) --op \(operation.rawValue) --recipe \(recipe)")
    if let rounding { words.append("--rounding \(rounding)") }
    if operation.isSum { words.append("--accumulator '\(spec.accumulator.name)'") }
    if let classes {
      words.append("--class " + classes.values.map(\.rawValue).joined(separator: ","))
    }
    words.append("--level \(level.rawValue)")
    if let count { words.append("--count \(count)") }
    if let tile = spec.tile { words.append("--tile \(tile)") }
    if unscaled { words.append("--unscaled") }
    if let operands { words.append("--operands '\(operands)'" + (isPaired ? " --pairs" : "")) }
    words.append("--seed \(seed)")
    if debug { words.append("--debug") }
    for file in rows.files { words.append("--formats '\(file)'") }
    let kinds = VectorFileKind.allCases.filter { Set(emit?.values ?? []).contains($0) }
    if !kinds.isEmpty { words.append("--emit " + kinds.map(\.rawValue).joined(separator: ",")) }
    return (words + ["--output DIR"]).joined(separator: " ")
  }
}

import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import Sweep

struct MatmulVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "matmul",
    abstract: "Multiply two tensors as a matrix unit would, and say where the error comes from.",
    discussion: """
      A is [m, k], activations; B is [k, n], weights, or [n, k] with --transpose-b. Blocks run along \
      k. Where B has leading axes they are A's, one product each; where it has none, A's are rows.

      Both sides are quantised, multiplied by the accumulator, and compared with the product of the \
      unquantised operands in float64. The error's parts (weight, activation, interaction, \
      accumulation) sum to the total. A side with format none is rounded by tiesToEven to the unit's \
      operand type; a format whose elements the unit lacks is rewritten to one of the unit's that \
      holds every value exactly.
      """)

  @Argument(help: ArgumentHelp("A tensor file, or FILE:NAME.", valueName: "a"))
  var a: String
  @Argument(help: ArgumentHelp("A tensor file, or FILE:NAME.", valueName: "b"))
  var b: String
  @Option(help: ArgumentHelp("The block format of A, and of B unless given.", valueName: "f|none"))
  var format: String
  @Option(help: ArgumentHelp("The block format of B.", valueName: "g|none"))
  var formatB: String?
  @Option(
    help: ArgumentHelp(
      "The block along k: N, RxC, axis or tensor; by default the format's own.", valueName: "n"))
  var block: BlockShape?
  @Option(help: ArgumentHelp("The block of B; by default A's.", valueName: "n"))
  var blockB: BlockShape?
  @Option(help: ArgumentHelp("The recipe.", valueName: "r"))
  var recipe = "exact"
  @Option(help: ArgumentHelp("The recipe of B; by default A's.", valueName: "r"))
  var recipeB: String?
  @Option(
    help: ArgumentHelp(
      "Rotate both sides along k by a Hadamard matrix of this size first.", valueName: "n"))
  var rotate: RotationWord?
  @Flag(help: "B is [n, k].")
  var transposeB = false
  @Option(
    help: ArgumentHelp(
      "How products are added, between commas: exact by default; blockscale formats lists them.",
      valueName: "acc,..."))
  var accumulator: AccumulatorList?
  @OptionGroup var sample: SampleOptions
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many of the worst outputs are listed.", valueName: "n"))
  var worst = 10
  @Option(
    help: ArgumentHelp("Write D here, in the unit's type.", valueName: "d.npy"),
    completion: .file(extensions: ["npy"]))
  var output: String?
  @OptionGroup var numbers: RoundingOptions
  @Option(
    help: ArgumentHelp("Seed of stochastic rounding and of the sample.", valueName: "n"))
  var seed: UInt64 = 1
  @Option(
    help: ArgumentHelp(
      "Random numbers of A's stochastic rounding, one per element as A is read.",
      valueName: "file.npy"), completion: .file(extensions: ["npy"]))
  var randomBits: String?
  @Option(
    help: ArgumentHelp(
      "The same of B, for B as [n, k] whichever way the file has it.", valueName: "file.npy"),
    completion: .file(extensions: ["npy"]))
  var randomBitsB: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    let formats = [format, formatB ?? format].map { $0.lowercased() }
    if formats == ["none", "none"], block != nil || blockB != nil || numbers.rounding != nil {
      throw ValidationError("--block and --rounding: expected with a format other than none")
    }
    guard worst >= 0 else { throw ValidationError("--worst: expected 0 or more") }
    if let output {
      try checkEnding(of: output, [".npy"])
      guard sample.fraction == 1 else {
        throw ValidationError("--output needs every output: --fraction cannot be given")
      }
    }
    if randomBits != nil || randomBitsB != nil, !numbers.isStochastic {
      throw ValidationError("--random-bits: expected with --rounding stochastic")
    }
    if output != nil, (accumulator?.values ?? ["exact"]).count != 1 {
      throw ValidationError("--output: expected one accumulator")
    }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let left = try side(format, block, recipe, try bits(randomBits, seed: seed), catalog)
    // B draws from a key of its own: equal operands must not round alike.
    let right = try side(
      formatB ?? format, blockB ?? block, recipeB ?? recipe,
      try bits(randomBitsB, seed: seed ^ (1 << 63)), catalog)
    let tensors = (try onlyTensor(a), try onlyTensor(b))
    let experiment = MatmulExperiment(
      quantizer: try makeEngine(target: engine.target),
      engine: try makeMatmulEngine(target: engine.target), parallel: engine.parallel,
      catalog: catalog)
    let requests = try (accumulator?.values ?? ["exact"]).map { name in
      MatmulRequest(
        a: left, b: right, transposesB: transposeB,
        accumulator: try catalog.requiredAccumulator(name), fraction: sample.fraction,
        seed: seed, worstCount: worst, transform: rotate?.transform ?? .none)
    }
    let work = try experiment.work(tensors.0, tensors.1, requests[0]) * requests.count
    let progress = Progress(total: work, "multiplying")
    defer { progress.finish() }
    let results = try requests.map { request in
      try experiment.run(tensors.0, tensors.1, request, output: output) {
        progress.advance(by: $0, request.accumulator.name)
      }
    }
    progress.finish()
    let sides = [results[0].a, results[0].b]
    NarrowedMessages.write(
      [tensors.0, tensors.1], counts: sides.map { ($0.file, $0.tensor, $0.narrowed) })
    let used = results.flatMap { result in
      [UsedRow(result.request.accumulator)]
        + [left.spec, right.spec].compactMap { $0 }.flatMap(usedRows)
    }
    let run = RunFields(engine: experiment.engine.name, seed: seed, rows: used)
    try report.print(MatmulReports.report(results, run: run))
  }

  private func side(
    _ format: String, _ block: BlockShape?, _ recipe: String, _ bits: RandomBits,
    _ catalog: FormatCatalog
  ) throws -> MatmulSideRequest {
    try CaseRequest(
      formats: [format.lowercased() == "none" ? "none" : format],
      blocks: block.map { [$0] } ?? [], recipes: [recipe], axis: -1,
      rounding: numbers.rounding, tensorScale: numbers.tensorScale.choice, randomBits: bits
    ).matmulSide(in: catalog)
  }

  private func bits(_ path: String?, seed: UInt64) throws -> RandomBits {
    try path.map { try RandomBits.read($0) } ?? .philox(seed: seed)
  }

  private func onlyTensor(_ argument: String) throws -> InputTensor {
    let selection = try InputSelection([argument])
    guard selection.tensors.count == 1 else {
      throw UsageError(
        "\(argument): \(selection.tensors.count) tensors, expected one (FILE:NAME)")
    }
    return selection.tensors[0]
  }
}

/// Accumulators between commas; the commas inside `fixed(W,lsb,wrap)` belong to it.
struct AccumulatorList: ExpressibleByArgument {
  var values: [String]

  init?(argument: String) {
    values = [""]
    var depth = 0
    for character in argument {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == ",", depth == 0 {
        values.append("")
      } else {
        values[values.count - 1].append(character)
      }
    }
    guard depth == 0, values.allSatisfy({ !$0.isEmpty }) else { return nil }
    var seen: Set<String> = []
    values = values.filter { seen.insert($0.lowercased()).inserted }
  }
}

import ArgumentParser
import FormatCatalog
import FoundationEssentials
import Measurement
import NumberFormats
import Reporting
import Sweep

struct SweepVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Measure tensors and products in many ways, into a store; go on with an earlier one.",
    discussion: """
      Every tensor is measured under every format, recipe, rounding and block, as by error; every \
      product under every accumulator too, as by matmul. Results go into an SQLite file as they \
      come: a sweep that was stopped, in whatever way, goes on where it was, and one with more formats \
      or blocks measures only those. A plan may be a JSON5 file in place of flags: version: 1 and \
      weights, activations, products (a, b, transpose_b, formats, formats_b, blocks, recipes, \
      accumulators, fraction, blocks_b), formats, blocks, recipes, roundings, accumulators, rotations \
      ([0, 32]), outliers (["values:0.01"]), axis, tensor_scale, \
      as_dtype, seed, fraction, format_files. Its paths start from its own folder.

      --shard I/N measures one of N parts of about equal work. Where it is not given, a launcher's \
      variables are read: SLURM_ARRAY_TASK_ID for the tasks of an array that starts at 0 or 1 and has no \
      gaps; OMPI_COMM_WORLD_RANK, else \
      PMI_RANK, else SLURM_PROCID for the ranks of mpirun or srun; both together where both are there. \
      {shard} in the store's name becomes the shard's number.
      """)

  @OptionGroup var what: SweepOptions
  @Option(
    help: ArgumentHelp("The store, made where there is none.", valueName: "results.sqlite"),
    completion: .file(extensions: ["sqlite"]))
  var store: String?
  @Option(help: ArgumentHelp("Measure part I of N.", valueName: "i/n"))
  var shard: Shard?
  @Option(
    help: ArgumentHelp(
      "Write how it ended as JSON too: status is complete, incomplete (some cannot be measured),"
        + " changed_meanwhile, tensor_changed or error.", valueName: "status.json"),
    completion: .file(extensions: ["json"]))
  var status: String?
  @Flag(help: "Measure nothing; say what each shard would.")
  var dryRun = false
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if status != nil, dryRun { throw ValidationError("--status: a dry run has none") }
    if store == "" { throw ValidationError("--store: expected a store's name, got none") }
    guard store == nil, !dryRun else { return }
    throw ValidationError("Missing expected argument '--store <results.sqlite>'")
  }

  func run() throws {
    guard let status, !dryRun else {
      if let outcome = try sweep() { try refuseFailures(outcome) }
      return
    }
    try SweepStatus.removeEarlier(status)
    let outcome: SweepRun.Outcome?
    do {
      outcome = try sweep()
    } catch {
      try SweepStatus.write(nil, error, to: status)
      throw error
    }
    try SweepStatus.write(outcome, nil, to: status)
    if let outcome { try refuseFailures(outcome) }
  }

  /// - Returns: nil of a dry run.
  private func sweep() throws -> SweepRun.Outcome? {
    let plan = try what.request()
    let quantizer = try makeEngine(target: engine.target)
    let multiplier = try makeMatmulEngine(target: engine.target)
    let catalog = try rows.catalog()
    let (list, experiment) = try namingPlan(plan) {
      let resolved = try ResolvedPlan(plan, catalog: catalog, engine: quantizer)
      let experiment = MatmulExperiment(
        quantizer: quantizer, engine: multiplier, parallel: engine.parallel,
        catalog: resolved.catalog)
      return (try WorkList(resolved, experiment: experiment), experiment)
    }
    let fields = RunFields(engine: quantizer.name, seed: plan.seed, rows: usedRows(list))
    if report.form != .json { SkippedMessages.write(list.skipped, namesFiles: false) }
    let launcher = shard == nil ? try Launcher(ProcessInfo.processInfo.environment) : nil
    let part = shard ?? launcher?.shard ?? .whole
    guard !dryRun else {
      let shards = shard == nil || part.count == 1 ? [part] : part.all
      try report.print(
        SweepReports.plan(list, shards: shards, skipped: list.skipped, run: fields))
      return nil
    }
    return try measure(list, part, launcher, experiment, fields)
  }

  /// What a plan's file asks for in vain is its fault, not the command line's.
  private func namingPlan<Value>(_ plan: SweepPlan, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as MeasurementError where plan.file != nil && error.exitCode == 64 {
      throw SweepError.plan(file: plan.file, field: "", problem: "\(error)")
    }
  }

  private func measure(
    _ list: WorkList, _ part: Shard, _ launcher: Launcher?, _ experiment: MatmulExperiment,
    _ fields: RunFields
  ) throws -> SweepRun.Outcome {
    let path = try storePath(part, launcher)
    if part.count > 1 {
      let source = launcher.map { " (\($0.variables.joined(separator: ", ")))" } ?? ""
      StandardStreams.writeMessage("blockscale: shard \(part)\(source) into \(path)\n")
    }
    let results = try ResultsStore.openForWriting(path)
    let progress = Progress(total: 1_000_000, "measuring")
    let outcome: SweepRun.Outcome
    do {
      try results.add(command: what.command(formats: rows.files))
      outcome = try SweepRun(list: list, experiment: experiment, encoder: SweepReports.encoder)
        .run(part, into: results) { progress.advance(by: $0, $1) }
      progress.finish()
      try results.close()
    } catch {
      progress.finish()
      try? results.close()
      throw error
    }
    if report.form != .json { SkippedMessages.write(outcome.failed, namesFiles: false) }
    try report.print(
      SweepReports.report(
        outcome, shard: part, store: path, skipped: list.skipped, run: fields))
    return outcome
  }

  private func refuseFailures(_ outcome: SweepRun.Outcome) throws {
    guard !outcome.failed.isEmpty else { return }
    StandardStreams.writeMessage(
      "blockscale: \(outcome.failed.count) of \(outcome.items) results cannot be measured on these"
        + " numbers; the others are stored\n")
    throw ExitCode(65)
  }

  /// Several processes with one store would find it in use by each other.
  private func storePath(_ part: Shard, _ launcher: Launcher?) throws -> String {
    let path = store ?? ""
    if path.contains("{shard}") { return path.replacing("{shard}", with: String(part.number)) }
    guard launcher == nil else {
      throw UsageError(
        "--store \(path): this is one of \(part.count) shards; expected {shard} in the name, which"
          + " becomes the shard's number")
    }
    return path
  }

  private func usedRows(_ list: WorkList) -> [UsedRow] {
    let used = list.rows
    return used.specs.flatMap { blockscale.usedRows($0) } + used.accumulators.map { UsedRow($0) }
  }
}

extension Shard: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }

  fileprivate var all: [Shard] { (1...count).compactMap { Shard(number: $0, count: count) } }
}

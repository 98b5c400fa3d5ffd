import ArgumentParser
import Measurement
import NumberFormats
import Reporting
import Sweep

struct ErrorVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "error",
    abstract: "Measure what quantisation does to each tensor, and in total.",
    discussion: """
      Statistics run over all formats, blocks and recipes given. In JSON, scale_histogram counts \
      blocks by scale code, or by binary exponent for scales wider than 8 bits; crest_quantiles \
      are keyed by the share of blocks below. Parts of nmse: nmse_underflow of blocks whose scale is \
      subnormal or zero, nmse_clamped and nmse_saturated of elements beyond the largest code, under \
      the largest scale or another, nmse_flushed of elements made zero; the rest is rounding.

      With --quantized, the inputs are originals, and a checkpoint that somebody quantised \
      (by this tool, compressed-tensors, ModelOpt, ...) is judged against them, tensor by tensor \
      of the same name; format, block and recipe are the checkpoint's.
      """)

  @Argument(help: ArgumentHelp("Tensor files, or FILE:PATTERN.", valueName: "in"))
  var inputs: [String]
  @OptionGroup var what: FormatListOptions
  @OptionGroup var methods: MethodListOptions
  @Option(
    help: ArgumentHelp(
      "Judge this quantised checkpoint (or FILE:PATTERN) against the inputs.",
      valueName: "quant.safetensors"), completion: .file(extensions: ["safetensors"]))
  var quantized: String?
  @OptionGroup var how: QuantizationOptions
  @Flag(help: "Print totals only, in the forms for people.")
  var totalOnly = false
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if quantized == nil { try what.requireFormat() }
    if quantized != nil, methods.rotate != nil {
      throw ValidationError("--rotate: expected without --quantized")
    }
    if quantized != nil, what.format != nil || what.block != nil || methods.recipe != nil {
      throw ValidationError(
        "--quantized: format, block and recipe are the checkpoint's, and cannot be given")
    }
  }

  func run() throws {
    if let quantized { return try judge(quantized) }
    let request = try how.request(
      formats: what.format?.values ?? [], blocks: what.block?.values ?? [],
      recipes: methods.recipe?.values ?? ["exact"])
    let (unrotated, undefined) = try request.cases(in: rows.catalog())
    let cases = (methods.rotate?.values.map(\.transform.rotation) ?? [nil]).flatMap { rotation in
      unrotated.map {
        ErrorCase(spec: $0.spec, axis: $0.axis, block: $0.block, rotation: rotation)
      }
    }
    var selection = try InputSelection(inputs)
    try selection.leaveOutMisfits(cases)
    let experiment = ErrorExperiment(
      engine: try makeEngine(target: engine.target), parallel: engine.parallel, cases: cases)
    let progress = Progress(total: selection.elementCount * cases.count, "measuring")
    defer { progress.finish() }
    let (results, totals) = try how.namingRandomBits {
      try experiment.run(selection.tensors) { done, tensor in progress.advance(by: done, tensor) }
    }
    progress.finish()
    NarrowedMessages.write(
      selection.tensors, counts: results.map { ($0.file, $0.tensor, $0.narrowed) })
    try print(
      results, totals, skipped: undefined + selection.skipped, namesFiles: inputs.count > 1,
      experiment.engine, cases.map(\.spec))
  }

  private func judge(_ quantized: String) throws {
    let catalog = try rows.catalog()
    let stored = try StoredTensors(quantized, catalog: catalog, recipe: nil)
    let selection = try InputSelection(inputs)
    let judgement = CheckpointJudgement(
      engine: try makeEngine(target: engine.target), parallel: engine.parallel)
    let progress = Progress(total: stored.elementCount, "judging")
    defer { progress.finish() }
    let (results, totals, unused) = try judgement.run(stored, against: selection.tensors) {
      progress.advance(by: $0, $1)
    }
    progress.finish()
    // Originals are found by name, and the first of a name is taken.
    NarrowedMessages.write(
      selection.tensors,
      counts: results.compactMap { result in
        selection.tensors.first { $0.name == result.tensor }
          .map { ($0.path, $0.name, result.narrowed) }
      })
    try print(
      results, totals, skipped: stored.skipped + unused + selection.skipped, namesFiles: true,
      judgement.engine, stored.specs)
  }

  private func print(
    _ results: [ErrorResult], _ totals: [ErrorResult], skipped: [SkippedItem], namesFiles: Bool,
    _ engine: any QuantizationEngine, _ specs: [QuantizationSpec]
  ) throws {
    if report.form != .json { SkippedMessages.write(skipped, namesFiles: namesFiles) }
    let run = RunFields(engine: engine.name, seed: how.seed, rows: specs.flatMap(usedRows))
    try report.print(
      ErrorReports.report(
        results: results, totals: totals, skipped: skipped, run: run, showsTensors: !totalOnly))
  }
}

import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import ScalingLaws

extension LayerErrorKind: ExpressibleByArgument {}

/// Options of the verbs that measure the layers of a checkpoint.
struct LayerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Weights: a tensor file, or FILE:PATTERN; NAME.weight is [n, k]. May be repeated.",
      valueName: "in"))
  var weights: [String] = []
  @Option(
    help: ArgumentHelp(
      "Activations that meet them: NAME.input [m, k] meets NAME.weight (see tools/activations). "
        + "May be repeated.", valueName: "in"))
  var activations: [String] = []
  @Option(help: ArgumentHelp("The recipe.", valueName: "r"))
  var recipe = "exact"
  @Option(
    help: ArgumentHelp(
      "Which error: of the product with both sides quantised (the default with activations), with one side, "
        + "or of a tensor itself.", valueName: "kind"))
  var error: LayerErrorKind?
  @Option(
    help: ArgumentHelp(
      "Weight layers by these sensitivities, CSV with tensor and alpha or JSON of tools/law-alpha; "
        + "by default each layer counts by its parameters.", valueName: "file"),
    completion: .file(extensions: ["csv", "json"]))
  var alpha: String?
  @Option(
    help: ArgumentHelp("How products are added.", valueName: "acc"))
  var accumulator = "exact"
  @OptionGroup var sample: SampleOptions
  @Option(help: ArgumentHelp("Seed of the sample and of fits.", valueName: "n"))
  var seed: UInt64 = 1

  func validate() throws {
    if activations.isEmpty, let error, error.needsActivations {
      throw ValidationError("--error \(error.rawValue): expected --activations")
    }
  }

  var kind: LayerErrorKind { error ?? (activations.isEmpty ? .weightTensor : .product) }

  /// How layers are weighted; sensitivities of products for errors of products.
  func weighting() throws(LawError) -> LayerWeighting {
    guard let alpha else { return .parameters }
    let column = kind == .weightTensor ? "alpha_weight" : "alpha"
    return .sensitivities(try Sensitivities.read(alpha, column: column))
  }

  /// The layers that count: with sensitivities, those that have one.
  func layers(_ weighting: LayerWeighting) throws -> LayerPairs {
    guard !weights.isEmpty else { throw UsageError("expected --weights") }
    let right = activations.isEmpty ? nil : try InputSelection(activations)
    let pairs = try LayerPairs(weights: try InputSelection(weights), activations: right)
    guard case .sensitivities(let known) = weighting else { return pairs }
    let kept = pairs.filtered({ known.alpha[$0.name] != nil }, reason: "no alpha in \(known.file)")
    guard !kept.pairs.isEmpty else {
      throw LawError.badData(
        LawError.Fault(
          file: known.file, problem: "names none of the weights",
          expected: "names such as \(pairs.pairs[0].name)"))
    }
    return kept
  }

  /// The experiment of these options.
  func experiment(_ engine: EngineOptions, _ catalog: FormatCatalog) throws -> LayerExperiment {
    LayerExperiment(
      matmul: MatmulExperiment(
        quantizer: try makeEngine(target: engine.target),
        engine: try makeMatmulEngine(target: engine.target), parallel: engine.parallel,
        catalog: catalog),
      accumulator: try catalog.requiredAccumulator(accumulator), fraction: sample.fraction,
      seed: seed)
  }

  /// Every format with every block, along k.
  func cases(
    _ formats: [String], _ blocks: [BlockShape], _ catalog: FormatCatalog
  ) throws(MeasurementError) -> [ErrorCase] {
    try CaseRequest(formats: formats, blocks: blocks, recipes: [recipe]).cases(in: catalog).cases
  }
}

/// `FORMAT` or `FORMAT:BLOCK`.
struct FormatAndBlock: ExpressibleByArgument {
  var format: String
  var block: BlockShape?

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = parts.first, !first.isEmpty else { return nil }
    format = String(first)
    guard parts.count == 2 else { return }
    guard let block = BlockShape(String(parts[1])) else { return nil }
    self.block = block
  }

  /// The row's name, and the block given or the row's own.
  func resolved(
    in catalog: FormatCatalog
  ) throws(UsageError) -> (format: BlockFormat, block: BlockShape) {
    let row = try catalog.requiredBlock(format)
    return (row, block ?? row.block)
  }
}

import FormatCatalog
import Measurement
import NumberFormats
import Reporting

/// Layers of a checkpoint with their measured errors, and what reports say of them.
struct MeasuredLayers {
  let options: LayerOptions
  let weighting: LayerWeighting
  let pairs: LayerPairs
  let cases: [ErrorCase]
  let experiment: LayerExperiment
  let errors: [LayerErrors]

  /// Measures, with a line of progress.
  init(
    _ options: LayerOptions, _ cases: [ErrorCase], _ engine: EngineOptions,
    _ catalog: FormatCatalog
  ) throws {
    self.options = options
    self.cases = cases
    weighting = try options.weighting()
    experiment = try options.experiment(engine, catalog)
    pairs = try options.layers(weighting)
    let progress = Progress(total: try experiment.work(pairs, cases: cases), "measuring")
    defer { progress.finish() }
    errors = try experiment.run(pairs, cases: cases) { progress.advance(by: $0, $1) }
  }

  /// The error of each format against its block size.
  func curves() throws -> [JudgedCurve] {
    try LayerCurves(weighting: weighting, kind: options.kind).curves(errors).map {
      JudgedCurve($0, seed: options.seed)
    }
  }

  var subject: LawMeasureReports.Subject {
    LawMeasureReports.Subject(
      kind: options.kind, weighting: weighting, accumulator: options.accumulator,
      skipped: pairs.skipped)
  }

  var run: RunFields {
    RunFields(
      engine: experiment.matmul.engine.name, seed: options.seed,
      rows: [UsedRow(experiment.accumulator)] + cases.map(\.spec).flatMap(usedRows))
  }

  /// Says on standard error which layers were left out, unless the report itself does.
  func tellSkipped(_ form: OutputForm) {
    if form != .json { SkippedMessages.write(pairs.skipped, namesFiles: false) }
  }
}

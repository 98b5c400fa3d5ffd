import ArgumentParser
import Measurement
import NumberFormats
import Reporting

struct Dequantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write quantised tensors back as float32.",
    discussion: """
      Reads what quantize writes, and checkpoints of compressed-tensors, ModelOpt and others. A \
      value is code x scale x tensor scale, one real number rounded once, unless the file names a \
      recipe whose stack computes otherwise.
      """)

  @Argument(
    help: ArgumentHelp("A quantised checkpoint, or FILE:PATTERN.", valueName: "in.safetensors"))
  var input: String
  @Option(
    help: ArgumentHelp(
      "The file to write; .npy takes one tensor.", valueName: "out.npy|out.safetensors"),
    completion: .file(extensions: ["npy", "safetensors"]))
  var output: String
  @Option(
    help: ArgumentHelp("Read back as this recipe does, whatever the file says.", valueName: "r"))
  var recipe: String?
  @OptionGroup var summary: SummaryOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws { try checkEnding(of: output, [".npy", ".safetensors"]) }

  func run() throws {
    let catalog = try rows.catalog()
    let named = try recipe.map { name throws(UsageError) in try catalog.requiredRecipe(name) }
    let stored = try StoredTensors(input, catalog: catalog, recipe: named)
    let dequantization = TensorDequantization(
      engine: try makeEngine(target: engine.target), parallel: engine.parallel)
    let progress = Progress(total: stored.elementCount, "dequantising")
    defer { progress.finish() }
    try dequantization.write(stored, to: output) { done, tensor in
      progress.advance(by: done, tensor)
    }
    progress.finish()
    let run = RunFields(
      engine: dequantization.engine.name, seed: nil, rows: stored.specs.flatMap(usedRows))
    try summary.print(
      WrittenReports.report(
        stored.summaries, output: output, skipped: stored.skipped, run: run),
      skipped: stored.skipped)
  }
}

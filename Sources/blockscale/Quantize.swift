import ArgumentParser
import Measurement
import NumberFormats
import Reporting
import TensorIO

extension CodePacking: ExpressibleByArgument {}
extension ScaleLayout: ExpressibleByArgument {}

/// The layouts that can be written.
enum KeyStyle: String, ExpressibleByArgument, CaseIterable {
  case blockscale
  case compressedTensors = "compressed-tensors"
  case modelOpt = "modelopt"

  var keys: QuantizedKeys {
    switch self {
    case .blockscale: .blockscale
    case .compressedTensors: .compressedTensors
    case .modelOpt: .modelOpt
    }
  }
}

/// The orders of two codes in a byte.
enum NibbleOrder: String, ExpressibleByArgument, CaseIterable {
  case low, high, split

  var packing: CodePacking {
    switch self {
    case .low: .low
    case .high: .high
    case .split: .split
    }
  }
}

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Quantise tensors into codes, scales and tensor scales.")

  @Argument(help: ArgumentHelp("A tensor file, or FILE:PATTERN.", valueName: "in"))
  var input: String
  @OptionGroup var what: FormatOptions
  @Option(help: ArgumentHelp("The recipe.", valueName: "r"))
  var recipe = "exact"
  @OptionGroup var how: QuantizationOptions
  @Flag(help: "Write one code per byte.")
  var unpacked = false
  @Option(
    help: ArgumentHelp("Order of two codes in a byte; low by default.", valueName: "order"))
  var packing: NibbleOrder?
  @Option(help: ArgumentHelp("Order of scales.", valueName: "layout"))
  var scaleLayout: ScaleLayout = .linear
  @Option(
    help: ArgumentHelp(
      "Whose names and shapes the tensors have.", valueName: "style"))
  var keys: KeyStyle = .blockscale
  @Option(
    help: ArgumentHelp("The file to write.", valueName: "out.safetensors"),
    completion: .file(extensions: ["safetensors"]))
  var output: String
  @OptionGroup var summary: SummaryOptions
  @OptionGroup var rows: CatalogOptions
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    try checkEnding(of: output, [".safetensors"])
    if unpacked, packing != nil {
      throw ValidationError("--unpacked and --packing exclude each other")
    }
  }

  func run() throws {
    let request = try how.request(
      formats: [what.format], blocks: what.block.map { [$0] } ?? [], recipes: [recipe])
    let (cases, _) = try request.cases(in: rows.catalog())
    var selection = try InputSelection([input])
    try selection.leaveOutMisfits(cases)
    let quantization = TensorQuantization(
      engine: try makeEngine(target: engine.target), parallel: engine.parallel, how: cases[0],
      storage: StorageRequest(
        packing: unpacked ? CodePacking.none : packing?.packing, scaleLayout: scaleLayout,
        keys: keys.keys))
    let progress = Progress(total: selection.elementCount, "quantising")
    defer { progress.finish() }
    let written = try how.namingRandomBits {
      try quantization.write(selection.tensors, to: output) { done, tensor in
        progress.advance(by: done, tensor)
      }
    }
    progress.finish()
    NarrowedMessages.write(
      selection.tensors, counts: written.map { ($0.source, $0.name, $0.narrowed ?? 0) })
    let run = RunFields(
      engine: quantization.engine.name, seed: how.seed, rows: usedRows(cases[0].spec))
    try summary.print(
      WrittenReports.report(written, output: output, skipped: selection.skipped, run: run),
      skipped: selection.skipped)
  }
}

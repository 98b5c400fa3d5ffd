import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting
import ScalingLaws

extension ValueSource: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

struct LawTheory: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "theory",
    abstract:
      "A format's error on random numbers of a known kind, by integration, without drawing any.",
    discussion: """
      The relative squared error of a block of independent numbers is integrated over the block's \
      largest one, with the scale that the engine itself gives it (arXiv 2601.19026). Its parts: the \
      largest number, the others, and blocks whose scale rounds to 0. Beside it stands the closed \
      form of arXiv 2510.25602 for normal numbers at the same crest factor. On normal numbers nmse \
      is the GMSE that the capacity law reads.
      """)

  @Option(help: ArgumentHelp("Block formats, between commas.", valueName: "f,..."))
  var format: CommaList<String>
  @Option(
    help: ArgumentHelp(
      "Elements of a block, between commas; by default each format's own.", valueName: "n,..."))
  var block: CommaList<Int>?
  @Option(help: ArgumentHelp("Recipe of the scale, an exact one.", valueName: "r"))
  var recipe = "exact"
  @Option(
    help: ArgumentHelp(
      "What the numbers come from, between commas: normal (by default), laplace, student:NU.",
      valueName: "source,..."))
  var source: CommaList<ValueSource>?
  @Option(
    help: ArgumentHelp(
      "Their standard deviations, between commas; 1 by default.", valueName: "x,..."))
  var sigma: CommaList<Double>?
  @Option(help: ArgumentHelp("A factor above the block scales.", valueName: "x"))
  var tensorScale: Float?
  @Flag(
    help: "Scales that would round to 0 are 0, as in the paper; exact recipes take the smallest.")
  var vanishingScales = false
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions

  func validate() throws {
    for size in block?.values ?? [] where !(1...1_000_000_000).contains(size) {
      throw ValidationError("--block \(size): expected 1 to 1e9")
    }
    for deviation in sigma?.values ?? [] where !(deviation > 0 && deviation.isFinite) {
      throw ValidationError("--sigma \(deviation): expected a number above 0")
    }
    if let tensorScale, !(tensorScale > 0 && tensorScale.isFinite) {
      throw ValidationError("--tensor-scale: expected a number above 0")
    }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let rule = try catalog.requiredRecipe(recipe)
    let engine = try makeEngine(target: .auto)
    var results: [LawTheoryReports.Row] = []
    var specs: [QuantizationSpec] = []
    for name in format.values {
      let form = try catalog.requiredBlock(name)
      let spec = QuantizationSpec(format: form, recipe: rule)
      specs.append(spec)
      let theory = try BlockErrorTheory(
        spec, tensorScale: TensorScale(decode: tensorScale ?? 1), engine: engine)
      for size in try block?.values ?? [form.ownBlockSize()] {
        for kind in source?.values ?? [.normal] {
          for deviation in sigma?.values ?? [1] {
            let parts = try theory.error(
              count: size, source: kind, deviation: deviation, vanishing: vanishingScales)
            results.append(
              LawTheoryReports.Row(
                format: form.name, block: size, source: kind, deviation: deviation, parts: parts,
                closedForm: ClosedFormQSNR.decibels(
                  of: form, block: size, crest: parts.crest, engine: engine)))
          }
        }
      }
    }
    let run = RunFields(engine: engine.name, seed: nil, rows: specs.flatMap { usedRows($0) })
    try report.print(LawTheoryReports.report(results, run: run))
  }
}

extension BlockFormat {
  /// Elements of the format's own block.
  func ownBlockSize() throws -> Int {
    switch block {
    case .line(let size): return size
    case .tile(let rows, let columns): return rows * columns
    case .axis, .tensor:
      throw UsageError("\(name) has no block size of its own: give one")
    }
  }
}

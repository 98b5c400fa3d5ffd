import ArgumentParser
import Measurement
import NumberFormats
import Reporting
import Sweep

/// What a sweep measures: flags, or a plan file in their place.
struct SweepOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("Weights: tensor files, or FILE:PATTERN.", valueName: "in"))
  var inputs: [String] = []
  @Option(
    help: ArgumentHelp("Read all this from a JSON5 file.", valueName: "plan.json5"),
    completion: .file(extensions: ["json5", "json"]))
  var plan: String?
  @Option(help: ArgumentHelp("Activations; may be repeated.", valueName: "in"))
  var activations: [String] = []
  @Option(
    help: ArgumentHelp(
      "Multiply A by B; of patterns, tensors meet whose names put the same text in the place of the"
        + " wildcards. May be repeated.", valueName: "a=b"))
  var product: [String] = []
  @Flag(help: "B of every product is [n, k].")
  var transposeB = false
  @OptionGroup var what: FormatListOptions
  @OptionGroup var methods: MethodListOptions
  @Option(
    help: ArgumentHelp(
      "Roundings of elements in place of the recipe's, between commas.", valueName: "mode,..."))
  var rounding: CommaList<Rounding>?
  @Option(
    help: ArgumentHelp(
      "How products are added, between commas; exact by default.", valueName: "acc,..."))
  var accumulator: AccumulatorList?
  @Option(
    help: ArgumentHelp(
      "Of products, keep these shares in high precision: none, values:P, columns:P, between commas.",
      valueName: "s:p,..."))
  var outliers: CommaList<OutlierWord>?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The axis that blocks of tensors run along; -1 by default.", valueName: "a"))
  var axis: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("auto, none, or a factor.", valueName: "auto|none|x"))
  var tensorScale: TensorScaleArgument?
  @Option(
    name: .customLong("as-dtype"),
    help: ArgumentHelp("Compute as the stack does on input of this type.", valueName: "type"))
  var computeType: ComputeType?
  @Option(help: ArgumentHelp("Seed of stochastic rounding and of samples; 1.", valueName: "n"))
  var seed: UInt64?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of a product's outputs computed; 1.", valueName: "p"))
  var fraction: Double?

  func validate() throws {
    guard plan != nil, let other = given.first(where: { !$0.words.isEmpty }) else { return }
    throw ValidationError("\(other.option): the plan says it (expected --plan alone)")
  }

  /// Everything that a plan says in place of options, with the words that give it.
  private var given: [(option: String, words: [String])] {
    func option(_ name: String, _ values: [String]) -> (option: String, words: [String]) {
      (name, values.map { "\(name) \(ShellWord.quoted($0))" })
    }
    func list(_ name: String, _ values: [String]?) -> (option: String, words: [String]) {
      option(name, values.map { [$0.joined(separator: ",")] } ?? [])
    }
    func single(_ name: String, _ value: String?) -> (option: String, words: [String]) {
      option(name, value.map { [$0] } ?? [])
    }
    return [
      ("inputs", inputs.map(ShellWord.quoted)),
      option("--activations", activations), option("--product", product),
      ("--transpose-b", transposeB ? ["--transpose-b"] : []),
      list("--format", what.format?.values),
      list("--block", what.block?.values.map(\.description)),
      list("--recipe", methods.recipe?.values),
      list("--rounding", rounding?.values.map(\.description)),
      list("--accumulator", accumulator?.values),
      list("--rotate", methods.rotate?.values.map(\.text)),
      list("--outliers", outliers?.values.map(\.text)),
      single("--axis", axis.map(String.init)),
      single("--tensor-scale", tensorScale?.defaultValueDescription),
      single("--as-dtype", computeType?.rawValue),
      single("--seed", seed.map { String($0) }),
      single("--fraction", fraction.map { String($0) }),
    ]
  }

  /// What the file or the flags ask for.
  func request() throws -> SweepPlan {
    if let plan { return try SweepPlan.read(plan) }
    var result = SweepPlan()
    result.weights = inputs
    result.activations = activations
    result.products = try product.map { text in
      guard let sign = text.firstIndex(of: "=") else {
        throw UsageError("--product \(text): expected A=B, each FILE or FILE:PATTERN")
      }
      return ProductPlan(
        a: String(text[..<sign]), b: String(text[text.index(after: sign)...]),
        transposesB: transposeB)
    }
    result.formats = what.format?.values ?? []
    result.blocks = what.block?.values ?? []
    result.recipes = methods.recipe?.values ?? result.recipes
    result.roundings = rounding?.values ?? []
    result.accumulators = accumulator?.values ?? result.accumulators
    result.transforms =
      (methods.rotate?.values ?? []).map(\.transform) + (outliers?.values ?? []).map(\.transform)
    result.axis = axis ?? result.axis
    result.tensorScale = tensorScale?.choice ?? result.tensorScale
    result.computeType = computeType ?? result.computeType
    result.seed = seed ?? result.seed
    result.fraction = fraction ?? result.fraction
    return result
  }

  /// The command that makes the same results, without store and shard.
  func command(formats files: [String]) -> String {
    let named = [("--plan", plan.map { [$0] } ?? []), ("--formats", files)]
    let words =
      given.flatMap(\.words)
      + named.flatMap { name, values in values.map { "\(name) \(ShellWord.quoted($0))" } }
    return (["blockscale sweep"] + words).joined(separator: " ")
  }
}

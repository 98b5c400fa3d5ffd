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
  @Option(help: ArgumentHelp("Block formats, between commas.", valueName: "f,..."))
  var format: CommaList<String>?
  @Option(
    help: ArgumentHelp(
      "Blocks: N, RxC, axis or tensor, between commas; by default each format's own.",
      valueName: "b,..."))
  var block: CommaList<BlockShape>?
  @Option(help: ArgumentHelp("Recipes, between commas; exact by default.", valueName: "r,..."))
  var recipe: CommaList<String>?
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
      "Rotate by Hadamard matrices of these sizes along the blocks' axis first, between commas; 0 is none.",
      valueName: "n,..."))
  var rotate: CommaList<RotationWord>?
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
    guard plan != nil else { return }
    let given: [(String, Bool)] = [
      ("inputs", !inputs.isEmpty), ("--activations", !activations.isEmpty),
      ("--product", !product.isEmpty), ("--transpose-b", transposeB), ("--format", format != nil),
      ("--block", block != nil), ("--recipe", recipe != nil), ("--rounding", rounding != nil),
      ("--accumulator", accumulator != nil), ("--rotate", rotate != nil),
      ("--outliers", outliers != nil), ("--axis", axis != nil),
      ("--tensor-scale", tensorScale != nil), ("--as-dtype", computeType != nil),
      ("--seed", seed != nil), ("--fraction", fraction != nil),
    ]
    if let name = given.first(where: \.1)?.0 {
      throw ValidationError("\(name): the plan says it (expected --plan alone)")
    }
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
    result.formats = format?.values ?? []
    result.blocks = block?.values ?? []
    result.recipes = recipe?.values ?? result.recipes
    result.roundings = rounding?.values ?? []
    result.accumulators = accumulator?.values ?? result.accumulators
    result.transforms =
      (rotate?.values ?? []).map(\.transform) + (outliers?.values ?? []).map(\.transform)
    result.axis = axis ?? result.axis
    result.tensorScale = tensorScale?.choice ?? result.tensorScale
    result.computeType = computeType ?? result.computeType
    result.seed = seed ?? result.seed
    result.fraction = fraction ?? result.fraction
    return result
  }

  /// The command that makes the same results, without store and shard.
  func command(formats files: [String]) -> String {
    var words = ["blockscale sweep"] + inputs.map(ShellWord.quoted)
    func add(_ flag: String, _ value: String?) {
      if let value { words.append("\(flag) \(ShellWord.quoted(value))") }
    }
    add("--plan", plan)
    for name in activations { add("--activations", name) }
    for name in product { add("--product", name) }
    if transposeB { words.append("--transpose-b") }
    add("--format", format?.values.joined(separator: ","))
    add("--block", block?.values.map(\.description).joined(separator: ","))
    add("--recipe", recipe?.values.joined(separator: ","))
    add("--rounding", rounding?.values.map(\.description).joined(separator: ","))
    add("--accumulator", accumulator?.values.joined(separator: ","))
    add("--rotate", rotate?.values.map(\.text).joined(separator: ","))
    add("--outliers", outliers?.values.map(\.text).joined(separator: ","))
    add("--axis", axis.map(String.init))
    add("--tensor-scale", tensorScale?.defaultValueDescription)
    add("--as-dtype", computeType?.rawValue)
    add("--seed", seed.map { String($0) })
    add("--fraction", fraction.map { String($0) })
    for file in files { add("--formats", file) }
    return words.joined(separator: " ")
  }
}

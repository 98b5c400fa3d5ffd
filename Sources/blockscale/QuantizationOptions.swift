import ArgumentParser
import Measurement
import NumberFormats
import Sweep

extension BlockShape: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
extension Rounding: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
extension ComputeType: ExpressibleByArgument {}
extension RotationWord: ExpressibleByArgument {
  public init?(argument: String) { self.init(word: argument) }
}
extension OutlierWord: ExpressibleByArgument {
  public init?(argument: String) { self.init(word: argument) }
}

/// Values between commas, none of them empty.
struct CommaList<Element: ExpressibleByArgument>: ExpressibleByArgument {
  var values: [Element]

  init?(argument: String) {
    values = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard !part.isEmpty, let value = Element(argument: String(part)) else { return nil }
      values.append(value)
    }
  }
}

/// `auto`, `none` or a number.
struct TensorScaleArgument: ExpressibleByArgument {
  var choice: TensorScaleChoice

  init?(argument: String) {
    switch argument.lowercased() {
    case "auto": choice = .auto
    case "none": choice = .none
    default:
      guard let value = Float(argument), value.isFinite, value > 0 else { return nil }
      choice = .given(value)
    }
  }
}

/// Options that choose the engine and feed it.
struct EngineOptions: ParsableArguments {
  @Option(help: "The engine; reference is MPFR, slow, and the definition of every result.")
  var target: EngineTarget = .auto

  @OptionGroup var threads: ThreadOptions

  var parallel: Parallel { threads.parallel }
}

/// `--threads`, for verbs that share their work out.
struct ThreadOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads; as many as cores by default.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads: expected 1 or more") }
  }

  var parallel: Parallel { Parallel(threads: threads) }
}

/// `--fraction`, for verbs that multiply.
struct SampleOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The share of outputs computed: sampled rows and columns.", valueName: "p"))
  var fraction: Double = 1

  func validate() throws {
    guard fraction > 0, fraction <= 1 else {
      throw ValidationError("--fraction: expected a number above 0, at most 1")
    }
  }
}

/// What may replace a recipe's rounding and its tensor scale.
struct RoundingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Rounding of elements in place of the recipe's: tiesToEven, tiesToAway, towardZero, "
        + "towardPositive, towardNegative, toOdd, stochastic[:n].", valueName: "mode"))
  var rounding: Rounding?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "auto, none, or a factor: value = code x scale x factor.", valueName: "auto|none|x"))
  var tensorScale: TensorScaleArgument = TensorScaleArgument(choice: .auto)

  var isStochastic: Bool {
    if case .stochastic? = rounding { return true }
    return false
  }
}

/// Options that say how a tensor is quantised, apart from format, block and recipe.
struct QuantizationOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The axis that blocks run along; tiles lie on the last two.", valueName: "a"))
  var axis: Int = -1

  @OptionGroup var numbers: RoundingOptions

  @Option(
    name: .customLong("as-dtype"),
    help: ArgumentHelp(
      "Compute as the stack does on input of this type.", valueName: "type"))
  var computeType: ComputeType = .fp32

  @Option(help: ArgumentHelp("Seed of stochastic rounding.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Random numbers of stochastic rounding, one per element.", valueName: "file.npy"),
    completion: .file(extensions: ["npy"]))
  var randomBits: String?

  func validate() throws {
    guard randomBits != nil, !numbers.isStochastic else { return }
    throw ValidationError(
      "--random-bits: expected --rounding stochastic[:n], which alone uses them")
  }

  /// Runs `body`; an error over random numbers names their file.
  func namingRandomBits<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as MeasurementError {
      throw randomBits.flatMap { error.blaming(randomBits: $0) } ?? error
    }
  }

  /// The request of these options; the random numbers' file is read here.
  func request(
    formats: [String], blocks: [BlockShape], recipes: [String]
  ) throws -> CaseRequest {
    let bits = try randomBits.map { try RandomBits.read($0) } ?? .philox(seed: seed)
    return CaseRequest(
      formats: formats, blocks: blocks, recipes: recipes, axis: axis,
      rounding: numbers.rounding, tensorScale: numbers.tensorScale.choice, computeType: computeType,
      randomBits: bits)
  }
}

extension TensorScaleArgument {
  init(choice: TensorScaleChoice) { self.choice = choice }

  /// What help shows as the default.
  var defaultValueDescription: String {
    switch choice {
    case .auto: "auto"
    case .none: "none"
    case .given(let factor): "\(factor)"
    }
  }
}

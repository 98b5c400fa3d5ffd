import ArgumentParser
import NumberFormats
import Sweep

/// The block format and the block of verbs that take one.
struct FormatOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The block format.", valueName: "f"))
  var format: String
  @Option(
    help: ArgumentHelp(
      "The block: N, RxC, axis or tensor; by default the format's own.", valueName: "b"))
  var block: BlockShape?
}

/// The block formats and blocks of verbs that go through several.
struct FormatListOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Block formats, between commas.", valueName: "f,..."))
  var format: CommaList<String>?
  @Option(
    help: ArgumentHelp(
      "Blocks: N, RxC, axis or tensor, between commas; by default each format's own.",
      valueName: "b,..."))
  var block: CommaList<BlockShape>?

  /// Refuses a command without formats, for verbs that need them in some commands only.
  func requireFormat() throws(ValidationError) {
    if format == nil { throw ValidationError("Missing expected argument '--format <f,...>'") }
  }
}

/// Recipes and rotations, for verbs that measure formats in several ways.
struct MethodListOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Recipes, between commas; exact by default.", valueName: "r,..."))
  var recipe: CommaList<String>?
  @Option(
    help: ArgumentHelp(
      "Rotate by Hadamard matrices of these sizes along the blocks' axis, the last, first; between commas; 0 is none.",
      valueName: "n,..."))
  var rotate: CommaList<RotationWord>?
}

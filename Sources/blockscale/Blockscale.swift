import ArgumentParser
import Measurement
import Reporting

/// The command `blockscale`: its verbs and nothing else.
struct Blockscale: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "blockscale",
    abstract: "What a block-scaled number format does to numbers, bit for bit.",
    discussion: """
      An input IN is a .npy, .npz or .safetensors file, or FILE:PATTERN for tensors by name, with * \
      and ? as wildcards. Without a pattern every floating tensor of rank 2 or more is taken. A \
      tensor that a block cannot cut (a tile takes two axes) is listed as skipped.

      Exit codes: 0 fine, 1 a comparison or verification failed, 64 usage, 65 bad data, 66 no such \
      input, 74 cannot write.
      """,
    version: toolVersion,
    subcommands: [
      Formats.self, Explain.self, Quantize.self, Dequantize.self, ErrorVerb.self,
      Recipes.self, Mma.self, MatmulVerb.self, CodebookVerb.self, Vectors.self,
      Check.self, Verify.self, Cost.self, Law.self, SweepVerb.self, StoreVerb.self, ReportVerb.self,
    ])
}

/// Runs the command and turns every error into one line and an exit code.
@main
enum Main {
  static func main() {
    StandardStreams.ignoreClosedPipes()
    do {
      let arguments = Explain.guardingNegativeValue(Array(CommandLine.arguments.dropFirst()))
      var command = try Blockscale.parseAsRoot(arguments)
      try command.run()
    } catch {
      Failure(error).exit()
    }
  }
}

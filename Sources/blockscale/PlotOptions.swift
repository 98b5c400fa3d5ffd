import ArgumentParser
import Reporting

/// `--plot`, for verbs that can draw what they print.
struct PlotOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Draw it too.", valueName: "file.svg"),
    completion: .file(extensions: ["svg"]))
  var plot: String?

  func validate() throws {
    if let plot { try checkEnding(of: plot, [".svg"], option: "--plot") }
  }

  /// Draws where that is asked for.
  func write(_ drawing: () -> Plot) throws {
    guard let plot else { return }
    try TextOutput.write(drawing().svg(), to: plot)
  }
}

import ArgumentParser
import FoundationEssentials
import Measurement
import Reporting

struct CodebookVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "codebook",
    abstract: "Fit a codebook element to tensors by k-means, as rows for --formats.",
    discussion: """
      Blocks are divided by their largest magnitude; -1, 0 and 1 are always values, the others follow \
      the squared error of the tensors' numbers. The same tensors give the same codebook on every \
      machine. The file holds an element and a block format of the name given.
      """)

  @Argument(help: ArgumentHelp("Tensor files, or FILE:PATTERN.", valueName: "in"))
  var inputs: [String]
  @Option(help: ArgumentHelp("Numbers of a block.", valueName: "n"))
  var block = 64
  @Option(help: ArgumentHelp("Values of the codebook, 4 to 256.", valueName: "n"))
  var values = 16
  @Option(help: ArgumentHelp("The scale of the block format.", valueName: "s"))
  var scale = "fp32"
  @Option(help: ArgumentHelp("What the rows are called.", valueName: "name"))
  var name = "kmeans"
  @Option(
    help: ArgumentHelp("The file of rows.", valueName: "rows.json5"),
    completion: .file(extensions: ["json5"]))
  var output: String
  @OptionGroup var rows: CatalogOptions

  func validate() throws {
    guard block >= 2 else { throw ValidationError("--block: expected 2 or more") }
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "_-.".contains($0) })
    else {
      throw ValidationError("--name \(name): expected letters, digits, _, - and .")
    }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let scale = try catalog.requiredScale(scale)
    guard catalog.element(name) == nil, catalog.block(name) == nil else {
      throw UsageError("--name \(name): there is such a row (expected another name)")
    }
    let selection = try InputSelection(inputs)
    var fit = CodebookFit()
    for tensor in selection.tensors {
      try fit.add(tensor, block: block, parallel: Parallel())
    }
    let codebook = try fit.values(values).map { "\($0)" }.joined(separator: ", ")
    let source = "k-means on \(fit.count) numbers in blocks of \(block)"
    let text = """
      {
        version: 1,
        elements: [
          { name: "\(name)", codebook: [\(codebook)], source: "\(source)" },
        ],
        blocks: [
          { name: "\(name)", element: "\(name)", scale: "\(scale.name)", block: "\(block)", source: "\(source)" },
        ],
      }

      """
    _ = try catalog.adding(Data(text.utf8), file: output)
    try TextOutput.write(text, to: output)
    StandardStreams.writeMessage("blockscale: \(output): \(source), \(values) values\n")
  }
}

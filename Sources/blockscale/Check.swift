import ArgumentParser
import FormatCatalog
import Glibc
import GoldenVectors
import Measurement
import NumberFormats
import Reporting

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare a device's results with golden vectors; explain the first mismatches.",
    discussion: """
      RESULT holds one word for each case, in order: a memory file as $readmemh reads it, a .csv with \
      a column for each expected field, or packed words in .bin or .raw. Checksums are proved first. \
      Exit code 1 after a mismatch; 65 for files that are damaged, short, long, or hold x or z.
      """)

  @Argument(help: ArgumentHelp("A folder that vectors wrote.", valueName: "dir"))
  var folder: String
  @Argument(help: ArgumentHelp("What the device gave.", valueName: "result"))
  var result: String
  @Option(
    help: ArgumentHelp("Write a test case for each class.", valueName: "file"),
    completion: .file(extensions: ["xml"]))
  var junit: String?
  @Option(help: ArgumentHelp("Mismatches to explain.", valueName: "n"))
  var maxErrors = 20
  @Flag(help: "Any NaN stands for any other, in float results.")
  var anyNan = false
  @Option(
    help: ArgumentHelp(
      "The bits of an expected word that count; x and z are taken elsewhere.", valueName: "hex"))
  var mask: String?
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions

  func validate() throws {
    if maxErrors < 0 { throw ValidationError("--max-errors: expected 0 or more") }
  }

  func run() throws {
    if let junit { try prepare(junit) }
    let vectors = try VectorFolder(folder)
    let check = try VectorCheck(
      vectors, results: result, anyNaN: anyNan, mask: mask, limit: maxErrors)
    let text = MismatchText(vectors.manifest, spec: try spec(of: vectors.manifest))
    if let junit { try VectorCheck.write(check.junit(text.lines), to: junit) }
    try report.print(VectorReports.check(check, explain: text.lines))
    if check.mismatches > 0 { throw ExitCode(1) }
  }

  /// Refuses a report over the device's results or the vectors, and removes an earlier one: what is
  /// not compared in the end must leave no file that says it passed.
  private func prepare(_ junit: String) throws {
    let place = Self.resolved(junit)
    let isInside = place.hasPrefix(Self.resolved(folder) + "/")
    guard place != Self.resolved(result), !isInside || place.hasSuffix(".xml") else {
      throw UsageError("--junit \(junit): would replace what is compared")
    }
    // A name that cannot be removed cannot be written either, which is said in the end.
    unlink(junit)
  }

  /// A path without links, as far as its folder exists.
  private static func resolved(_ path: String) -> String {
    if let real = realpath(path, nil) {
      defer { free(real) }
      return String(cString: real)
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let parent = parts.count > 1 ? parts.dropLast().joined(separator: "/") + "/" : "."
    guard let name = parts.last, let real = realpath(parent, nil) else { return path }
    defer { free(real) }
    return String(cString: real) + "/" + name
  }

  /// The manifest's formats as this program has them; nil where it has them not, or others.
  private func spec(of manifest: VectorManifest) throws -> VectorSpec? {
    let catalog = try rows.catalog()
    guard let unit = catalog.accumulator(manifest.accumulator),
      let block = BlockShape(manifest.block),
      let chosen = try? VectorFormat(
        manifest.format, block: block, recipe: manifest.recipe,
        rounding: Rounding(manifest.rounding), operation: manifest.operation, in: catalog)
    else { return nil }
    let isSum = manifest.operation.isSum
    let described = Set(manifest.rows.map(\.rowHash))
    guard chosen.manifestRows(isSum ? unit : nil).allSatisfy({ described.contains($0.rowHash) })
    else { return nil }
    var quantization = chosen.quantization
    let hasTensorScale = manifest.inputs.fields.contains { $0.name.hasPrefix("tensor_scale") }
    if !hasTensorScale { quantization.tensorScale = .none }
    return try? VectorSpec(
      operation: manifest.operation, quantization: quantization, accumulator: unit, block: block,
      depth: isSum ? manifest.depth : nil,
      scaled: isSum ? manifest.inputs.start(of: "scale_a") != nil : nil,
      tile: manifest.tile.flatMap { TileShape($0) })
  }
}

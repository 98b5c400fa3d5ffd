import ArgumentParser
import FormatCatalog
import HardwareCost
import NumberFormats
import Reporting

extension AccumulatorWidth: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
extension ResultTile: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

struct Cost: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Tell what formats cost: bits per element, gates and traffic per multiply-accumulate.",
    discussion: """
      The gates are those of an engine that multiplies two blocks, adds the products exactly, \
      scales the sum and adds it to an FP32 number with one rounding. Their number comes from a \
      model fitted to synthesis results of such an engine (tools/rtl, Yosys); it ranks formats, \
      and says of each row whether it rests on results for that element, scale and block.
      """)

  @OptionGroup var what: FormatListOptions
  @Option(
    help: ArgumentHelp(
      "Bits of a block's accumulator, between commas: exact, or N, for which products lose low "
        + "bits.", valueName: "w,..."))
  var accumulatorWidth: CommaList<AccumulatorWidth>?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The most products an engine takes at once; larger blocks take several steps.",
      valueName: "n"))
  var lanes: Int = 128
  @Option(
    help: ArgumentHelp("Results that a unit keeps while K runs, for the traffic.", valueName: "RxC")
  )
  var tile = ResultTile(rows: 128, columns: 128)
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("K, for formats scaled by axis or tensor.", valueName: "n"))
  var length: Int = 4096
  @OptionGroup var gates: GateOptions
  @Flag(help: "Print the model against every synthesised unit and part, and its parameters.")
  var calibration = false
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions

  func validate() throws {
    guard (1...4096).contains(lanes) else { throw ValidationError("--lanes: expected 1 to 4096") }
    guard (1...1 << 30).contains(length) else {
      throw ValidationError("--length: expected 1 to 2^30")
    }
    if calibration, what.format != nil || what.block != nil || accumulatorWidth != nil {
      throw ValidationError("--calibration takes no format, block or accumulator width")
    }
    if !calibration { try what.requireFormat() }
  }

  func run() throws {
    let catalog = try rows.catalog()
    let (model, points) = try gates.model()
    if calibration {
      return try report.print(CostReports.calibration(model, points: points))
    }
    let query = CostQuery(lanes: lanes, tile: tile, length: length)
    let formats = try (what.format?.values ?? []).map { name throws(UsageError) in
      try catalog.requiredBlock(name)
    }
    let costs = try formats.flatMap { format in
      try (what.block?.values ?? [format.block]).flatMap { block in
        try (accumulatorWidth?.values ?? [.exact]).map { width in
          var own = query
          own.accumulator = width
          return try model.cost(format, block: block, own)
        }
      }
    }
    try report.print(CostReports.costs(costs, query, model))
  }
}

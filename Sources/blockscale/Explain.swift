import ArgumentParser
import FormatCatalog
import Measurement
import NumberFormats
import Reporting

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show one code's fields and exact value, or a value's code under each rounding.",
    discussion: """
      A number that begins with 0x or 0b and has neither a point nor an exponent is a code; anything \
      else (1.5, -3e-2, 0x1.8p-3, inf, nan) is a value, read as float32.
      """)

  @Argument(help: "An element or scale format.")
  var format: String
  @Argument(help: ArgumentHelp("A code or a value.", valueName: "code|value"))
  var number: String
  @Flag(help: "With a name that is both an element and a scale, take the scale.")
  var scale = false
  @OptionGroup var report: ReportOptions
  @OptionGroup var rows: CatalogOptions

  func run() throws {
    let row = try findRow(rows.catalog())
    let engine = makeReferenceEngine()
    let values = FormatValues(row, engine: engine)
    switch try NumberOrCode(number) {
    case .code(let code):
      guard code < UInt64(1) << UInt64(row.bits) else {
        throw UsageError("\(number) is no code of \(row.name), which has \(row.bits) bits")
      }
      let explanation = CodeExplanation(UInt32(code), of: values)
      try report.print(ExplainReports.code(explanation))
    case .value(let value):
      if value.isNaN, !FormatRange(row, engine: engine).hasNaN {
        throw MeasurementError.badData(
          file: row.name, tensor: nil, "the element has no NaN: no code stands for \(number)")
      }
      do {
        let explanation = try ValueExplanation(value, in: values, engine: engine)
        try report.print(ExplainReports.value(explanation))
      } catch let error as QuantizeError {
        throw MeasurementError.badData(file: row.name, tensor: nil, "\(number): \(error)")
      }
    }
  }

  /// Puts a negative value behind `--`, so that it is not taken for an option.
  static func guardingNegativeValue(_ arguments: [String]) -> [String] {
    guard arguments.first == "explain", !arguments.contains("--"),
      let place = arguments.firstIndex(where: { $0.hasPrefix("-") && Float($0.lowercased()) != nil }
      )
    else { return arguments }
    var rest = arguments
    let value = rest.remove(at: place)
    return rest + ["--", value]
  }

  private func findRow(_ catalog: FormatCatalog) throws -> NumberFormatRow {
    if !scale, let element = catalog.element(format) { return .element(element) }
    if let scale = catalog.scale(format) { return .scale(scale) }
    if let block = catalog.block(format) {
      throw UsageError(
        "\(block.name) is a block format: explain its element \(block.element.name)"
          + " or its scale \(block.scale.name)")
    }
    throw UsageError("no element or scale is called \"\(format)\" (see: blockscale formats)")
  }
}

/// The second argument of `explain`.
enum NumberOrCode {
  case code(UInt64)
  case value(Float)

  init(_ text: String) throws(UsageError) {
    let lower = text.lowercased()
    let isHexFloat = lower.contains { $0 == "." || $0 == "p" }
    for (prefix, radix) in [("0x", 16), ("0b", 2)]
    where lower.hasPrefix(prefix) && !(radix == 16 && isHexFloat) {
      guard let code = UInt64(lower.dropFirst(2), radix: radix) else {
        throw UsageError(
          "\"\(text)\" is no code (expected digits of base \(radix) after \(prefix))")
      }
      self = .code(code)
      return
    }
    guard let value = Float(lower) else {
      throw UsageError("\"\(text)\" is neither a code (0x.., 0b..) nor a number")
    }
    self = .value(value)
  }
}

import FormatCatalog
import Measurement
import NumberFormats

/// What `blockscale formats` prints.
public enum FormatReports {
  /// Every row of the catalog.
  public static func list(
    _ catalog: FormatCatalog, engine: any QuantizationEngine
  ) -> Report {
    let used: [UsedRow] =
      catalog.elements.map { UsedRow(.element($0)) } + catalog.scales.map { UsedRow(.scale($0)) }
      + catalog.blocks.map { UsedRow($0) } + catalog.recipes.map { UsedRow($0) }
      + catalog.accumulators.map { UsedRow($0) }
    return Report(
      fields: run(used, engine).json,
      sections: [
        Section(
          "elements", title: "Elements",
          table: numbers(catalog.elements.map { .element($0) }, engine, isShort: true)),
        Section(
          "scales", title: "Scales",
          table: numbers(catalog.scales.map { .scale($0) }, engine, isShort: true)),
        Section("blocks", title: "Block formats", table: blocks(catalog.blocks, isShort: true)),
        Section("recipes", title: "Recipes", table: recipes(catalog.recipes, isShort: true)),
        Section(
          "accumulators", title: "Accumulators",
          table: accumulators(catalog.accumulators, isShort: true)),
      ])
  }

  /// Everything called `name`; nil where nothing is.
  public static func one(
    _ name: String, _ catalog: FormatCatalog, engine: any QuantizationEngine
  ) -> Report? {
    let numberRows: [(String, String, NumberFormatRow?)] = [
      ("elements", "Element", catalog.element(name).map { .element($0) }),
      ("scales", "Scale", catalog.scale(name).map { .scale($0) }),
    ]
    var sections: [Section] = []
    var used = numberRows.compactMap { $0.2.map { UsedRow($0) } }
    for case (let key, let title, let row?) in numberRows {
      sections += details(key, title, numbers([row], engine, isShort: false))
      if row.codeCount <= 256 {
        sections.append(
          Section("codes", title: "Codes of \(row.name)", table: codes(row, engine)))
      }
    }
    if let block = catalog.block(name) {
      used += [
        UsedRow(block), UsedRow(.element(block.element)), UsedRow(.scale(block.scale)),
      ]
      sections += details("blocks", "Block format", blocks([block], isShort: false))
    }
    if let recipe = catalog.recipe(name) {
      used.append(UsedRow(recipe))
      sections += details("recipes", "Recipe", recipes([recipe], isShort: false))
      sections += [Section("steps", title: "Steps", table: RecipeSteps.table(recipe))]
    }
    if let accumulator = catalog.accumulator(name) {
      used.append(UsedRow(accumulator))
      sections += details(
        "accumulators", "Accumulator", accumulators([accumulator], isShort: false))
    }
    guard !sections.isEmpty else { return nil }
    return Report(fields: run(used, engine).json, sections: merged(sections))
  }

  /// Notes on unchecked rows are left to the `checked` column.
  private static func run(_ rows: [UsedRow], _ engine: any QuantizationEngine) -> RunFields {
    RunFields(engine: engine.name, seed: nil, rows: rows)
  }

  private static func accumulators(_ rows: [Accumulator], isShort: Bool) -> Table {
    var table = Table(columns: [
      Column("name"), Column("operands", isShown: !isShort), Column("scales", isShown: !isShort),
      Column("datapath"), Column("output"),
      .number("promote_every", title: "promote every", isShown: !isShort),
      Column("nan", isShown: !isShort), Column("aliases", isShown: !isShort),
      Column("note", isShown: !isShort), Column("source", isShown: !isShort),
      Column("checked", shrinking: isShort ? .end : .never), Column("row_hash", isShown: !isShort),
    ])
    table.rows = rows.map { row in
      let used = UsedRow(row)
      return [
        .string(row.name), .string(row.operandText), .string(row.scales.joined(separator: ", ")),
        .string(row.datapathText), .string(row.outputText), JSONValue(row.promoteEvery),
        .string("0x" + String(row.output.nan, radix: 16)),
        .array(row.aliases.map { .string($0) }), JSONValue(row.note.isEmpty ? nil : row.note),
        .string(used.source), .string(used.checked), .string(used.hash),
      ]
    }
    return table
  }

  /// One row reads better as fields below each other; JSON and CSV keep the row.
  private static func details(_ key: String, _ title: String, _ table: Table) -> [Section] {
    var upright = Table(columns: [Column("field", title: ""), Column("value", title: title)])
    for (column, value) in zip(table.columns, table.rows[0]) where value != .null {
      upright.rows.append([.string(column.title), .string(column.text(value))])
    }
    return [
      Section(key, table: table, isShown: false),
      Section("", table: upright),
    ]
  }

  /// An element and a scale of one name each have codes: one array of both in JSON.
  private static func merged(_ sections: [Section]) -> [Section] {
    let codes = sections.filter { $0.key == "codes" }
    guard codes.count > 1 else { return sections }
    var result = sections.map { section in
      var copy = section
      if copy.key == "codes" { copy.key = "" }
      return copy
    }
    var all = codes[0].table
    all.rows = codes.flatMap(\.table.rows)
    result.append(Section("codes", table: all, isShown: false))
    return result
  }

  private static func numbers(
    _ rows: [NumberFormatRow], _ engine: any QuantizationEngine, isShort: Bool
  ) -> Table {
    var table = Table(columns: [
      Column("name"), Column("kind"), .number("bits"), Column("fields"), .number("bias"),
      .number("largest", .compact(7)), .number("lowest", .compact(7), isShown: !isShort),
      .number("least_normal", title: "least normal", .compact(4)),
      .number("least_subnormal", title: "least subnormal", .compact(4)),
      Column("infinity", title: "inf"), Column("nan"),
      Column("aliases", isShown: !isShort), Column("source", isShown: !isShort),
      Column("checked", shrinking: isShort ? .end : .never), Column("row_hash", isShown: !isShort),
    ])
    table.rows = rows.map { row in
      let range = FormatRange(row, engine: engine)
      let used = UsedRow(row)
      return [
        .string(row.name), .string(kind(row)), .int(row.layout?.bits ?? row.bits),
        .string(fields(row)), JSONValue(row.layout?.bias), .number(Double(range.largest)),
        .number(Double(range.lowest)), JSONValue(range.leastNormal.map { Double($0) }),
        JSONValue(range.leastSubnormal.map { Double($0) }), .bool(range.hasInfinity),
        .bool(range.hasNaN), .array(aliases(row).map { .string($0) }), .string(used.source),
        .string(used.checked), .string(used.hash),
      ]
    }
    return table
  }

  private static func aliases(_ row: NumberFormatRow) -> [String] {
    switch row {
    case .element(let format): format.aliases
    case .scale(let format): format.aliases
    }
  }

  private static func kind(_ row: NumberFormatRow) -> String {
    guard case .element(let format) = row else { return "float" }
    switch format.kind {
    case .float: return "float"
    case .integer: return "integer"
    case .codebook: return "codebook"
    }
  }

  /// Sign-exponent-mantissa bits, or what an integer's bits mean.
  private static func fields(_ row: NumberFormatRow) -> String {
    if let layout = row.layout {
      return "\(layout.signBits).\(layout.exponentBits).\(layout.mantissaBits)"
    }
    guard case .element(let format) = row, case .integer(let layout) = format.kind else {
      return "\(row.codeCount) values"
    }
    let encoding = layout.encoding == .signMagnitude ? "sign-magnitude" : "two's complement"
    let scaled = layout.fractionBits == 0 ? "" : " × 2^\(-layout.fractionBits)"
    let symmetric = layout.encoding == .signMagnitude || layout.fullRange ? "" : ", symmetric"
    return encoding + scaled + symmetric
  }

  private static func codes(_ row: NumberFormatRow, _ engine: any QuantizationEngine) -> Table {
    let values = FormatValues(row, engine: engine)
    let bits = row.layout?.bits ?? row.bits
    var table = Table(columns: [
      Column("format", isShown: false), .number("code"), .number("hex"),
      .number("binary"), .number("value"), .number("hexfloat"), Column("class"),
    ])
    table.rows = (0..<UInt32(row.codeCount)).map { code in
      let value = values.value(code)
      let exact = DyadicNumber(value)
      return [
        .string(row.name), .int(Int(code)), .string(hexadecimalCode(code, bits: row.bits)),
        .string(binaryDigits(code, width: bits)), .number(Double(value)),
        JSONValue(exact?.hexadecimal), .string(values.valueClass(code).rawValue),
      ]
    }
    return table
  }

  private static func blocks(_ rows: [BlockFormat], isShort: Bool) -> Table {
    var table = Table(columns: [
      Column("name"), Column("element"), Column("scale"), Column("block"),
      Column("tensor_scale", title: "tensor scale"), Column("power_of_two_scale", title: "2^k"),
      .number("bits_per_element", title: "bits/element", .compact(5)),
      Column("aliases", isShown: !isShort), Column("source", isShown: !isShort),
      Column("checked", shrinking: isShort ? .end : .never), Column("row_hash", isShown: !isShort),
    ])
    table.rows = rows.map { row in
      [
        .string(row.name), .string(row.element.name), .string(row.scale.name),
        ErrorReports.blockValue(row.block), .bool(row.hasTensorScale), .bool(row.powerOfTwoScale),
        JSONValue(bitsPerElement(row)), .array(row.aliases.map { .string($0) }),
        .string(row.source), .string(row.checked), .string(RowText(row).hash),
      ]
    }
    return table
  }

  /// Bits of an element with its share of a whole block's scale; the tensor scale's share vanishes.
  private static func bitsPerElement(_ row: BlockFormat) -> Double? {
    let size: Int
    switch row.block {
    case .line(let count): size = count
    case .tile(let rows, let columns): size = rows * columns
    case .axis, .tensor: return nil
    }
    return Double(row.element.bits) + Double(row.scale.storedBits) / Double(size)
  }

  private static func recipes(_ rows: [Recipe], isShort: Bool) -> Table {
    var table = Table(columns: [
      Column("name"), Column("version"), Column("kind"),
      Column("formats", shrinking: isShort ? .end : .never),
      Column("block_sizes", title: "blocks"),
      Column("without_tensor_scale", title: "without tensor scale", isShown: !isShort),
      Column("aliases", isShown: !isShort), Column("source", isShown: !isShort),
      Column("checked", shrinking: isShort ? .end : .never), Column("row_hash", isShown: !isShort),
    ])
    table.rows = rows.map { row in
      let formats = row.formats.isEmpty ? ["all"] : row.formats
      return [
        .string(row.name), .string(row.version), .string(row.isExact ? "exact" : "named"),
        .array(formats.map { .string($0) }), .array(row.blockSizes.map { .int($0) }),
        JSONValue(row.withoutTensorScale), .array(row.aliases.map { .string($0) }),
        .string(row.source), .string(row.checked), .string(RowText(row).hash),
      ]
    }
    return table
  }
}

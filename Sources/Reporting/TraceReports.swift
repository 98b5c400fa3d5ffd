import NumberFormats

/// What `blockscale mma --trace` prints: one output's sum, term by term.
public enum TraceReports {
  public static func report(
    _ trace: MatmulTrace, _ problem: MatmulProblem, row: Int, column: Int, run: RunFields
  ) -> Report {
    let title = "D[\(row), \(column)] under \(problem.accumulator.name)"
    return Report(
      fields: run.json + [
        JSONField("row", .int(row)), JSONField("column", .int(column)),
        JSONField("result", .string(hexadecimal(trace.result, type: problem.outputType))),
      ],
      sections: [
        Section("steps", title: title, table: steps(trace)),
        Section("terms", title: "Terms", table: terms(trace)),
      ], notes: run.notes)
  }

  private static func steps(_ trace: MatmulTrace) -> Table {
    var table = Table(columns: [
      .number("step"), Column("kind"), Column("k"),
      .number("maximum_exponent", title: "max exponent"), .number("terms"),
      Column("sum", title: "sum before rounding", align: .right),
      Column("sum_value", title: "", align: .right), Column("result", align: .right),
    ])
    table.rows = trace.steps.enumerated().map { index, step in
      [
        .int(index), .string(step.kind), .string(text(step.k)),
        JSONValue(step.maximumExponent), .int(step.terms.count), .string(text(step.sum)),
        JSONValue(value(step.sum)),
        JSONValue(step.result.map { pattern($0) }),
      ]
    }
    return table
  }

  private static func terms(_ trace: MatmulTrace) -> Table {
    var table = Table(
      columns: [
        .number("step"), Column("k"), Column("term", align: .right),
        .number("value", .compact(9)), .number("exponent"),
        Column("aligned", title: "added, in units of the grid", align: .right),
        .number("aligned_value", title: "added", .compact(9)),
      ], groupedColumns: 1)
    table.rows = trace.steps.enumerated().flatMap { index, step in
      step.terms.map { term in
        [
          .int(index), .string(label(term.k)), .string(text(term.value)),
          JSONValue(value(term.value)), JSONValue(term.exponent), .string(text(term.aligned)),
          JSONValue(value(term.aligned)),
        ]
      }
    }
    return table
  }

  /// c covers no k; an empty lane stands behind the last one.
  private static func label(_ k: Range<Int>) -> String {
    guard k.isEmpty else { return text(k) }
    return k.lowerBound == 0 ? "c" : "empty lane"
  }

  /// A step's own pattern: 32 bits but for wider registers.
  private static func pattern(_ bits: Int64) -> String {
    let isWide = Int64(Int32(truncatingIfNeeded: bits)) != bits && bits >> 32 != 0
    return "0x" + String(UInt64(bitPattern: bits) & (isWide ? .max : 0xFFFF_FFFF), radix: 16)
  }

  private static func text(_ k: Range<Int>) -> String {
    if k.isEmpty { return "" }
    return k.count == 1 ? "\(k.lowerBound)" : "\(k.lowerBound)..<\(k.upperBound)"
  }

  private static func text(_ value: MatmulTrace.Value) -> String {
    value.special ?? "\(value.significand) · 2^\(value.exponent)"
  }

  /// Rounded to double, for reading.
  private static func value(_ value: MatmulTrace.Value) -> Double? {
    guard value.special == nil, let significand = Double(value.significand) else { return nil }
    // In two steps, since a power of two beyond double's range may still give a value within it.
    let half = value.exponent / 2
    return significand * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: value.exponent - half, significand: 1)
  }

  private static func hexadecimal(_ pattern: Int64, type: MatmulOutputType) -> String {
    let bits = UInt64(bitPattern: pattern)
    let mask: UInt64 = type.bytes == 8 ? .max : (1 << UInt64(8 * type.bytes)) - 1
    let digits = String(bits & mask, radix: 16)
    return "0x" + String(repeating: "0", count: 2 * type.bytes - digits.count) + digits
  }
}

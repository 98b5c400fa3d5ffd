import ScalingLaws

/// What `law theory` prints.
public enum LawTheoryReports {
  /// One integral.
  public struct Row: Sendable {
    public var format: String
    public var block: Int
    public var source: ValueSource
    public var deviation: Double
    public var parts: BlockErrorParts
    /// In decibels; nil where no closed form covers the format.
    public var closedForm: Double?

    public init(
      format: String, block: Int, source: ValueSource, deviation: Double, parts: BlockErrorParts,
      closedForm: Double?
    ) {
      self.format = format
      self.block = block
      self.source = source
      self.deviation = deviation
      self.parts = parts
      self.closedForm = closedForm
    }
  }

  public static func report(_ rows: [Row], run: RunFields) -> Report {
    var table = Table(
      columns: [
        Column("format"), .number("block"), Column("source"), .number("sigma", .compact(4)),
        .number("nmse", .significant(4)), .number("qsnr_db", title: "QSNR dB", .fixed(2)),
        .number("others", title: "of others", .significant(3)),
        .number("largest", title: "of largest", .significant(3)),
        .number("zero_scale", title: "of scale 0", .significant(3)),
        .number("crest", title: "crest", .fixed(3)),
        .number("closed_form_qsnr_db", title: "closed form dB", .fixed(2)),
      ], groupedColumns: 1)
    table.rows = rows.map { row in
      [
        .string(row.format), .int(row.block), .string(row.source.name), .number(row.deviation),
        .number(row.parts.nmse), .number(row.parts.qsnr), .number(row.parts.others),
        .number(row.parts.largest), .number(row.parts.zeroScale), .number(row.parts.crest),
        JSONValue(row.closedForm),
      ]
    }
    var notes = run.notes
    notes += coarser(rows)
    return Report(fields: run.json, sections: [Section("theory", table: table)], notes: notes)
  }

  /// Where a smaller block is worse than a larger one.
  private static func coarser(_ rows: [Row]) -> [String] {
    var notes: [String] = []
    for row in rows {
      let better = rows.filter {
        $0.format == row.format && $0.source == row.source && $0.deviation == row.deviation
          && $0.block > row.block && $0.parts.nmse < row.parts.nmse
      }
      guard let best = better.min(by: { $0.parts.nmse < $1.parts.nmse }) else { continue }
      notes.append(
        "\(row.format), \(row.source.name), sigma \(NumberStyle.compact(4).text(row.deviation)):"
          + " block \(row.block) errs more than block \(best.block).")
    }
    return notes
  }
}

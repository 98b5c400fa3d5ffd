import Sweep

/// What `blockscale store inversions` prints: tensors for which a smaller block makes the error larger.
public enum InversionReports {
  /// - Parameters:
  ///   - scale: a format's scale codes by the format's name, for the words.
  ///   - limit: how many steps people see; JSON has all.
  public static func report(
    _ data: SweepResults, scale: (String) -> ScaleCodes?, limit: Int, run: RunFields
  ) -> Report {
    var formats = formatTable
    var steps: [(method: String, step: SmallerBlockLosses.Case)] = []
    let methods = Dictionary(grouping: data.results.filter { !$0.isProduct }, by: \.method)
    for (method, results) in methods.sorted(by: { $0.key < $1.key }) {
      var own = data
      own.results = results
      let losses = SmallerBlockLosses(own, scale: scale, limit: .max)
      formats.rows += losses.summaries.map { row($0, method) }
      formats.rows += losses.unaffected.map { format in
        let tensors = Set(results.filter { $0.format == format }.map(\.tensor)).count
        return [.string(method), .string(format), .int(0), .int(tensors)]
          + [JSONValue](repeating: .int(0), count: causes.count) + [.null]
      }
      steps += losses.worst.map { (method, $0) }
    }
    steps.sort { ($1.step.ratio, $0.method) < ($0.step.ratio, $1.method) }
    let all = steps.map { row($0.step, $0.method) }
    var shown = stepTable
    shown.rows = Array(all.prefix(limit))
    var table = stepTable
    table.rows = all
    let left = all.count - shown.rows.count
    return Report(
      fields: run.json,
      sections: [
        Section("formats", title: "Tensors with such a step, and steps by cause", table: formats),
        Section("", title: "From the larger to the smaller block", table: shown),
        Section("steps", table: table, isShown: false),
      ], notes: run.notes + (left > 0 ? ["\(left) smaller steps: --limit, or --as json."] : []))
  }

  private static let causes = SmallerBlockLosses.Cause.allCases
  /// Those that are parts of an error.
  private static let parts = causes.filter { $0 != .unknown }

  private static var formatTable: Table {
    Table(
      columns: [
        Column("method"), Column("format"), .number("affected"),
        .number("tensors", title: "of tensors"),
      ] + causes.map { .number($0.rawValue) } + [
        .number("worst", title: "worst NMSE ×", .fixed(3))
      ],
      groupedColumns: 1)
  }

  private static func row(
    _ summary: SmallerBlockLosses.Summary, _ method: String
  ) -> [JSONValue] {
    [
      .string(method), .string(summary.format), .int(summary.affected), .int(summary.tensors),
    ] + causes.map { .int(summary.causes[$0] ?? 0) } + [.number(summary.worst.ratio)]
  }

  private static var stepTable: Table {
    var columns = [
      Column("tensor", shrinking: .middle), Column("format"), Column("method"),
      Column("larger", align: .right), Column("smaller", align: .right),
      .number("ratio", title: "NMSE ×", .fixed(3)),
      .number("larger_nmse", title: "NMSE", .scientific(3)),
      .number("smaller_nmse", title: "NMSE, smaller", .scientific(3)),
    ]
    for name in ["saturated", "flushed", "clamped"] {
      columns.append(.number("larger_\(name)", isShown: false))
      columns.append(.number("smaller_\(name)", isShown: false))
    }
    for part in parts {
      columns.append(.number("larger_nmse_\(part.rawValue)", isShown: false))
      columns.append(.number("smaller_nmse_\(part.rawValue)", isShown: false))
    }
    return Table(
      columns: columns + [
        Column("cause", isShown: false), .number("cause_growth", title: "grew by", .fixed(3)),
        Column("what_grew", title: "what grew most"),
      ])
  }

  private static func row(_ step: SmallerBlockLosses.Case, _ method: String) -> [JSONValue] {
    let (large, small) = (step.larger, step.smaller)
    let shares: [Double] = [
      large.saturated, small.saturated, large.flushed, small.flushed, large.clamped, small.clamped,
    ]
    let cause = step.cause
    return [
      .string(step.tensor), .string(step.format), .string(method), .string(large.block),
      .string(small.block), .number(step.ratio), .number(large.nmse), .number(small.nmse),
    ] + shares.map { .number($0) }
      + parts.flatMap { [JSONValue($0.part(large)), JSONValue($0.part(small))] }
      + [
        .string(cause.rawValue), JSONValue(step.growth(cause)),
        .string(cause.words(isPowerOfTwo: step.isPowerOfTwo)),
      ]
  }
}

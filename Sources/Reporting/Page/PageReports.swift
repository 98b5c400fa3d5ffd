import ScalingLaws

/// What `blockscale report --as` prints: the page's answer as a table.
public enum PageReports {
  public static func report(_ analysis: SweepAnalysis, run: RunFields) -> Report {
    var table = Table(
      columns: [
        .number("n", title: "N", .compact(4)), Column("format"),
        Column("needed", title: "small Q_b"),
        Column("is_certain", isShown: false), .number("q_b", title: "Q_b", .compact(3)),
        .number("q_b_low", title: "low", .compact(3)),
        .number("q_b_high", title: "high", .compact(3)),
        Column("block"), .number("delta", .compact(3)), .number("delta_low", isShown: false),
        .number("delta_high", isShown: false),
        .number("bits_per_element", title: "bits/elem", .fixed(3)),
        .number("bits_saved", title: "saved", .fixed(3)), .number("gates", .compact(3)),
        .number("gates_saved", title: "saved", .fixed(3)),
      ], groupedColumns: 1)
    table.rows = analysis.verdicts.map(row)
    let words = AnswerText(analysis)
    let request = analysis.request
    return Report(
      fields: run.json + [
        JSONField("answer", .string(words.headline)), JSONField("small", .number(request.small)),
        JSONField("loss_budget", .number(request.budget)),
        JSONField("errors_of", JSONValue(analysis.subject?.rawValue)),
        JSONField("loss_format", .string(request.lossFormat)),
        JSONField("loss_block", .string(request.lossBlock)),
        JSONField("loss_nmse", JSONValue(analysis.referenceError)),
      ],
      sections: [Section("answers", table: table)],
      notes: analysis.obstacle.map { ["No loss is predicted: \($0)."] } ?? [])
  }

  private static func row(_ verdict: BlockVerdict) -> [JSONValue] {
    let need =
      switch verdict.need {
      case .notNeeded: "not needed"
      case .needed: "needed"
      case .noneSuffices: "none suffices"
      case .unmeasured: "not measured"
      }
    let how: [JSONValue] = [
      .number(verdict.n), .string(verdict.format), .string(need), .bool(verdict.isCertain),
      JSONValue(verdict.largest.value.blockSize), JSONValue(verdict.largest.low.blockSize),
      JSONValue(verdict.largest.high.blockSize), JSONValue(verdict.chosen?.block),
    ]
    return how + [
      JSONValue(verdict.delta?.value), JSONValue(verdict.delta?.low),
      JSONValue(verdict.delta?.high),
      JSONValue(verdict.chosen?.bitsPerElement), JSONValue(verdict.savedBits),
      JSONValue(verdict.chosenCost?.gates), JSONValue(verdict.savedGates),
    ]
  }
}

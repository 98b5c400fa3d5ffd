import ScalingLaws

/// What `law compare` prints.
public enum LawCompareReports {
  public static func report(_ comparison: LawComparison, run: RunFields) -> Report {
    let columns = [
      Column("law"), .number("points"), .number("free"),
      .number("r_squared", title: "R² of ln", .significant(4)),
      .number("rms", title: "rms residual", .significant(4)),
      .number("aic", title: "AIC", .fixed(2)),
      .number("aicc", title: "AICc", .fixed(2)),
      .number("delta_aicc", title: "above best", .fixed(2)),
      .number("held_out_rms_log", title: "held-out rms", .significant(4)),
      .number("held_out_mean_relative", title: "held-out mean", .significant(3)),
      Column("problem", shrinking: .end),
    ]
    return Report(
      fields: run.json + [
        JSONField("file", .string(comparison.file)),
        JSONField("space", .string(comparison.space.rawValue)),
        JSONField("held_out", JSONValue(comparison.heldOut)),
        JSONField("best_aicc", JSONValue(comparison.bestByAICc)),
        JSONField("best_held_out", JSONValue(comparison.bestByHeldOut)),
        JSONField("warnings", .array(comparison.warnings.map { .string($0) })),
      ],
      sections: [
        Section(
          "results", title: "\(comparison.file), residuals in \(comparison.space.rawValue) space",
          table: Table(columns: columns, rows: comparison.entries.map { row($0, comparison) }))
      ], notes: notes(comparison))
  }

  private static func row(_ entry: LawComparison.Entry, _ all: LawComparison) -> [JSONValue] {
    let fit = entry.fit
    return [
      .string(entry.law), JSONValue(fit?.points.targets.count),
      JSONValue(fit?.curve.parameters.count), JSONValue(fit?.quality.rSquared),
      JSONValue(fit?.quality.rms), JSONValue(fit?.quality.aic), JSONValue(fit?.quality.aicc),
      JSONValue(all.aboveBest(entry)), JSONValue(fit?.heldOut?.rmsLog),
      JSONValue(fit?.heldOut?.meanRelative), .string(entry.problem ?? ""),
    ]
  }

  private static func notes(_ comparison: LawComparison) -> [String] {
    var notes: [String] = []
    if let name = comparison.heldOut { notes.append("Held out: \(name).") }
    if let best = comparison.bestByAICc { notes.append("Lowest AICc: \(best).") }
    if let best = comparison.bestByHeldOut { notes.append("Lowest held-out error: \(best).") }
    return notes + comparison.warnings.map { "Warning: \($0)" }
  }
}

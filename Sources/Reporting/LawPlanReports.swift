import Measurement
import ScalingLaws

/// What `blockscale law plan` prints.
public enum LawPlanReports {
  /// What a plan rests on.
  public struct Basis: Sendable {
    public var plan: BudgetPlan
    /// The loss data's own format and block.
    public var format: String
    public var block: String
    /// The file of the measured curves; nil where they were measured now.
    public var curveFile: String?

    public init(plan: BudgetPlan, format: String, block: String, curveFile: String?) {
      self.plan = plan
      self.format = format
      self.block = block
      self.curveFile = curveFile
    }
  }

  /// - Parameters:
  ///   - curves: with the formats planned for.
  ///   - measured: what was measured now; nil where a file held the curves.
  public static func report(
    _ rows: [BudgetPlan.Row], basis: Basis, curves: [JudgedCurve],
    measured: LawMeasureReports.Subject?, run: RunFields, form: OutputForm
  ) -> Report {
    var sections: [Section] = []
    if let measured {
      sections += LawMeasureReports.sections(curves: curves, subject: measured)
    }
    let loss = basis.plan.loss
    sections.append(
      Section(
        "",
        title: "The largest Q_b and Q_r with delta of at most \(compact(basis.plan.budget));"
          + " loss data: \(basis.format) \(basis.block)",
        table: people(rows, curves, knowsRatio: loss.knowsRatio)))
    sections.append(Section("plan", table: data(rows, curves), isShown: false))
    if form == .json {
      sections.append(
        Section("fits", table: LawMeasureReports.fitTable(curves), isShown: false))
    }
    let own: [JSONField] = [
      JSONField("loss_budget", .number(basis.plan.budget)),
      JSONField("loss_file", .string(loss.file)),
      JSONField("loss_format", .string(basis.format)),
      JSONField("loss_block", .string(basis.block)),
      JSONField("loss_nmse", .number(basis.plan.referenceError)),
      JSONField("loss_parameters", LawMeasureReports.parameters(loss.fit)),
      JSONField("loss_dropped_lines", .array(loss.dropped.map { .int($0) })),
      JSONField("curve_file", JSONValue(basis.curveFile)),
      JSONField("warnings", .array(loss.warnings.map { .string($0) })),
    ]
    return Report(
      fields: run.json + own + (measured.map { LawMeasureReports.fields($0) } ?? []),
      sections: sections,
      notes: notes(rows, basis) + LawMeasureReports.notes(curves) + run.notes)
  }

  private static func people(
    _ rows: [BudgetPlan.Row], _ curves: [JudgedCurve], knowsRatio: Bool
  ) -> Table {
    var table = Table(
      columns: [
        .number("n", title: "N", .compact(4)), Column("format"),
        Column("q_b", title: "Q_b at Q_r = 1", align: .right),
        .number("bits", title: "bits/elem", .fixed(3)),
        Column("q_r", title: "Q_r at own Q_b", align: .right, isShown: knowsRatio),
        .number("ratio_bits", title: "bits/elem", .fixed(3), isShown: knowsRatio),
        Column("best", title: "fewest bits: Q_b, Q_r", align: .right, isShown: knowsRatio),
        .number("best_bits", title: "bits/elem", .fixed(3), isShown: knowsRatio),
      ], groupedColumns: 1)
    table.rows = rows.map { row in
      let ratio = row.ratio.map { estimate in
        "\(fixed(estimate.value)) [\(fixed(estimate.low)), \(fixed(estimate.high))]"
      }
      return [
        .number(row.n), .string(row.format), .string(block(row.block)),
        JSONValue(bits(row, curves)), JSONValue(ratio), JSONValue(row.ratioBits),
        JSONValue(row.best.map { "\($0.block), \(fixed($0.ratio))" }), JSONValue(row.best?.bits),
      ]
    }
    return table
  }

  /// Bits per weight of the whole block that is shown.
  private static func bits(_ row: BudgetPlan.Row, _ curves: [JudgedCurve]) -> Double? {
    guard case .at(let size) = row.block.value else { return row.blockBits }
    let curve = curves.first { $0.curve.format == row.format }?.curve
    return curve?.bitsPerElement(at: size.rounded(.down)) ?? row.blockBits
  }

  /// `37 [12, 90]`: whole elements, as a block of more would be over the budget; `>= 512` where the
  /// largest measured is within it, `none` where no measured block is.
  private static func block(_ estimate: BudgetPlan.Estimate<LargestBlock>) -> String {
    "\(word(estimate.value)) [\(word(estimate.low)), \(word(estimate.high))]"
  }

  private static func word(_ block: LargestBlock) -> String {
    switch block {
    case .allMeasured(let size): ">= \(Int(size.rounded(.down)))"
    case .at(let size): "\(Int(size.rounded(.down)))"
    case .none: "none"
    }
  }

  private static func data(_ rows: [BudgetPlan.Row], _ curves: [JudgedCurve]) -> Table {
    var table = Table(
      columns: [
        "n", "format", "uses", "q_b", "q_b_low", "q_b_high", "q_b_is_largest_measured",
        "bits_per_element", "q_r_at_own_block", "q_r_low", "q_r_high",
        "bits_per_element_at_own_block", "best_block", "best_q_r", "best_bits_per_element",
      ].map { Column($0) })
    table.rows = rows.map { row in
      var isLargest = false
      if case .allMeasured = row.block.value { isLargest = true }
      let uses = curves.first { $0.curve.format == row.format }?.planned.name
      let how: [JSONValue] = [
        .number(row.n), .string(row.format), JSONValue(uses),
        JSONValue(row.block.value.blockSize), JSONValue(row.block.low.blockSize),
        JSONValue(row.block.high.blockSize), .bool(isLargest), JSONValue(row.blockBits),
      ]
      return how + [
        JSONValue(row.ratio?.value), JSONValue(row.ratio?.low), JSONValue(row.ratio?.high),
        JSONValue(row.ratioBits), JSONValue(row.best?.block), JSONValue(row.best?.ratio),
        JSONValue(row.best?.bits),
      ]
    }
    return table
  }

  private static func notes(_ rows: [BudgetPlan.Row], _ basis: Basis) -> [String] {
    let loss = basis.plan.loss
    var notes = [
      "delta = \(loss.knowsRatio ? "C e^(A Q_r) N^-gamma_N" : "C N^-gamma_N") x NMSE / NMSE of"
        + " \(basis.format) \(basis.block) (\(NumberStyle.scientific(4).text(basis.plan.referenceError))),"
        + " N in 1e9; \(constants(loss)); R² \(rSquared(loss))."
        + " Intervals: 95 %, of the loss law alone.",
      "It takes the errors' ratio, measured on one checkpoint, for that of every model.",
    ]
    if !loss.knowsRatio {
      notes.append(
        "All loss data have Q_r = \(compact(loss.ratios.lowerBound)): A is unknown, and Q_r is not"
          + " planned.")
    }
    let outside = Set(rows.map(\.n)).filter { !loss.sizes.contains($0 / 1e9) }.sorted()
    if !outside.isEmpty {
      notes.append(
        "Beyond the loss data's models (\(compact(loss.sizes.lowerBound * 1e9)) to"
          + " \(compact(loss.sizes.upperBound * 1e9)) parameters):"
          + " \(outside.map(compact).joined(separator: ", ")).")
    }
    let ratios = rows.compactMap { $0.ratio?.value } + rows.compactMap { $0.best?.ratio }
    if loss.knowsRatio, ratios.contains(where: { $0 < loss.ratios.lowerBound }) {
      notes.append(
        "Q_r below \(compact(loss.ratios.lowerBound)) is beyond the loss data; 0 means that even the"
          + " law's value at Q_r = 0, which is not zero, exceeds the budget.")
    }
    return notes + loss.warnings.map { "Warning: \($0)" }
  }

  private static func constants(_ loss: LossLaw) -> String {
    loss.fit.parameters.map { "\($0.symbol) = \(LawMeasureReports.interval($0))" }
      .joined(separator: ", ")
  }

  private static func rSquared(_ loss: LossLaw) -> String {
    loss.rSquared.map { NumberStyle.fixed(3).text($0) } ?? "undefined"
  }

  private static func fixed(_ value: Double) -> String { NumberStyle.fixed(3).text(value) }
  private static func compact(_ value: Double) -> String { NumberStyle.compact(4).text(value) }
}

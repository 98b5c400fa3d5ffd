import Measurement
import ScalingLaws
import Sweep

/// What `blockscale law assign` prints.
public enum LawAssignReports {
  /// - Parameters:
  ///   - parameters: weights of all layers.
  ///   - listsItems: adds which tensors or layers are in low precision, instead of the curve in CSV and
  ///     JSON lines.
  public static func report(
    _ points: [RatioPoint], parameters: Int, subject: LawMeasureReports.Subject, run: RunFields,
    listsItems: Bool, form: OutputForm
  ) -> Report {
    let title =
      "Relative squared error (\(LawMeasureReports.text(subject.kind))) against Q_r,"
      + " \(NumberStyle.grouped(parameters)) weights, weighted by"
      + " \(LawMeasureReports.text(subject.weighting))"
    var sections = [Section("", title: title, table: people(points))]
    if !(listsItems && (form == .csv || form == .jsonl)) {
      sections.append(Section("curve", table: data(points, parameters), isShown: false))
    }
    if listsItems {
      sections.append(
        Section(
          "low_precision", title: "In low precision", table: items(points),
          isShown: form.isForPeople))
    }
    return Report(
      fields: run.json + LawMeasureReports.fields(subject), sections: sections, notes: run.notes)
  }

  /// The columns that `law fit` reads, and where each point comes from.
  private static func data(_ points: [RatioPoint], _ parameters: Int) -> Table {
    var table = Table(
      columns: [
        "format", "recipe", "block", "q_b", "method", "by", "q_r", "q_r_wanted", "n", "nmse",
        "delta", "bits_per_element",
      ].map { Column($0) })
    table.rows = points.map { point in
      place(point) + [
        .number(point.blockSize), .string(point.method.rawValue),
        JSONValue(point.granularity?.rawValue), .number(point.reached), .number(point.share),
        .int(parameters), .number(point.error), JSONValue(point.delta),
        .number(point.bitsPerElement),
      ]
    }
    return table
  }

  private static func place(_ point: RatioPoint) -> [JSONValue] {
    [
      .string(point.errorCase.spec.format.name), .string(point.errorCase.spec.recipe.name),
      .string(point.errorCase.block.description),
    ]
  }

  private static func people(_ points: [RatioPoint]) -> Table {
    let hasDelta = points.contains { $0.delta != nil }
    var table = Table(
      columns: [
        Column("format"), Column("block", align: .right), Column("method"),
        .number("wanted", title: "Q_r wanted", .compact(4)),
        .number("q_r", title: "Q_r", .fixed(4)),
        .number("bits", title: "bits/elem", .fixed(3)),
        .number("nmse", title: "NMSE", .scientific(4)),
        .number("delta", title: "sum alpha t²", .scientific(4), isShown: hasDelta),
      ], groupedColumns: 3)
    table.rows = points.map { point in
      [
        .string(point.errorCase.spec.format.name), .string(point.errorCase.block.description),
        .string(name(point)), .number(point.share), .number(point.reached),
        .number(point.bitsPerElement), .number(point.error), JSONValue(point.delta),
      ]
    }
    return table
  }

  private static func name(_ point: RatioPoint) -> String {
    point.granularity.map { "\(point.method.rawValue), by \($0.rawValue)" }
      ?? "outliers: \(point.method.rawValue)"
  }

  private static func items(_ points: [RatioPoint]) -> Table {
    var table = Table(
      columns: ["format", "block", "method", "q_r_wanted", "item"].map { Column($0) },
      groupedColumns: 4)
    for point in points {
      for item in point.lowItems {
        table.rows.append([
          .string(point.errorCase.spec.format.name), .string(point.errorCase.block.description),
          .string(point.method.rawValue), .number(point.share), .string(item),
        ])
      }
    }
    return table
  }
}

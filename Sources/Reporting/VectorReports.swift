import GoldenVectors
import Measurement

/// What `blockscale vectors` prints when asked to.
public enum VectorReports {
  public static func written(
    _ manifest: VectorManifest, to folder: String, run: RunFields
  ) -> Report {
    var classes = Table(columns: [
      Column("class"), .number("cases"), .number("informative"),
    ])
    classes.rows = manifest.classes.map {
      [.string($0.name), .int($0.count), .int($0.informative)]
    }
    var files = Table(columns: [Column("file"), .number("bytes"), Column("sha256")])
    files.rows = manifest.files.map { [.string($0.name), .int($0.bytes), .string($0.sha256)] }
    return Report(
      fields: run.json + [
        JSONField("output", .string(folder)), JSONField("count", .int(manifest.count)),
        JSONField("informative_ratio", .number(manifest.informativeRatio)),
        JSONField("informative_ratio_random", JSONValue(manifest.informativeRatioRandom)),
        JSONField("cross_checked", .int(manifest.crossChecked)),
      ],
      sections: [
        Section("classes", title: "\(manifest.count) cases in \(folder)", table: classes),
        Section("files", title: "Files", table: files),
      ], notes: run.notes)
  }

  /// What `blockscale check` prints: counts by class, then the first mismatches.
  public static func check(
    _ check: VectorCheck, explain: (VectorCheck.Mismatch) -> [String]
  ) -> Report {
    var classes = Table(columns: [
      Column("class"), .number("compared"), .number("mismatches"),
    ])
    classes.rows = check.classes.map {
      [.string($0.name), .int($0.compared), .int($0.mismatches)]
    }
    var places = Table(columns: [Column("explanation", title: "")])
    let lines = check.first.flatMap { explain($0) }
    places.rows = lines.map { [.string($0)] }
    return Report(
      fields: [
        JSONField("tool_version", .string(toolVersion)),
        JSONField("operation", .string(check.manifest.operation.rawValue)),
        JSONField("format", .string(check.manifest.format)),
        JSONField("compared", .int(check.compared)),
        JSONField("mismatches", .int(check.mismatches)),
      ],
      sections: [
        Section("classes", table: classes),
        // People read the lines below the table, which would be as wide as the longest of them.
        Section("first", title: "First mismatches", table: places, isShown: false),
      ],
      notes: lines + [
        "\(NumberStyle.grouped(check.compared)) results compared with the golden vectors,"
          + " \(NumberStyle.grouped(check.mismatches)) \(check.mismatches == 1 ? "mismatch" : "mismatches")."
      ])
  }
}

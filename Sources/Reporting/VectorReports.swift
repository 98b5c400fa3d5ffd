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
}

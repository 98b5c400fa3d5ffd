import Measurement
import NumberFormats
import Verification

/// What `blockscale verify` prints.
public enum VerificationReports {
  public static func report(
    _ reports: [VerificationReport], level: VerificationLevel, run: RunFields
  ) -> Report {
    let compared = reports.reduce(0) { $0 + $1.compared }
    let mismatches = reports.reduce(0) { $0 + $1.mismatchCount }
    var fields = run.json
    fields += [
      JSONField("level", .string(level.rawValue)), JSONField("compared", .int(compared)),
      JSONField("mismatches", .int(mismatches)),
    ]
    return Report(
      fields: fields,
      sections: [
        Section("", table: summary(reports)),
        Section("checks", table: table(reports), isShown: false),
        Section(
          "mismatching", title: "First mismatches", table: places(reports),
          isShown: mismatches > 0),
      ],
      notes: [
        "\(NumberStyle.grouped(compared)) results compared with the reference,"
          + " \(NumberStyle.grouped(mismatches)) mismatches."
      ] + run.notes)
  }

  private static func table(_ reports: [VerificationReport]) -> Table {
    var table = Table(columns: [
      Column("check"), Column("target"), .number("compared"), .number("mismatches"),
    ])
    table.rows = reports.map {
      [.string($0.check), .string($0.target), .int($0.compared), .int($0.mismatchCount)]
    }
    return table
  }

  /// Targets side by side: one row per check, roundings and options of one format together.
  private static func summary(_ reports: [VerificationReport]) -> Table {
    var targets: [String] = []
    for report in reports where !targets.contains(report.target) { targets.append(report.target) }
    let columns =
      [Column("check"), .number("compared")]
      + targets.map { Column.number($0, title: "\($0) mismatches") }
    var order: [String] = []
    var sums: [String: (compared: Int, mismatches: [String: Int])] = [:]
    for report in reports {
      let name = shortName(report.check)
      if sums[name] == nil { order.append(name) }
      sums[name, default: (0, [:])].compared += report.compared
      sums[name, default: (0, [:])].mismatches[report.target, default: 0] += report.mismatchCount
    }
    var table = Table(columns: columns)
    table.rows = order.map { name in
      let sum = sums[name] ?? (0, [:])
      return [.string(name), .int(sum.compared)]
        + targets.map { target in JSONValue(sum.mismatches[target]) }
    }
    return table
  }

  /// `encode e4m3` of `encode e4m3 toOdd nonFinite`; other names whole.
  private static func shortName(_ check: String) -> String {
    guard check.hasPrefix("encode "), !check.hasPrefix("encode scale") else { return check }
    return check.split(separator: " ").prefix(2).joined(separator: " ")
  }

  private static func places(_ reports: [VerificationReport]) -> Table {
    var table = Table(columns: [
      Column("check"), Column("target"), Column("what"), .number("position"),
      .number("input"),
      .number("input_binary", isShown: false), .number("expected"),
      .number("expected_binary", title: "binary"), .number("observed"),
      .number("observed_binary", title: "binary"),
    ])
    for report in reports {
      for mismatch in report.mismatches {
        let patterns = [
          (mismatch.input, mismatch.inputBits), (mismatch.expected, mismatch.resultBits),
          (mismatch.observed, mismatch.resultBits),
        ].flatMap { pattern, bits in
          [hexadecimalCode(pattern, bits: bits), binaryDigits(pattern, width: bits)]
        }
        table.rows.append(
          [
            .string(report.check), .string(report.target), .string(mismatch.what),
            .int(mismatch.position),
          ] + patterns.map { .string($0) })
      }
    }
    return table
  }
}

import Reporting
import Testing

private let table = Table(
  columns: [
    Column("name", shrinking: .middle), .number("count"), .number("share", .fixed(2)),
  ],
  rows: [
    [.string("a,b"), .int(1_234_567), .number(0.125)],
    [.string("say \"x\"\n"), .int(-5), .null], [.string("c|d"), .int(0), .number(.infinity)],
  ])
private let report = Report(
  fields: [JSONField("seed", .int(1))], sections: [Section("rows", table: table)])

@Suite("Reports")
struct ReportTests {
  @Test("CSV quotes as RFC 4180 says and leaves undefined values empty")
  func csv() {
    let expected =
      "name,count,share\n\"a,b\",1234567,0.125\n\"say \"\"x\"\"\n\",-5,\nc|d,0,\n"
    #expect(report.rendered(as: .csv) == expected)
  }

  @Test("JSON writes null for what is undefined or infinite, and escapes")
  func json() {
    let expected =
      "{\n \"seed\": 1,\n \"rows\": [\n  {\"name\": \"a,b\", \"count\": 1234567, \"share\": 0.125},"
      + "\n  {\"name\": \"say \\\"x\\\"\\n\", \"count\": -5, \"share\": null},"
      + "\n  {\"name\": \"c|d\", \"count\": 0, \"share\": null}\n ]\n}\n"
    #expect(report.rendered(as: .json) == expected)
    #expect(JSONValue.string("\u{1}\u{7F}é").compact == "\"\\u0001\u{7F}é\"")
  }

  @Test("JSON lines stand by themselves")
  func jsonLines() {
    let lines = report.rendered(as: .jsonl).split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[0] == "{\"section\": \"run\", \"seed\": 1}")
    #expect(
      lines[3]
        == "{\"section\": \"rows\", \"name\": \"c|d\", \"count\": 0, \"share\": null, \"seed\": 1}")
  }

  @Test("Tables align, group digits and keep control characters off the terminal")
  func plain() {
    let expected = """
      name          count  share
      --------  ---------  -----
      a,b       1,234,567   0.13
      say "x"\u{FFFD}         -5      -
      c|d               0    inf

      """
    let observed = report.rendered(as: .table)
    #expect(observed == expected, "\(observed)")
  }

  @Test("Markdown escapes its own separator")
  func markdown() {
    let lines = report.rendered(as: .markdown).split(separator: "\n")
    #expect(lines[1] == "| --- | --: | --: |")
    #expect(lines.last == "| c\\|d | 0 | inf |")
  }

  @Test(
    "Numbers in each style",
    arguments: [
      (NumberStyle.fixed(2), 0.005, "0.01"), (.fixed(2), -0.001, "0.00"), (.fixed(0), 2.6, "3"),
      (.fixed(3), 4.0625, "4.063"), (.significant(3), 0, "0"), (.significant(3), 999.6, "1000"),
      (.significant(3), 0.00012345, "1.23e-4"), (.significant(3), 1.5, "1.50"),
      (.significant(3), 9.996e-9, "1.00e-8"), (.scientific(3), 0.0723, "7.23e-2"),
      (.compact(4), 1.5, "1.5"), (.compact(7), 57344, "57344"), (.compact(4), 1e-300, "1e-300"),
      (.shortest, 0.1, "0.1"), (.shortest, 6, "6"), (.shortest, -.infinity, "-inf"),
    ] as [(NumberStyle, Double, String)])
  func numbers(style: NumberStyle, value: Double, text: String) {
    #expect(style.text(value) == text)
  }
}

import Measurement
import Sweep

/// What `blockscale sweep` and `blockscale store` print.
public enum SweepReports {
  /// Results as the JSON of the verbs has them, without the files' names: a row of a store follows from
  /// its key alone, wherever the tensors lay.
  public static let encoder = ReportEncoder(
    tensor: { withoutFile(ErrorReports.json($0)).compact },
    product: { withoutFile(MatmulReports.json($0)).compact })

  private static func withoutFile(_ value: JSONValue) -> JSONValue {
    guard case .object(let fields) = value else { return value }
    return .object(
      fields.filter { $0.key != "file" }.map { JSONField($0.key, withoutFile($0.value)) })
  }

  /// What a run did.
  public static func report(
    _ outcome: SweepRun.Outcome, shard: Shard, store: String, skipped: [SkippedItem],
    run: RunFields
  ) -> Report {
    var table = Table(columns: [
      Column("store"), Column("shard"), .number("items"), .number("measured"),
      .number("kept", title: "stored before"), .number("failed"),
      .number("skipped", title: "left out"),
    ])
    table.rows = [
      [
        .string(store), .string(shard.description), .int(outcome.items), .int(outcome.measured),
        .int(outcome.kept), .int(outcome.failed.count), .int(skipped.count),
      ]
    ]
    return Report(
      fields: run.json + [
        JSONField("skipped", .array(skipped.map(ErrorReports.json))),
        JSONField("failed", .array(outcome.failed.map(ErrorReports.json))),
      ], sections: [Section("sweep", table: table)], notes: run.notes)
  }

  /// What a run would do: the shards' shares of the work.
  public static func plan(
    _ list: WorkList, shards: [Shard], skipped: [SkippedItem], run: RunFields
  ) -> Report {
    let total = max(1, list.items.reduce(0) { $0 + $1.work })
    var table = Table(columns: [
      Column("shard"), .number("items"), .number("tensors"), .number("bundles"),
      .number("share", title: "share of the work", .fixed(4)),
    ])
    table.rows = shards.map { shard in
      let bundles = list.bundles(of: shard)
      let items = bundles.flatMap(\.items)
      return [
        .string(shard.description), .int(items.count), .int(list.tensorCount(of: items)),
        .int(bundles.count), .number(bundles.reduce(0) { $0 + $1.work } / total),
      ]
    }
    return Report(
      fields: run.json + [JSONField("skipped", .array(skipped.map(ErrorReports.json)))],
      sections: [Section("plan", table: table)], notes: run.notes)
  }

  /// What a merge put together.
  public static func merged(
    _ counts: ResultsStore.MergeCounts, into output: String, run: RunFields
  ) -> Report {
    var table = Table(columns: [
      Column("store"), .number("stores", title: "from stores"), .number("results"),
      .number("tensors"), .number("repeated", title: "in several stores"),
    ])
    table.rows = [
      [
        .string(output), .int(counts.stores), .int(counts.results), .int(counts.tensors),
        .int(counts.repeated),
      ]
    ]
    return Report(fields: run.json, sections: [Section("merged", table: table)])
  }

  /// What a store holds, by kind, format and recipe.
  public static func contents(
    _ results: [StoredResult], tensors: [TensorRecord], meta: [String: String], run: RunFields
  ) -> Report {
    var table = Table(
      columns: [
        Column("kind"), Column("format"), Column("recipe"), Column("blocks"),
        Column("accumulators"), .number("tensors"), .number("results"),
      ], groupedColumns: 1)
    let groups = Dictionary(grouping: results) {
      [$0.kind, $0.format, $0.formatB ?? "", $0.recipe]
    }
    table.rows = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, rows in
      let blocks = Set(rows.map { BlockOrder($0) })
      return [
        .string(key[0]), .string(key[2].isEmpty ? key[1] : "\(key[1]) x \(key[2])"),
        .string(key[3]), .string(blocks.sorted().map(\.text).joined(separator: " ")),
        .string(Set(rows.compactMap(\.accumulator)).sorted().joined(separator: " ")),
        .int(
          Set(rows.map { [$0.tensor, $0.tensorHash, $0.other ?? "", $0.otherHash ?? ""] }).count),
        .int(rows.count),
      ]
    }
    let fields = meta.sorted { $0.key < $1.key }.map { JSONField($0.key, .string($0.value)) }
    let used = Set(run.json.map(\.key))
    return Report(
      fields: run.json + [JSONField("tensors", .int(tensors.count))]
        + fields.filter { !used.contains($0.key) },
      sections: [Section("contents", table: table)])
  }

  /// Blocks in order: runs by length, then the others by name.
  private struct BlockOrder: Hashable, Comparable {
    var size: Int
    var text: String
    init(_ row: StoredResult) { (size, text) = (row.blockSize ?? .max, row.block) }
    static func < (a: BlockOrder, b: BlockOrder) -> Bool { (a.size, a.text) < (b.size, b.text) }
  }
}

import Measurement
import NumberFormats

/// Measures a shard of a plan into a store.
public struct SweepRun: Sendable {
  public var list: WorkList
  public var experiment: MatmulExperiment
  public var encoder: ReportEncoder

  public init(list: WorkList, experiment: MatmulExperiment, encoder: ReportEncoder) {
    self.list = list
    self.experiment = experiment
    self.encoder = encoder
  }

  /// What a run did.
  public struct Outcome: Sendable {
    /// Items of the shard.
    public var items = 0
    public var measured = 0
    /// In the store already.
    public var kept = 0
    /// Items that cannot be measured on these numbers, with the reason; the others are stored.
    public var failed: [SkippedItem] = []
  }

  /// - Parameter progress: called with the share of the work done since the last call, in millionths,
  ///   and what is worked on.
  /// - Throws: `SweepError` for the store and for tensors that are not the store's; what was measured
  ///   before is kept.
  public func run(
    _ shard: Shard, into store: ResultsStore, progress: (Int, String) -> Void = { _, _ in }
  ) throws -> Outcome {
    let bundles = list.bundles(of: shard)
    let (records, stamps) = try survey(bundles, store)
    let rows = SweepRows(
      list: list, records: records, encoder: encoder, catalog: experiment.catalog)
    var present = try store.keys()
    var outcome = Outcome()
    let total = max(1, bundles.reduce(0) { $0 + $1.work })
    for bundle in bundles {
      var missing: [(item: WorkItem, key: String)] = []
      for index in bundle.items {
        let key = try rows.key(list.items[index])
        outcome.items += 1
        if present.insert(key).inserted {
          missing.append((list.items[index], key))
        } else {
          outcome.kept += 1
        }
      }
      if !missing.isEmpty {
        let results = try measure(missing, rows, &outcome)
        for stamp in Set(missing.flatMap(\.item.tensors)).compactMap({ stamps[$0] }) {
          guard stamp == FileStamp(stamp.path) else {
            throw SweepError.changedMeanwhile(file: stamp.path)
          }
        }
        try store.insert(results)
        outcome.measured += results.count
      }
      let name = bundle.items.first.flatMap { list.items[$0].tensors.first }
      progress(Int(bundle.work / total * 1e6), name.map { list.tensors[$0].input.name } ?? "")
    }
    return outcome
  }

  /// Reads the tensors of the shard once and compares them with the store's.
  private func survey(
    _ bundles: [WorkBundle], _ store: ResultsStore
  ) throws -> (records: [Int: TensorRecord], stamps: [Int: FileStamp]) {
    let needed = Set(bundles.flatMap(\.items).flatMap { list.items[$0].tensors }).sorted()
    let stamps = needed.map { FileStamp(list.tensors[$0].input.path) }
    let records = try experiment.parallel.map(needed.count) { index in
      try TensorRecord(reading: list.tensors[needed[index]])
    }
    let stored = Dictionary(
      try store.tensors().map { ("\($0.file)\n\($0.name)", $0) }, uniquingKeysWith: { a, _ in a })
    for record in records {
      guard let old = stored["\(record.file)\n\(record.name)"], old.hash != record.hash else {
        continue
      }
      throw SweepError.tensorChanged(
        store: store.path, file: record.file, tensor: record.name, stored: old.hash,
        found: record.hash)
    }
    try store.insert(
      records.filter { stored["\($0.file)\n\($0.name)"]?.tells(asMuchAs: $0) != true })
    return (
      Dictionary(uniqueKeysWithValues: zip(needed, records)),
      Dictionary(uniqueKeysWithValues: zip(needed, stamps))
    )
  }

  /// Measures what a bundle lacks. Where some of it cannot be measured the rest is, one by one.
  private func measure(
    _ missing: [(item: WorkItem, key: String)], _ rows: SweepRows, _ outcome: inout Outcome
  ) throws -> [StoredResult] {
    do {
      return try measureTogether(missing, rows)
    } catch let error as MeasurementError {
      guard missing.count == 1 else {
        return try missing.flatMap { try measure([$0], rows, &outcome) }
      }
      outcome.failed.append(failure(missing[0].item, error))
      return []
    }
  }

  /// Measures items that read the same tensors, which are read once.
  private func measureTogether(
    _ missing: [(item: WorkItem, key: String)], _ rows: SweepRows
  ) throws -> [StoredResult] {
    var cases: [(key: String, errorCase: ErrorCase)] = []
    var requests: [(key: String, request: MatmulRequest)] = []
    for (item, key) in missing {
      switch item.kind {
      case .tensor(_, let errorCase): cases.append((key, errorCase))
      case .product(_, _, let request): requests.append((key, request))
      }
    }
    switch missing.first?.item.kind {
    case .tensor(let tensor, _):
      let errors = ErrorExperiment(
        engine: experiment.quantizer, parallel: experiment.parallel, cases: cases.map(\.errorCase))
      let measured = try errors.run([list.tensors[tensor].input]).results
      return zip(cases, measured).map { rows.row($0.key, tensor, $0.errorCase, $1) }
    case .product(let a, let b, _):
      let products = try experiment.run(
        list.tensors[a].input, list.tensors[b].input, requests.map(\.request))
      return zip(requests, products).map { rows.row($0.key, a, b, $0.request, $1) }
    case nil: return []
    }
  }

  private func failure(_ item: WorkItem, _ error: MeasurementError) -> SkippedItem {
    let name: String
    switch item.kind {
    case .tensor(let tensor, let errorCase):
      name =
        "\(list.tensors[tensor].input.name): \(errorCase.spec.format.name) \(errorCase.block)"
        + " \(errorCase.spec.recipe.name)" + errorCase.transform.suffix
    case .product(let a, let b, let request):
      name =
        "\(list.tensors[a].input.name) x \(list.tensors[b].input.name): \(request.a.formatName)"
        + " \(request.a.block) \(request.accumulator.name)" + request.transform.suffix
    }
    return SkippedItem(file: nil, name: name, reason: "\(error)")
  }
}

extension OperandTransform {
  /// What names of results end in.
  var suffix: String { self == .none ? "" : " \(self)" }
}

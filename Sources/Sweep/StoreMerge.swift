extension ResultsStore {
  /// What a merge put together.
  public struct MergeCounts: Sendable, Hashable {
    public var stores = 0
    public var results = 0
    /// Results that several stores had, once each.
    public var repeated = 0
    public var tensors = 0
  }

  /// Makes one store of several. The order of the inputs does not show in the results.
  ///
  /// - Parameters:
  ///   - output: appears when it is complete; an earlier store of that name is there until then, and
  ///     may be one of the inputs.
  ///   - replaces: whether an existing store of that name gives way.
  /// - Throws: `SweepError.store`: an input that is none, `conflict` where two give one key different
  ///   numbers, `exists`, `strayLog`, `inUse`; `tensorChanged` where they saw different tensors under
  ///   one name.
  public static func merge(
    _ inputs: [String], into output: String, replaces: Bool = false
  ) throws -> MergeCounts {
    let target = try MergeTarget(output, replaces: replaces)
    defer { target.close() }
    do {
      let merged = try openForWriting(target.temporary)
      defer { try? merged.close() }
      var merge = StoreMerge(output: merged)
      for input in inputs {
        if let earlier = target.earlier, FileIdentity(input) == FileIdentity(output) {
          try merge.add(earlier, named: input)
        } else {
          let store = try ResultsStore.open(input)
          try merge.add(store, named: input)
          try store.close()
        }
      }
      try merge.finish()
      try merged.close()
      try target.replace()
      return merge.counts
    } catch SweepError.store(target.temporary, let fault) {
      throw SweepError.store(path: output, fault)
    }
  }
}

/// A merge in progress.
private struct StoreMerge {
  let output: ResultsStore
  var counts = ResultsStore.MergeCounts()
  /// What a later result of the same key must equal.
  private var seen: [String: (store: String, contents: Int, version: String)] = [:]
  /// Of results that several stores have from several versions of the tool.
  private var versions: [String: String] = [:]
  private var tensors: [String: (record: TensorRecord, store: String)] = [:]
  private var waiting: [StoredResult] = []

  init(output: ResultsStore) { self.output = output }

  mutating func add(_ store: ResultsStore, named path: String) throws {
    counts.stores += 1
    for record in try store.tensors() { try add(record, path) }
    for result in try store.results() { try add(result, path) }
    for command in try store.commands() { try output.add(command: command) }
    try flush()
  }

  mutating func finish() throws {
    try output.insert(tensors.values.map(\.record))
    try output.setToolVersions(versions)
    counts.tensors = tensors.count
  }

  private mutating func add(_ result: StoredResult, _ path: String) throws {
    var contents = result
    contents.toolVersion = ""
    if let earlier = seen[result.key] {
      guard earlier.contents == contents.hashValue else {
        throw SweepError.store(
          path: path, .conflict(other: earlier.store, key: result.key, result: result.title))
      }
      if isNewer(result.toolVersion, than: earlier.version) {
        seen[result.key]?.version = result.toolVersion
        versions[result.key] = result.toolVersion
      }
      counts.repeated += 1
      return
    }
    seen[result.key] = (path, contents.hashValue, result.toolVersion)
    waiting.append(result)
    counts.results += 1
    if waiting.count == 1000 { try flush() }
  }

  private mutating func flush() throws {
    try output.insert(waiting)
    waiting = []
  }

  private mutating func add(_ record: TensorRecord, _ path: String) throws {
    let name = "\(record.file)\n\(record.name)"
    guard let earlier = tensors[name] else {
      tensors[name] = (record, path)
      return
    }
    guard earlier.record.hash == record.hash else {
      throw SweepError.tensorChanged(
        store: earlier.store, file: record.file, tensor: record.name, stored: earlier.record.hash,
        found: record.hash)
    }
    if record.outranks(earlier.record) { tensors[name] = (record, path) }
  }
}

extension TensorRecord {
  /// Of two of one tensor, the one that a merge keeps, whichever comes first.
  fileprivate func outranks(_ other: TensorRecord) -> Bool {
    let roles = [SweepTensor.Role.weight, .activation, .operand].map(\.rawValue)
    let places = [self, other].map { roles.firstIndex(of: $0.role) ?? roles.count }
    return places[0] < places[1]
  }
}

/// Whether a version of the tool is the later of two: by its numbers, else the smaller text.
private func isNewer(_ version: String, than other: String) -> Bool {
  func numbers(_ text: String) -> [Int] { text.split(separator: ".").map { Int($0) ?? -1 } }
  let (own, others) = (numbers(version), numbers(other))
  guard own == others else { return others.lexicographicallyPrecedes(own) }
  return version < other
}

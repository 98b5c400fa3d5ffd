import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

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
  ///   - output: appears when it is complete.
  ///   - replaces: whether an existing store of that name gives way.
  /// - Throws: `SweepError.store`: an input that is none, `conflict` where two give one key different
  ///   numbers, `exists`; `tensorChanged` where they saw different tensors under one name.
  public static func merge(
    _ inputs: [String], into output: String, replaces: Bool = false
  ) throws -> MergeCounts {
    if FileManager.default.fileExists(atPath: output) {
      guard replaces else { throw SweepError.store(path: output, .exists) }
      // Whatever else lies there is not ours to replace.
      try open(output).close()
    }
    let temporary = "\(output).\(getpid()).partial"
    defer { for ending in ["", "-wal", "-journal"] { unlink(temporary + ending) } }
    unlink(temporary)
    let merged = try openForWriting(temporary)
    var merge = StoreMerge(output: merged)
    do {
      for input in inputs { try merge.add(input) }
      try merge.finish()
      try merged.close()
    } catch {
      try? merged.close()
      throw Self.named(error, temporary, output)
    }
    guard rename(temporary, output) == 0 else {
      throw SweepError.store(
        path: output, .unusable("cannot be given its name: \(String(cString: strerror(errno)))"))
    }
    return merge.counts
  }

  /// Errors of the temporary are the output's.
  private static func named(
    _ error: any Error, _ temporary: String, _ output: String
  ) -> any Error {
    guard case SweepError.store(temporary, let fault) = error else { return error }
    return SweepError.store(path: output, fault)
  }
}

/// A merge in progress.
private struct StoreMerge {
  let output: ResultsStore
  var counts = ResultsStore.MergeCounts()
  /// What a later result of the same key must equal.
  private var seen: [String: (store: String, contents: Int)] = [:]
  private var tensors: [String: (record: TensorRecord, store: String)] = [:]
  private var waiting: [StoredResult] = []

  init(output: ResultsStore) { self.output = output }

  mutating func add(_ path: String) throws {
    let store = try ResultsStore.open(path)
    counts.stores += 1
    for record in try store.tensors() { try add(record, path) }
    for result in try store.results() { try add(result, path) }
    for command in try store.commands() { try output.add(command: command) }
    try flush()
    try store.close()
  }

  mutating func finish() throws {
    try output.insert(tensors.values.map(\.record))
    counts.tensors = tensors.count
  }

  private mutating func add(_ result: StoredResult, _ path: String) throws {
    var contents = result
    contents.toolVersion = ""
    if let earlier = seen[result.key] {
      guard earlier.contents == contents.hashValue else {
        throw SweepError.store(path: path, .conflict(other: earlier.store, key: result.key))
      }
      counts.repeated += 1
      return
    }
    seen[result.key] = (path, contents.hashValue)
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
    if let earlier = tensors[name], earlier.record.hash != record.hash {
      throw SweepError.tensorChanged(
        store: earlier.store, file: record.file, tensor: record.name, stored: earlier.record.hash,
        found: record.hash)
    }
    guard tensors[name]?.record.tells(asMuchAs: record) != true else { return }
    tensors[name] = (record, path)
  }
}

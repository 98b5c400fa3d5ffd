import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where a merged store goes: written beside under a name of its own, then renamed.
///
/// SQLite finds a store's log by the store's name, so no log of an earlier store may lie there when the
/// new one takes it: the earlier one is locked, its log moved into it, and it gives way as one file.
struct MergeTarget {
  let path: String
  /// Errors of this file are the target's.
  let temporary: String
  /// The store that gives way, locked; nil where there is none.
  let earlier: ResultsStore?

  /// - Throws: `SweepError.store`: `exists`, `strayLog`, and what is wrong with a file of that name.
  init(_ name: String, replaces: Bool) throws {
    // A link's own store is what is replaced.
    let path =
      realpath(name, nil).map { found in
        defer { free(found) }
        return String(cString: found)
      } ?? name
    self.path = path
    temporary = "\(path).\(getpid()).partial"
    if FileManager.default.fileExists(atPath: path) {
      guard replaces else { throw SweepError.store(path: path, .exists) }
      // Whatever else lies there is not ours to replace, nor to lock.
      try ResultsStore.open(path).close()
      earlier = try ResultsStore.openForWriting(path)
    } else {
      let logs = ["-wal", "-journal"].map { path + $0 }
      if let log = logs.first(where: FileManager.default.fileExists(atPath:)) {
        throw SweepError.store(path: path, .strayLog(log))
      }
      earlier = nil
    }
    removeLeftovers()
    Self.remove(temporary)
  }

  /// Gives the temporary file its name.
  func replace() throws {
    try synchronize(temporary)
    if let earlier {
      try earlier.giveWay {
        // Shared memory of readers of the earlier store; nobody has it open now.
        unlink(path + "-shm")
        try check(rename(temporary, path))
      }
    } else {
      unlink(path + "-shm")
      // Unlike a rename this takes no name that another process has taken meanwhile.
      if link(temporary, path) == 0 { return }
      guard errno != EEXIST else { throw SweepError.store(path: path, .exists) }
      try check(rename(temporary, path))
    }
  }

  func close() {
    try? earlier?.close()
    Self.remove(temporary)
  }

  private func check(_ result: Int32) throws {
    guard result != 0 else { return }
    throw SweepError.store(
      path: path, .unusable("cannot be given its name: \(String(cString: strerror(errno)))"))
  }

  private static func remove(_ temporary: String) {
    for ending in ["", "-wal", "-shm", "-journal"] { unlink(temporary + ending) }
  }

  /// What merges into this target that were killed have left.
  private func removeLeftovers() {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? "./"
    let start = (slash.map { String(path[path.index(after: $0)...]) } ?? path) + "."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let processes = names.compactMap { name -> pid_t? in
      guard name.hasPrefix(start), let end = name.firstRange(of: ".partial") else { return nil }
      return pid_t(name[..<end.lowerBound].dropFirst(start.count))
    }
    for process in Set(processes) where process > 0 && kill(process, 0) != 0 && errno == ESRCH {
      let left = "\(path).\(process).partial"
      // A process of that number may run on another machine: it holds the lock then.
      do {
        try ResultsStore.openForWriting(left).close()
      } catch SweepError.store(_, .inUse) {
        continue
      } catch {}
      Self.remove(left)
    }
  }
}

private func synchronize(_ path: String) throws {
  let file = open(path, O_RDONLY)
  defer { if file >= 0 { close(file) } }
  guard file >= 0, fsync(file) == 0 else {
    throw SweepError.store(path: path, .unusable(String(cString: strerror(errno))))
  }
}

import FoundationEssentials
import Sweep
import Testing

@Suite struct MergeTests {
  private func make(_ path: String, _ rows: [StoredResult]) throws {
    let store = try ResultsStore.openForWriting(path)
    try store.insert(rows)
    try store.close()
  }

  /// A store as a killed sweep leaves it: its results are in the log beside it.
  private func makeKilled(_ path: String, _ rows: [StoredResult]) throws {
    let living = path + ".living"
    let store = try ResultsStore.openForWriting(living)
    try store.insert(rows)
    for ending in ["", "-wal"] {
      try FileManager.default.copyItem(atPath: living + ending, toPath: path + ending)
    }
    try store.close()
    try FileManager.default.removeItem(atPath: living)
  }

  private func files(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test("a store that a killed sweep left gives way with its log")
  func replacesKilled() throws {
    try withFolder { folder in
      let (input, output) = ("\(folder)/in.sqlite", "\(folder)/out.sqlite")
      try make(input, [try row("a"), try row("b")])
      try makeKilled(output, [try row("c")])
      try #require(files(folder) == ["in.sqlite", "out.sqlite", "out.sqlite-wal"])
      _ = try ResultsStore.merge([input], into: output, replaces: true)
      #expect(try ResultsStore.open(output).keys() == ["a", "b"])
      #expect(try files(folder) == ["in.sqlite", "out.sqlite"])
    }
  }

  @Test("a store may be merged into itself, its log too, by any of its names")
  func mergesIntoItself() throws {
    try withFolder { folder in
      let (input, output) = ("\(folder)/in.sqlite", "\(folder)/out.sqlite")
      try make(input, [try row("a"), try row("b")])
      try makeKilled(output, [try row("b"), try row("c")])
      let counts = try ResultsStore.merge(
        ["\(folder)/./out.sqlite", input], into: output, replaces: true)
      #expect(counts.results == 3 && counts.repeated == 1, "\(counts)")
      #expect(try ResultsStore.open(output).keys() == ["a", "b", "c"])
      #expect(try files(folder) == ["in.sqlite", "out.sqlite"])
    }
  }

  @Test("no store is made beside a log whose store is gone")
  func strayLog() throws {
    try withFolder { folder in
      let (input, output) = ("\(folder)/in.sqlite", "\(folder)/out.sqlite")
      try make(input, [try row("a")])
      try makeKilled(output, [try row("c")])
      try FileManager.default.removeItem(atPath: output)
      for replaces in [false, true] {
        #expect(throws: SweepError.store(path: output, .strayLog("\(output)-wal"))) {
          try ResultsStore.merge([input], into: output, replaces: replaces)
        }
      }
      #expect(try files(folder) == ["in.sqlite", "out.sqlite-wal"])
    }
  }

  @Test("a store that a sweep writes does not give way")
  func keepsLiving() throws {
    try withFolder { folder in
      let (input, output) = ("\(folder)/in.sqlite", "\(folder)/out.sqlite")
      try make(input, [try row("a")])
      let living = try ResultsStore.openForWriting(output)
      try living.insert([try row("c")])
      #expect(throws: SweepError.store(path: output, .inUse)) {
        try ResultsStore.merge([input], into: output, replaces: true)
      }
      try living.insert([try row("d")])
      try living.close()
      #expect(try ResultsStore.open(output).keys() == ["c", "d"])
    }
  }

  @Test("what killed merges left is removed by the next, and nothing else")
  func leftovers() throws {
    try withFolder { folder in
      let (input, output) = ("\(folder)/in.sqlite", "\(folder)/out.sqlite")
      try make(input, [try row("a")])
      // No process has a number above the kernel's limit; process 1 lives.
      try makeKilled("\(output).2000000001.partial", [try row("b")])
      for name in ["2000000002.partial-wal", "1.partial", "x.partial", "2000000003.part"] {
        try Data("other".utf8).write(to: URL(filePath: "\(output).\(name)"))
      }
      _ = try ResultsStore.merge([input], into: output)
      #expect(
        try files(folder) == [
          "in.sqlite", "out.sqlite", "out.sqlite.1.partial", "out.sqlite.2000000003.part",
          "out.sqlite.x.partial",
        ])
    }
  }

  @Test("of one result by two versions the newest is named, whatever the order")
  func versions() throws {
    try withFolder { folder in
      let table: [(versions: [String], newest: String)] = [
        (["0.0.9", "0.1.0"], "0.1.0"), (["0.10.0", "0.9.0", "0.9.1"], "0.10.0"),
        (["1.0", "1.0-b", "1.0-a"], "1.0"),
      ]
      for (index, entry) in table.enumerated() {
        let stores = try entry.versions.map { version in
          let path = "\(folder)/\(index)-\(version).sqlite"
          var result = try row("a")
          result.toolVersion = version
          try make(path, [result])
          return path
        }
        for order in [stores, stores.reversed()] {
          let output = "\(folder)/out.sqlite"
          _ = try ResultsStore.merge(order, into: output, replaces: true)
          let found = try ResultsStore.open(output).results().map(\.toolVersion)
          #expect(found == [entry.newest], "\(order)")
        }
      }
    }
  }
}

import FoundationEssentials
import Sweep
import Testing

@Suite struct StoreTests {
  @Test("what was inserted is read back, in the order of keys")
  func roundTrip() throws {
    try withFolder { folder in
      let path = "\(folder)/s.sqlite"
      let rows = try ["b", "a", "c"].map { try row($0, nmse: $0 == "c" ? nil : 1 / 3) }
      let store = try ResultsStore.openForWriting(path)
      try store.insert(rows)
      try store.setMeta("command", "blockscale sweep w.npy")
      try store.close()
      let again = try ResultsStore.open(path)
      #expect(try again.results() == rows.sorted { $0.key < $1.key })
      #expect(try again.results(kind: "product").isEmpty)
      #expect(try again.keys() == ["a", "b", "c"])
      #expect(try again.meta()["command"] == "blockscale sweep w.npy")
      var numbers: [Double?] = []
      try again.forEachResult(fields: ["mse", "none"]) { numbers += $1 }
      #expect(numbers == [0.5, nil, 0.5, nil, 0.5, nil])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["s.sqlite"])
    }
  }

  @Test("a batch with one bad row leaves nothing of itself")
  func transaction() throws {
    try withFolder { folder in
      let store = try ResultsStore.openForWriting("\(folder)/s.sqlite")
      try store.insert([try row("a")])
      #expect(throws: SweepError.self) { try store.insert([try row("b"), try row("a")]) }
      #expect(try store.keys() == ["a"])
    }
  }

  @Test("a store that is open for writing is in use")
  func lock() throws {
    try withFolder { folder in
      let path = "\(folder)/s.sqlite"
      let inUse = SweepError.store(path: path, .inUse)
      let store = try ResultsStore.openForWriting(path)
      #expect(throws: inUse) { try ResultsStore.openForWriting(path) }
      #expect(throws: inUse) { try ResultsStore.open(path) }
      try store.insert([try row("a")])
      #expect(throws: inUse) { try ResultsStore.open(path) }
      try store.close()
      #expect(try ResultsStore.open(path).keys() == ["a"])
    }
  }

  @Test("files that are no stores are told apart and left alone")
  func strangers() throws {
    try withFolder { folder in
      let path = "\(folder)/s.sqlite"
      #expect(throws: SweepError.store(path: path, .missing)) { try ResultsStore.open(path) }
      #expect(throws: SweepError.store(path: path, .missing)) {
        try ResultsStore.open(path, readOnly: false)
      }
      let text = Data(String(repeating: "not a database, ", count: 300).utf8)
      try text.write(to: URL(filePath: path))
      #expect(throws: SweepError.store(path: path, .notAStore)) { try ResultsStore.open(path) }
      #expect(throws: SweepError.store(path: path, .notAStore)) {
        try ResultsStore.openForWriting(path)
      }
      #expect(try Data(contentsOf: URL(filePath: path)) == text)
    }
  }

  @Test("every distinct command is kept, in the order of first use, through merges too")
  func commands() throws {
    try withFolder { folder in
      func make(_ name: String, _ commands: [String]) throws -> String {
        let store = try ResultsStore.openForWriting("\(folder)/\(name)")
        for command in commands { try store.add(command: command) }
        #expect(try store.commands() == ["b", "a"].filter(commands.contains))
        try store.close()
        return store.path
      }
      let inputs = [try make("1", ["b", "b", "a", "b"]), try make("2", ["a"]), try make("3", [])]
      let other = try ResultsStore.openForWriting("\(folder)/4")
      for number in 0..<12 { try other.add(command: "c\(number)") }
      try other.close()
      _ = try ResultsStore.merge(inputs + [other.path], into: "\(folder)/all")
      #expect(
        try ResultsStore.open("\(folder)/all").commands() == ["b", "a"]
          + (0..<12).map { "c\($0)" })
    }
  }

  @Test("a merge takes results once and refuses two for one key")
  func merge() throws {
    try withFolder { folder in
      func make(_ name: String, _ rows: [StoredResult]) throws -> String {
        let path = "\(folder)/\(name).sqlite"
        let store = try ResultsStore.openForWriting(path)
        try store.insert(rows)
        try store.close()
        return path
      }
      let first = try make("first", [try row("a"), try row("b")])
      let second = try make("second", [try row("b"), try row("c")])
      let other = try make("other", [try row("b", nmse: 0.5)])
      let output = "\(folder)/all.sqlite"
      let counts = try ResultsStore.merge([first, second], into: output)
      #expect(counts.results == 3 && counts.repeated == 1 && counts.stores == 2, "\(counts)")
      #expect(try ResultsStore.open(output).keys() == ["a", "b", "c"])
      #expect(throws: SweepError.store(path: output, .exists)) {
        try ResultsStore.merge([first], into: output)
      }
      let conflict = SweepError.StoreFault.conflict(
        other: first, key: "b", result: "w: f 16 exact")
      #expect(throws: SweepError.store(path: other, conflict)) {
        try ResultsStore.merge([first, other], into: output, replaces: true)
      }
      #expect(try ResultsStore.open(output).keys() == ["a", "b", "c"])
      let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(files == ["all.sqlite", "first.sqlite", "other.sqlite", "second.sqlite"])
    }
  }
}

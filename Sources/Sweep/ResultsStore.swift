import Foundation
import GRDB
import Measurement

/// A SQLite file of sweep results.
///
/// One process writes at a time: it holds SQLite's lock from opening to closing, which the kernel
/// lets go of when the process dies in whatever way. While it writes nobody else reads. Each
/// `insert` is one transaction: after a kill it is there whole or not at all.
public final class ResultsStore: Sendable {
  public let path: String
  public let isReadOnly: Bool
  private let queue: DatabaseQueue

  private init(path: String, queue: DatabaseQueue, isReadOnly: Bool) {
    self.path = path
    self.queue = queue
    self.isReadOnly = isReadOnly
  }

  /// Opens an existing store.
  ///
  /// - Throws: `SweepError.store`: `missing`, `notAStore`, `schema`, `numerics`, `corrupted`, `inUse`.
  public static func open(_ path: String, readOnly: Bool = true) throws -> ResultsStore {
    guard FileManager.default.fileExists(atPath: path) else {
      throw SweepError.store(path: path, .missing)
    }
    guard readOnly else { return try openForWriting(path) }
    var configuration = Configuration()
    configuration.readonly = true
    do {
      return try openForReading(path, configuration)
    } catch SweepError.store(_, let fault) where fault.mayLackSharedMemory && hasLog(path) {
      // A log that a killed sweep left takes a file of shared memory beside it, for which a full disk
      // has no room, and a journal must be rolled back. A connection that locks the store needs no
      // such file, and may roll back.
      configuration = locking
      configuration.prepareDatabase { try $0.execute(sql: "PRAGMA query_only = ON") }
      return try openForReading(path, configuration)
    }
  }

  private static func openForReading(
    _ path: String, _ configuration: Configuration
  ) throws -> ResultsStore {
    try namingStore(path) {
      let queue = try DatabaseQueue(path: sqliteName(path), configuration: configuration)
      let store = ResultsStore(path: path, queue: queue, isReadOnly: true)
      if let fault = try queue.read({ try StoreSchema.fault(of: $0) }) {
        throw SweepError.store(path: path, fault)
      }
      return store
    }
  }

  /// SQLite reads other things than paths in `:memory:`, `file:...` and nothing.
  private static func sqliteName(_ path: String) -> String {
    path.hasPrefix("/") ? path : "./" + path
  }

  private static func hasLog(_ path: String) -> Bool {
    ["-wal", "-journal"].contains { FileManager.default.fileExists(atPath: path + $0) }
  }

  private static var locking: Configuration {
    var configuration = Configuration()
    configuration.prepareDatabase { database in
      // Before anything is read: SQLite then needs no shared memory for its log, which file systems
      // over a network have not, and keeps the lock for as long as the file is open.
      try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try database.execute(sql: "BEGIN EXCLUSIVE; COMMIT")
    }
    return configuration
  }

  /// Opens a store for writing, or makes one where there is none, and locks it.
  ///
  /// - Throws: `SweepError.store`; an existing file is left as it is.
  public static func openForWriting(_ path: String) throws -> ResultsStore {
    guard !path.isEmpty else {
      throw SweepError.store(path: path, .unusable("expected a store's name, got none"))
    }
    return try namingStore(path) {
      let queue = try retrying {
        let before = FileIdentity(path)
        let queue = try DatabaseQueue(path: sqliteName(path), configuration: locking)
        // A merge may have put another file in the place of the one that is locked now.
        guard before == nil || before == FileIdentity(path) else {
          throw SweepError.store(path: path, .inUse)
        }
        return queue
      }
      try queue.write { database in
        if try StoreSchema.isEmpty(database) {
          try StoreSchema.create(in: database, toolVersion: toolVersion)
        } else if let fault = try StoreSchema.fault(of: database) {
          throw SweepError.store(path: path, fault)
        }
      }
      try queue.inDatabase { database in
        _ = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        try database.execute(sql: "PRAGMA synchronous = NORMAL")
      }
      return ResultsStore(path: path, queue: queue, isReadOnly: false)
    }
  }

  /// Two that open at the same instant may each hinder the other: the one that comes back finds the
  /// store free, or truly in use.
  private static func retrying<Value>(_ open: () throws -> Value) throws -> Value {
    for _ in 0..<4 {
      do {
        return try open()
      } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
      } catch SweepError.store(_, .inUse) {
      }
      Thread.sleep(forTimeInterval: .random(in: 0.02...0.12))
    }
    return try open()
  }

  /// Closes the store; one opened for writing becomes a single file without a log beside it.
  public func close() throws {
    try Self.namingStore(path) {
      if !isReadOnly {
        try queue.inDatabase { try Self.foldLog($0, path) }
      }
      try queue.close()
    }
  }

  /// Moves what the log holds into the file itself and removes the log.
  private static func foldLog(_ database: Database, _ path: String) throws {
    let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")
    guard mode == "delete" else {
      throw SweepError.store(path: path, .unusable("its log cannot be moved into it"))
    }
  }

  /// Calls `body` while the store, opened for writing, is one file without a log beside it that nobody
  /// else can open; then closes it. So another file can take its name: at every moment the name stands
  /// for all of the one or all of the other.
  func giveWay(_ body: () throws -> Void) throws {
    try Self.namingStore(path) {
      try queue.inDatabase { database in
        try Self.foldLog(database, path)
        // SQLite lets go of its lock, and removes its journal, with the next access, and takes a new one.
        let version = try Int.fetchOne(database, sql: "PRAGMA data_version")
        try database.execute(sql: "PRAGMA locking_mode = NORMAL")
        _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM meta")
        try database.inTransaction(.exclusive) {
          guard try Int.fetchOne(database, sql: "PRAGMA data_version") == version,
            try String.fetchOne(database, sql: "PRAGMA journal_mode") == "delete"
          else { throw SweepError.store(path: path, .inUse) }
          try body()
          return .commit
        }
      }
      try queue.close()
    }
  }

  // MARK: - Reading

  /// Keys of all results.
  public func keys() throws -> Set<String> {
    try read { try String.fetchSet($0, sql: "SELECT key FROM results") }
  }

  /// Results in the order of their keys.
  ///
  /// - Parameter kind: `tensor` or `product`; nil for all.
  public func results(kind: String? = nil) throws -> [StoredResult] {
    try read { database in
      guard let kind else {
        return try StoredResult.fetchAll(database, sql: "SELECT * FROM results ORDER BY key")
      }
      return try StoredResult.fetchAll(
        database, sql: "SELECT * FROM results WHERE kind = ? ORDER BY key", arguments: [kind])
    }
  }

  /// Calls `body` with every result, in the order of keys, and with numbers out of its report.
  ///
  /// - Parameter fields: names of plain numbers in the report; nil where it has none.
  public func forEachResult(
    fields: [String] = [], _ body: (StoredResult, [Double?]) throws -> Void
  ) throws {
    let columns = StoredResult.CodingKeys.allCases.map(\.rawValue)
    let extracts = fields.map { "json_extract(report, '$.\($0)')" }
    try read { database in
      let rows = try Row.fetchCursor(
        database,
        sql: "SELECT \((columns + extracts).joined(separator: ", ")) FROM results ORDER BY key")
      while let row = try rows.next() {
        let numbers = fields.indices.map {
          Double.fromDatabaseValue(row[columns.count + $0])
        }
        try body(try StoredResult(row: row), numbers)
      }
    }
  }

  /// The tensors that sweeps into this store have read, by file and name.
  public func tensors() throws -> [TensorRecord] {
    try read { try TensorRecord.fetchAll($0, sql: "SELECT * FROM tensors ORDER BY file, name") }
  }

  /// Names that results have under more than one hash, in columns of one kind of row.
  ///
  /// - Parameter columns: such as `format` and `format_b`; each has a `_hash` beside it.
  public func sharedNames(_ columns: [String]) throws -> Set<String> {
    try read { database in
      let pairs = columns.map { "SELECT \($0) AS name, \($0)_hash AS hash FROM results" }
      return try Set(
        String.fetchAll(
          database,
          sql: "SELECT name FROM (\(pairs.joined(separator: " UNION "))) WHERE name IS NOT NULL"
            + " GROUP BY name HAVING COUNT(DISTINCT hash) > 1"))
    }
  }

  /// What is noted of the store itself: `numerics`, `tool_version`, and the commands.
  public func meta() throws -> [String: String] {
    try read { database in
      let rows = try Row.fetchAll(database, sql: "SELECT key, value FROM meta")
      return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
    }
  }

  private func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try Self.namingStore(path) { try queue.read(body) }
  }

  /// Adds results in one transaction: all of them or, after any error, none.
  public func insert(_ results: [StoredResult]) throws {
    try write { database in
      for result in results { try result.insert(database) }
    }
  }

  /// Says of results there, by their keys, which version of the tool they are of.
  func setToolVersions(_ versions: [String: String]) throws {
    try write { database in
      for (key, version) in versions {
        try database.execute(
          sql: "UPDATE results SET tool_version = ? WHERE key = ?", arguments: [version, key])
      }
    }
  }

  /// Adds tensors, or replaces what is said of those of the same file and name.
  public func insert(_ tensors: [TensorRecord]) throws {
    try write { database in
      for tensor in tensors { try tensor.insert(database, onConflict: .replace) }
    }
  }

  public func setMeta(_ key: String, _ value: String) throws {
    try write { try StoreSchema.setMeta(key, value, in: $0) }
  }

  private func write(_ body: (Database) throws -> Void) throws {
    try Self.namingStore(path) { try queue.write(body) }
  }

  /// Turns SQLite's errors into the store's.
  private static func namingStore<Value>(_ path: String, _ body: () throws -> Value) throws -> Value
  {
    do {
      return try body()
    } catch let error as DatabaseError {
      throw SweepError.store(path: path, SweepError.StoreFault(error))
    } catch let error as RowDecodingError {
      throw SweepError.store(path: path, .corrupted("a row of its tables: \(error)"))
    }
  }
}

extension SweepError.StoreFault {
  init(_ error: DatabaseError) {
    switch error.resultCode {
    case .SQLITE_NOTADB: self = .notAStore
    case .SQLITE_IOERR
    where [.SQLITE_IOERR_SHMSIZE, .SQLITE_IOERR_SHMOPEN].contains(error.extendedResultCode):
      self = .noSharedMemory
    case .SQLITE_CORRUPT: self = .corrupted(error.message ?? "SQLite cannot read it")
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .inUse
    case .SQLITE_FULL: self = .full
    case .SQLITE_CANTOPEN: self = .unusable("cannot be opened or made")
    case .SQLITE_READONLY: self = .unusable("cannot be written to")
    default: self = .unusable(error.message ?? "\(error)")
    }
  }
}

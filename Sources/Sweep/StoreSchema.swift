import GRDB

/// The tables of a store.
enum StoreSchema {
  /// `PRAGMA application_id`: "BsSw".
  static let applicationID = 0x4273_5377
  /// `PRAGMA user_version`: goes up when the tables change.
  static let version = 2

  /// Makes the tables in an empty database, in the caller's transaction.
  static func create(in database: Database, toolVersion: String) throws {
    try database.execute(
      sql: """
        CREATE TABLE results (
          key TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('tensor', 'product')),
          tensor TEXT NOT NULL, tensor_hash TEXT NOT NULL, other TEXT, other_hash TEXT,
          shape TEXT NOT NULL, count INTEGER NOT NULL,
          format TEXT NOT NULL, format_hash TEXT NOT NULL, format_b TEXT, format_b_hash TEXT,
          block TEXT NOT NULL, block_size INTEGER, axis INTEGER NOT NULL,
          recipe TEXT NOT NULL, recipe_hash TEXT NOT NULL, rounding TEXT NOT NULL,
          tensor_scale TEXT NOT NULL, as_dtype TEXT NOT NULL,
          accumulator TEXT, accumulator_hash TEXT, transpose_b BOOLEAN, transform TEXT NOT NULL,
          fraction REAL, seed INTEGER, tool_version TEXT NOT NULL,
          bits_per_element REAL, nmse REAL, sqnr_db REAL, report TEXT NOT NULL
        );
        CREATE TABLE tensors (
          hash TEXT NOT NULL, file TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
          shape TEXT NOT NULL, dtype TEXT NOT NULL, count INTEGER NOT NULL,
          max_abs REAL NOT NULL, rms REAL, crest_quantiles TEXT,
          PRIMARY KEY (file, name)
        ) WITHOUT ROWID;
        CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        """)
    try setMeta("numerics", String(numericsVersion), in: database)
    try setMeta("tool_version", toolVersion, in: database)
  }

  static func setMeta(_ key: String, _ value: String, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", arguments: [key, value])
  }

  static func meta(_ key: String, in database: Database) throws -> String? {
    try String.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
  }

  /// Whether nobody has written anything into the database.
  static func isEmpty(_ database: Database) throws -> Bool {
    try Int.fetchOne(database, sql: "PRAGMA application_id") == 0
      && Int.fetchOne(database, sql: "PRAGMA user_version") == 0
      && Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0
  }

  /// Why the database is not a store that this program can use; nil where it is.
  static func fault(of database: Database) throws -> SweepError.StoreFault? {
    guard try Int.fetchOne(database, sql: "PRAGMA application_id") == applicationID else {
      return .notAStore
    }
    let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard found == version else { return .schema(found: found, expected: version) }
    let check = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)") ?? ""
    guard check == "ok" else { return .corrupted(check) }
    if let altered = try alteration(of: database) { return .corrupted(altered) }
    let numerics = try meta("numerics", in: database) ?? "unknown"
    guard numerics == String(numericsVersion) else {
      return .numerics(found: numerics, expected: numericsVersion)
    }
    return try badReport(in: database).map { .corrupted($0) }
  }

  private static let columns: [(table: String, names: [String])] = [
    ("results", StoredResult.CodingKeys.allCases.map(\.rawValue)),
    ("tensors", TensorRecord.CodingKeys.allCases.map(\.rawValue)), ("meta", ["key", "value"]),
  ]

  /// What another program made of the tables; nil where they are as they were made.
  private static func alteration(of database: Database) throws -> String? {
    for (table, names) in columns {
      let found = try String.fetchAll(
        database, sql: "SELECT name FROM pragma_table_info(?)", arguments: [table])
      guard !found.isEmpty else { return "it has no table \"\(table)\"" }
      if let missing = names.first(where: { !found.contains($0) }) {
        return "its table \"\(table)\" has no column \"\(missing)\""
      }
      if let foreign = found.first(where: { !names.contains($0) }) {
        return "its table \"\(table)\" has a foreign column \"\(foreign)\""
      }
    }
    return nil
  }

  private static func badReport(in database: Database) throws -> String? {
    try String.fetchOne(
      database,
      sql: """
        SELECT key FROM results
        WHERE CASE WHEN json_valid(report) THEN json_type(report) <> 'object' ELSE 1 END
        ORDER BY key LIMIT 1
        """
    ).map { "the report of result \($0.prefix(12))... is no JSON object" }
  }
}

import GRDB

/// The tables of a store.
enum StoreSchema {
  /// `PRAGMA application_id`: "BsSw".
  static let applicationID = 0x4273_5377
  /// `PRAGMA user_version`: goes up when the tables change.
  static let version = 1

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
          accumulator TEXT, accumulator_hash TEXT, transform TEXT NOT NULL,
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
    let numerics = try meta("numerics", in: database) ?? "unknown"
    guard numerics == String(numericsVersion) else {
      return .numerics(found: numerics, expected: numericsVersion)
    }
    return nil
  }
}

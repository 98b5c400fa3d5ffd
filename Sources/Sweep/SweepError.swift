/// Why a sweep cannot go on, or a store cannot be used.
public enum SweepError: Error, Sendable, Hashable {
  /// What was asked for makes no sense. `file` is the plan's; nil where flags said it.
  case plan(file: String?, field: String, problem: String)
  /// The store of this path, and what is wrong with it.
  case store(path: String, StoreFault)
  /// A tensor is not the one that the store holds results of.
  case tensorChanged(store: String, file: String, tensor: String, stored: String, found: String)
  /// A plan that is not there, or not readable.
  case noPlan(file: String)
  /// A file was written to while it was measured.
  case changedMeanwhile(file: String)

  /// What can be wrong with a store.
  public enum StoreFault: Sendable, Hashable {
    case missing
    /// Some other file.
    case notAStore
    /// Written by a program with other tables.
    case schema(found: Int, expected: Int)
    /// Holds numbers of a program that computed others.
    case numerics(found: String, expected: Int)
    /// SQLite finds damage, in its words.
    case corrupted(String)
    /// Another process has it open for writing.
    case inUse
    /// No room left where it lies.
    case full
    /// The system's or SQLite's words.
    case unusable(String)
    /// A full disk, or one that cannot be written to, has no place for what a log needs beside it.
    case noSharedMemory
    /// There already, where a new one was to be made.
    case exists
    /// A log lies there whose store is gone: a new store of that name would be taken for it.
    case strayLog(String)
    /// Two stores give one piece of work, `result` in words, two results.
    case conflict(other: String, key: String, result: String)
  }

  /// The exit code of `sysexits.h`.
  public var exitCode: Int32 {
    switch self {
    case .plan(nil, _, _): 64
    case .plan, .tensorChanged, .changedMeanwhile: 65
    case .noPlan: 66
    case .store(_, let fault):
      switch fault {
      case .missing: 66
      case .notAStore, .schema, .numerics, .corrupted, .conflict: 65
      case .inUse, .full, .unusable, .noSharedMemory, .exists, .strayLog: 74
      }
    }
  }
}

extension SweepError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .plan(let file, let field, let problem):
      [file, field.isEmpty ? nil : field, problem].compactMap { $0 }.joined(separator: ": ")
    case .store(let path, let fault): "\(path): \(fault)"
    case .tensorChanged(let store, let file, let tensor, let stored, let found):
      "\(file): tensor \"\(tensor)\": not the numbers that \(store) holds results of (SHA-256"
        + " \(found.prefix(12))..., expected \(stored.prefix(12))...): nothing was measured; take"
        + " another store, or the earlier file"
    case .noPlan(let file): "\(file): no such plan, or not readable"
    case .changedMeanwhile(let file):
      "\(file): was written to while it was measured; its last results were not stored"
    }
  }
}

extension SweepError.StoreFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing: "no such store"
    case .notAStore: "not a store of sweep results"
    case .schema(let found, let expected):
      "a store of version \(found) (expected \(expected)); nothing was changed"
    case .numerics(let found, let expected):
      "holds results of numerical version \(found) (expected \(expected), this program's):"
        + " the two cannot share a store"
    case .corrupted(let words): "damaged or altered: \(words)"
    case .inUse: "in use by another sweep"
    case .full: "no room left on its disk; what was stored before is kept"
    case .noSharedMemory:
      "no room beside it for what reading its log takes; make room, or copy it and its \"-wal\" file to"
        + " another disk"
    case .unusable(let words): words
    case .exists: "exists already (expected a new name, or --replace)"
    case .strayLog(let log):
      "\(log) lies beside it, the log of a store that is gone (expected none; remove it, or put the store"
        + " back)"
    case .conflict(let other, let key, let result):
      "result \(key.prefix(12))... (\(result)) differs from the one in \(other)"
    }
  }
}

extension SweepError.StoreFault {
  /// Whether a connection that needs no shared memory may fare better.
  var mayLackSharedMemory: Bool {
    switch self {
    case .noSharedMemory, .full, .unusable: true
    default: false
    }
  }
}

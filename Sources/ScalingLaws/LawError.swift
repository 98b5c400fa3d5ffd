/// Why a law, its table or its data cannot be used.
public enum LawError: Error, Sendable, Hashable {
  /// A file that does not exist or cannot be read (exit code 66).
  case unreadable(file: String, reason: String)
  /// A table of laws that contradicts itself; `row` names the law where one is known (exit code 65).
  case badTable(file: String, row: String?, problem: String)
  /// Data that the law cannot be held against (exit code 65).
  case badData(Fault)
  /// A request that makes no sense: an unknown law, a coefficient without a value (exit code 64).
  case usage(String)

  /// A place in a data file.
  public struct Fault: Sendable, Hashable {
    public var file: String
    /// Counted from 1, the heading included.
    public var line: Int?
    public var column: String?
    public var problem: String
    public var expected: String?

    public init(
      file: String, line: Int? = nil, column: String? = nil, problem: String,
      expected: String? = nil
    ) {
      self.file = file
      self.line = line
      self.column = column
      self.problem = problem
      self.expected = expected
    }
  }

  /// The exit code of `sysexits.h`: 66, 65 or 64.
  public var exitCode: Int32 {
    switch self {
    case .unreadable: 66
    case .badTable, .badData: 65
    case .usage: 64
    }
  }

  static func badData(
    _ file: String, line: Int? = nil, column: String? = nil, _ problem: String,
    expected: String? = nil
  ) -> LawError {
    .badData(Fault(file: file, line: line, column: column, problem: problem, expected: expected))
  }
}

extension LawError: CustomStringConvertible {
  /// One line: `points.csv: line 7: column "n": 7 is too small (expected ...)`.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .badTable(let file, let row, let problem):
      "\(file): \(row.map { "law \"\($0)\": " } ?? "")\(problem)"
    case .badData(let fault):
      fault.file + (fault.line.map { ": line \($0)" } ?? "")
        + (fault.column.map { ": column \"\($0)\"" } ?? "") + ": \(fault.problem)"
        + (fault.expected.map { " (expected \($0))" } ?? "")
    case .usage(let problem): problem
    }
  }
}

/// Named columns of a CSV file, read when they are asked for: columns that nobody needs may hold text.
///
/// The first line names the columns (case-insensitive, kept in lower case). Fields may be quoted as in
/// RFC 4180; empty lines and lines that start with `#` are passed over.
public struct LawData: Sendable, Hashable {
  /// As errors name it.
  public let file: String
  /// In the file's order, in lower case.
  public let columns: [String]
  /// Each row's line in the file, counted from 1.
  public private(set) var lines: [Int] = []
  private var rows: [[String]] = []
  private let headingLine: Int

  public var count: Int { rows.count }

  /// Reads a file.
  public static func read(_ path: String) throws(LawError) -> LawData {
    guard let text = String(bytes: try TextFile.read(path), encoding: .utf8) else {
      throw .badData(path, "not UTF-8 text")
    }
    return try LawData(text, file: path)
  }

  /// Reads CSV text; `file` names it in errors.
  public init(_ text: String, file: String) throws(LawError) {
    self.file = file
    var heading: [String]?
    var top = 1
    for (number, line) in CSVLines(text) {
      let fields: [String]
      do {
        fields = try CSVLines.fields(of: line)
      } catch {
        throw .badData(file, line: number, error.problem)
      }
      guard let heading else {
        heading = fields.map { $0.lowercased() }
        top = number
        continue
      }
      guard fields.count == heading.count else {
        throw .badData(
          file, line: number, "\(fields.count) fields",
          expected: "\(heading.count), as in line \(top)")
      }
      rows.append(fields)
      lines.append(number)
    }
    guard let heading else { throw .badData(file, "no heading") }
    columns = heading
    headingLine = top
    for (place, column) in columns.enumerated() {
      guard !column.isEmpty else {
        throw .badData(file, line: headingLine, "column \(place + 1) has no name")
      }
      guard columns.firstIndex(of: column) == place else {
        throw .badData(file, line: headingLine, column: column, "the column is there twice")
      }
    }
    guard !rows.isEmpty else { throw .badData(file, "no rows below the heading") }
  }

  /// Data made in memory; every column has as many numbers.
  public init(columns: [(name: String, numbers: [Double])], file: String) {
    self.file = file
    self.columns = columns.map { $0.name.lowercased() }
    let count = columns.map(\.numbers.count).min() ?? 0
    rows = (0..<count).map { row in columns.map { "\($0.numbers[row])" } }
    lines = (0..<count).map { $0 + 2 }
    headingLine = 1
  }

  public func contains(_ column: String) -> Bool { columns.contains(column.lowercased()) }

  /// A column's text, row by row.
  public func texts(_ column: String) throws(LawError) -> [String] {
    let place = try self.place(column)
    return rows.map { $0[place] }
  }

  /// A column's numbers, row by row: every field must be finite.
  public func numbers(_ column: String) throws(LawError) -> [Double] {
    let place = try self.place(column)
    var numbers: [Double] = []
    for (row, line) in zip(rows, lines) {
      let text = row[place]
      guard let value = Double(text), value.isFinite else {
        let problem = text.isEmpty ? "the field is empty" : "\"\(text)\" is not a finite number"
        throw .badData(file, line: line, column: columns[place], problem)
      }
      numbers.append(value)
    }
    return numbers
  }

  /// The rows whose field in a column is one of these texts, compared case-insensitively.
  public func rows(where column: String, isIn wanted: [String]) throws(LawError) -> LawData {
    let place = try self.place(column)
    let words = wanted.map { $0.lowercased() }
    return try keeping { words.contains(self.rows[$0][place].lowercased()) }
  }

  /// The rows of these places.
  public func keeping(_ wanted: (Int) -> Bool) throws(LawError) -> LawData {
    var result = self
    let places = rows.indices.filter(wanted)
    guard !places.isEmpty else { throw .badData(file, "no row is left") }
    result.rows = places.map { rows[$0] }
    result.lines = places.map { lines[$0] }
    return result
  }

  private func place(_ column: String) throws(LawError) -> Int {
    if let place = columns.firstIndex(of: column.lowercased()) { return place }
    throw .badData(
      file, line: headingLine, "no column \"\(column.lowercased())\"",
      expected: "it among \(columns.joined(separator: ", "))")
  }
}

/// One column of a table.
public struct Column: Sendable, Equatable {
  public enum Alignment: Sendable { case left, right }
  /// What a long text may lose when the table is too wide.
  public enum Shrinking: Sendable { case never, middle, end }

  /// Name in JSON and CSV.
  public var key: String
  /// Heading for people, with the unit where there is one.
  public var title: String
  public var alignment: Alignment
  public var style: NumberStyle
  /// Whether people's tables show it; JSON and CSV always do.
  public var isShown: Bool
  public var shrinking: Shrinking

  public init(
    _ key: String, title: String? = nil, align alignment: Alignment = .left,
    style: NumberStyle = .shortest, isShown: Bool = true, shrinking: Shrinking = .never
  ) {
    self.key = key
    self.title = title ?? key
    self.alignment = alignment
    self.style = style
    self.isShown = isShown
    self.shrinking = shrinking
  }

  /// A column of numbers, aligned to the right.
  public static func number(
    _ key: String, title: String? = nil, _ style: NumberStyle = .shortest, isShown: Bool = true
  ) -> Column {
    Column(key, title: title, align: .right, style: style, isShown: isShown)
  }
}

/// Rows of values under columns.
public struct Table: Sendable, Equatable {
  public var columns: [Column]
  /// As many values as columns in each.
  public var rows: [[JSONValue]]
  /// How many leading columns are left blank for people where they repeat the row above; a change
  /// in the first of them is set off by an empty line.
  public var groupedColumns: Int
  /// How many leading columns stand, in plain text, on a line of their own above the rows that share
  /// them: for long names.
  public var headingColumns: Int

  public init(
    columns: [Column], rows: [[JSONValue]] = [], groupedColumns: Int = 0, headingColumns: Int = 0
  ) {
    self.columns = columns
    self.rows = rows
    self.groupedColumns = groupedColumns
    self.headingColumns = headingColumns
  }

  /// A row as a JSON object.
  public func object(_ row: [JSONValue]) -> [JSONField] {
    zip(columns, row).map { JSONField($0.key, $1) }
  }
}

/// One table of a report.
public struct Section: Sendable, Equatable {
  /// Name of the array in JSON, and the value of `section` in CSV and JSON lines; empty for a table
  /// that only people see.
  public var key: String
  /// Headline for people.
  public var title: String?
  public var table: Table
  /// Whether people's forms show it.
  public var isShown: Bool

  public init(_ key: String, title: String? = nil, table: Table, isShown: Bool = true) {
    self.key = key
    self.title = title
    self.table = table
    self.isShown = isShown
  }
}

/// What a verb prints: fields about the run, and tables.
public struct Report: Sendable, Equatable {
  /// Tool version, engine, seed, rows used: at the top of JSON.
  public var fields: [JSONField]
  public var sections: [Section]
  /// Sentences at the foot of people's forms.
  public var notes: [String]

  /// The sections of CSV and JSON.
  var dataSections: [Section] { sections.filter { !$0.key.isEmpty } }

  public init(fields: [JSONField] = [], sections: [Section], notes: [String] = []) {
    self.fields = fields
    self.sections = sections
    self.notes = notes
  }
}

/// The values of `--as`.
public enum OutputForm: String, Sendable, CaseIterable {
  case table, markdown, csv, json, jsonl

  /// Whether people read it, so that notes and headlines belong.
  public var isForPeople: Bool { self == .table || self == .markdown }
}

extension Report {
  /// The report as text, a line feed at its end.
  ///
  /// - Parameter width: Columns of a line in `table` form, kept where long names allow it.
  public func rendered(as form: OutputForm, width: Int = 118) -> String {
    switch form {
    case .table, .markdown: renderedForPeople(form, width: width)
    case .csv: renderedAsCSV()
    case .json: renderedAsJSON()
    case .jsonl: renderedAsJSONLines()
    }
  }

  private func renderedForPeople(_ form: OutputForm, width: Int) -> String {
    var parts: [String] = []
    for section in sections where section.isShown {
      let title = section.title.map { form == .markdown ? "**\($0)**\n\n" : "\($0)\n\n" } ?? ""
      let table = section.table
      parts.append(title + (form == .markdown ? table.markdown : table.plainText(width: width)))
    }
    if !notes.isEmpty { parts.append(notes.map { $0 + "\n" }.joined()) }
    return parts.joined(separator: "\n")
  }

  private func renderedAsJSON() -> String {
    let arrays = dataSections.map { section in
      JSONField(
        section.key, .array(section.table.rows.map { .object(section.table.object($0)) }))
    }
    return JSONValue.object(fields + arrays).pretty + "\n"
  }

  /// The run's fields, then one object a row, each with the plain ones of those fields again, so that
  /// a line stands by itself.
  private func renderedAsJSONLines() -> String {
    if dataSections.isEmpty { return JSONValue.object(fields).compact + "\n" }
    let run = [JSONField("section", .string("run"))] + fields
    var text = JSONValue.object(run).compact + "\n"
    let plain = fields.filter(\.value.isPlain)
    for section in dataSections {
      for row in section.table.rows {
        let object = [JSONField("section", .string(section.key))] + section.table.object(row)
        let used = Set(object.map(\.key))
        text += JSONValue.object(object + plain.filter { !used.contains($0.key) }).compact + "\n"
      }
    }
    return text
  }
}

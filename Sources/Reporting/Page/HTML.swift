/// Builds the text of a page; every text that is not markup is escaped here.
struct HTMLWriter {
  private(set) var text = ""

  mutating func raw(_ markup: String) { text += markup + "\n" }

  mutating func heading(_ level: Int, _ words: String) {
    text += "<h\(level)>\(Self.escaped(words))</h\(level)>\n"
  }

  mutating func paragraph(_ words: String, style: String? = nil) {
    let attribute = style.map { " class=\"\(Self.escaped($0))\"" } ?? ""
    text += "<p\(attribute)>\(Self.escaped(words))</p>\n"
  }

  mutating func list(_ items: [String]) {
    guard !items.isEmpty else { return }
    text += "<ul>\n" + items.map { "<li>\(Self.escaped($0))</li>\n" }.joined() + "</ul>\n"
  }

  mutating func code(_ words: String) {
    text += "<pre tabindex=\"0\"><code>\(Self.escaped(words))</code></pre>\n"
  }

  /// A plot with what it shows in words, and where its numbers are.
  ///
  /// - Parameter data: a table to unfold; nil where the page's large table has the numbers.
  mutating func figure(_ plot: Plot, caption: String, data: HTMLTable? = nil) {
    figure(plot, caption: caption, data: data, namesTable: data == nil)
  }

  /// Pieces of one drawing: the caption stands with the first, and the numbers with the last.
  mutating func figures(_ plots: [Plot], caption: String, data: HTMLTable) {
    for (place, plot) in plots.enumerated() {
      let isLast = place + 1 == plots.count
      figure(
        plot, caption: place == 0 ? caption : "Continued: \(caption)", data: isLast ? data : nil,
        namesTable: false)
    }
  }

  private mutating func figure(
    _ plot: Plot, caption: String, data: HTMLTable?, namesTable: Bool
  ) {
    text += "<figure>\n<div class=\"scroll\">\n" + plot.svg(isWithStyle: false) + "</div>\n"
    text += "<p class=\"readout\" aria-hidden=\"true\"></p>\n"
    text += "<figcaption>\(Self.escaped(caption))"
    if namesTable { text += " <a href=\"#table\">The numbers are in the table.</a>" }
    text += "</figcaption>\n"
    if let data { details("The numbers of this drawing", data) }
    text += "</figure>\n"
  }

  mutating func details(_ summary: String, _ table: HTMLTable) {
    text += "<details><summary>\(Self.escaped(summary))</summary>\n"
    self.table(table)
    text += "</details>\n"
  }

  mutating func table(_ table: HTMLTable) {
    let id = table.id.map { " id=\"\($0)\"" } ?? ""
    let label = Self.escaped(table.caption)
    text += "<div class=\"scroll\" role=\"region\" aria-label=\"\(label)\" tabindex=\"0\">\n"
    let styles = [table.isSortable ? "sortable" : nil, table.style].compactMap { $0 }
    let style = styles.isEmpty ? "" : " class=\"\(styles.joined(separator: " "))\""
    text += "<table\(id)\(style)>\n"
    text += "<caption><span>\(label)</span></caption>\n<thead><tr>"
    for column in table.columns {
      let style = column.isNumber ? " class=\"number\"" : ""
      let filter = column.isFilter ? " data-filter" : ""
      text += "<th scope=\"col\"\(style)\(filter)>\(Self.escaped(column.title))</th>"
    }
    text += "</tr></thead>\n<tbody>\n"
    for row in table.rows {
      text += "<tr>"
      for (place, (column, cell)) in zip(table.columns, row).enumerated() {
        text += Self.cell(cell, column, isHeading: place == 0)
      }
      text += "</tr>\n"
    }
    text += "</tbody>\n</table>\n</div>\n"
  }

  private static func cell(_ cell: HTMLTable.Cell, _ column: HTMLTable.Column, isHeading: Bool)
    -> String
  {
    let tag = isHeading ? "th" : "td"
    let styles = [column.isNumber ? "number" : nil, cell.style].compactMap { $0 }
    let style = styles.isEmpty ? "" : " class=\"\(styles.joined(separator: " "))\""
    let scope = isHeading ? " scope=\"row\"" : ""
    let value = cell.value.map { " data-v=\"\($0)\"" } ?? ""
    return
      "<\(tag)\(scope)\(style)\(value)>\(escaped(cell.text).replacing("\n", with: "<br>"))</\(tag)>"
  }

  static func escaped(_ text: String) -> String { SVGWriter.escaped(text) }
}

/// A table of a page.
struct HTMLTable {
  struct Column {
    var title: String
    var isNumber = false
    /// Whether the page offers its values for choosing.
    var isFilter = false
    static func text(_ title: String, isFilter: Bool = false) -> Column {
      Column(title: title, isFilter: isFilter)
    }
    static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
  }
  struct Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    var text: String
    /// What sorting goes by where it is not the text.
    var value: Double?
    var style: String?
    init(_ text: String, _ value: Double? = nil, style: String? = nil) {
      self.text = text
      self.value = value.flatMap { $0.isFinite ? $0 : nil }
      self.style = style
    }
    init(stringLiteral text: String) { self.init(text) }
  }
  var caption: String
  var columns: [Column]
  var rows: [[Cell]] = []
  var isSortable = false
  var id: String?
  var style: String?
}

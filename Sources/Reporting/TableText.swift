extension Column {
  /// A value for people: a dash for null, a blank for an empty text.
  func text(_ value: JSONValue) -> String {
    switch value {
    case .null: "-"
    case .bool(let value): value ? "yes" : "no"
    case .int(let value): NumberStyle.grouped(value)
    case .number(let value): style.text(value)
    case .string(let value): Self.printable(value)
    case .array(let values): values.map { text($0) }.joined(separator: " ")
    case .object: value.compact
    }
  }

  /// Tensor names come out of files: control characters must not reach a terminal.
  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
      return text
    }
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }))
  }
}

extension Table {
  /// The shown columns' headings and cells as text, repeated leading cells blanked.
  private func cells(blankRepeats: Bool) -> (columns: [Column], rows: [[String]]) {
    let shown = columns.indices.filter { columns[$0].isShown }
    var result: [[String]] = []
    var above: [JSONValue] = []
    for row in rows {
      var same = blankRepeats && !above.isEmpty
      result.append(
        shown.map { index in
          same = same && index < groupedColumns && above[index] == row[index]
          return same ? "" : columns[index].text(row[index])
        })
      above = row
    }
    return (shown.map { columns[$0] }, result)
  }

  /// Aligned columns two spaces apart, headings above.
  func plainText(width: Int) -> String {
    let (all, allRows) = cells(blankRepeats: true)
    let columns = Array(all.dropFirst(headingColumns))
    let rows = allRows.map { Array($0.dropFirst(headingColumns)) }
    var widths = columns.indices.map { index in
      max(columns[index].title.count, rows.map { $0[index].count }.max() ?? 0)
    }
    shrink(&widths, columns, to: width)
    var text = line(columns.map(\.title), columns, widths)
    text += line(widths.map { String(repeating: "-", count: $0) }, columns, widths)
    for (index, row) in rows.enumerated() {
      let isNewGroup = groupedColumns > 0 && !(allRows[index].first?.isEmpty ?? true)
      if isNewGroup, index > 0 || headingColumns > 0 { text += "\n" }
      let heading = allRows[index].prefix(headingColumns).filter { !$0.isEmpty }
      if !heading.isEmpty { text += heading.joined(separator: "  ") + "\n" }
      text += line(row, columns, widths)
    }
    return text
  }

  private func shrink(_ widths: inout [Int], _ columns: [Column], to width: Int) {
    var excess = widths.reduce(2 * (widths.count - 1), +) - width
    for index in columns.indices where columns[index].shrinking != .never && excess > 0 {
      let least = max(columns[index].title.count, 16)
      let given = min(excess, max(0, widths[index] - least))
      widths[index] -= given
      excess -= given
    }
  }

  private func line(_ cells: [String], _ columns: [Column], _ widths: [Int]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      let shown = Self.shortened(cell, to: widths[index], columns[index].shrinking)
      let padding = String(repeating: " ", count: widths[index] - shown.count)
      text += columns[index].alignment == .left ? shown + padding : padding + shown
      text += "  "
    }
    while text.last == " " { text.removeLast() }
    return text + "\n"
  }

  /// The text with its middle or end replaced by an ellipsis where it is longer than `width`.
  static func shortened(
    _ text: String, to width: Int, _ shrinking: Column.Shrinking = .middle
  ) -> String {
    guard text.count > width, width > 1 else { return text }
    let tail = shrinking == .end ? 0 : width / 2
    return text.prefix(width - tail - 1) + "…" + text.suffix(tail)
  }

  /// A pipe table; grouped cells are repeated, since a reader may sort it.
  var markdown: String {
    let (columns, rows) = cells(blankRepeats: false)
    func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    func escaped(_ text: String) -> String {
      text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
    let rule = columns.map { $0.alignment == .left ? "---" : "--:" }
    return line(columns.map { escaped($0.title) }) + line(rule)
      + rows.map { line($0.map(escaped)) }.joined()
  }
}

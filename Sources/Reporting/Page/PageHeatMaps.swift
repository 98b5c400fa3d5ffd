/// Drawings of tensors by formats.
extension PagePlots {
  /// Every tensor's SQNR against the median of its format.
  ///
  /// - Parameter rows: of the map; all by default.
  func heat(rows: Range<Int>? = nil) -> Plot? {
    guard let heat = analysis.heat else { return nil }
    let medians = heat.medians
    let decibels = heat.decibels
    let values = decibels.map { row in
      zip(row, medians).map { value, median in value.map { $0 - median } }
    }
    return map(
      heat, rows, values, color: "dB to median",
      title: "Which tensors err more than others of the same format",
      summary: "signal over quantisation noise less the format's median; lighter is less error."
    ) { row, column in
      let told = decibels[row][column].map {
        "\(PageNumber.fixed($0, 1)) dB, \(PageNumber.signed($0 - medians[column], 1)) against the"
          + " median"
      }
      return "\(heat.tensors[row]), \(heat.formats[column]) block \(heat.formatBlocks[column]):"
        + " \(told ?? "no error")"
    }
  }

  /// What the larger block costs every tensor; nil without a larger block.
  ///
  /// - Parameter rows: of the map; all by default.
  func costHeat(rows: Range<Int>? = nil) -> Plot? {
    guard let heat = analysis.heat, heat.cost.joined().contains(where: { $0 != nil }) else {
      return nil
    }
    return map(
      heat, rows, heat.cost, color: "dB lost",
      title: "Which tensors need a small block: signal over noise lost at a larger one",
      summary: "dB of signal over quantisation noise lost from the small block to the larger one;"
        + " lighter is more, and below 0 the larger block errs less."
    ) { row, column in
      let told = heat.cost[row][column].map { "\(PageNumber.signed(-$0, 2)) dB" }
      let blocks = "\(heat.formatBlocks[column]) to \(heat.largerBlocks[column] ?? "none")"
      return "\(heat.tensors[row]), \(heat.formats[column]), block \(blocks):"
        + " \(told ?? "not comparable")"
    }
  }

  private func map(
    _ heat: LayerHeat, _ rows: Range<Int>?, _ values: [[Double?]], color: String, title: String,
    summary: String, _ text: (Int, Int) -> String
  ) -> Plot {
    // A few tensors far off would leave one colour for all others; pieces of a map share theirs.
    let all = values.joined().compactMap { $0 }
    let (low, high) = (quantile(all, 0.01), quantile(all, 0.99))
    let rows = rows ?? values.indices
    let columns = heat.formats.indices
    let names = HeatLabels(heat.tensors).texts
    let cells = PlotHeatMap(
      x: (0...columns.count).map(Double.init), y: (0...rows.count).map(Double.init),
      values: rows.reversed().map { values[$0] },
      titles: rows.reversed().map { row in columns.map { text(row, $0) } },
      color: PlotAxis(color, range: low < high ? low...high : nil))
    let piece = rows.count < values.count ? " (\(rows.lowerBound + 1) to \(rows.upperBound))" : ""
    let gutter = names.map { SVGWriter.width($0, size: 12) }.max() ?? 0
    return Plot(
      title: title + piece, x: PlotAxis("", names: heat.formats),
      y: PlotAxis("", names: rows.reversed().map { names[$0] }), layers: [.heat(cells)],
      summary: "\(rows.count) tensors in rows, \(columns.count) formats in columns: " + summary,
      width: max(860, gutter + 24 * Double(columns.count) + 150),
      height: 190 + 15 * Double(rows.count))
  }
}

/// Names of tensors beside a map: as they are or, where one is long, without what all begin with.
struct HeatLabels {
  /// One for each name, of at most `longest` characters.
  var texts: [String]
  /// What "…" at their beginning stands for; empty where names are whole.
  var prefix = ""

  static let longest = 60

  init(_ names: [String]) {
    texts = names
    guard names.contains(where: { $0.count > 40 }) else { return }
    prefix = Self.commonPrefix(names)
    let (length, mark) = (prefix.count, prefix.isEmpty ? "" : "…")
    texts = names.map { Table.shortened(mark + $0.dropFirst(length), to: Self.longest) }
  }

  /// Up to and with the last dot or slash that all share, short of a whole name.
  private static func commonPrefix(_ names: [String]) -> String {
    guard names.count > 1, let first = names.first else { return "" }
    let shared = names.dropFirst().reduce(Array(first)) { shared, name in
      zip(shared, name).prefix { $0 == $1 }.map(\.0)
    }
    guard let end = shared.lastIndex(where: { $0 == "." || $0 == "/" }) else { return "" }
    let prefix = String(shared[...end])
    return names.contains(prefix) ? "" : prefix
  }
}

/// Layers as SVG, inside the frame.
extension SVGWriter {
  /// - Parameter places: of marks, one for each point.
  mutating func layer(
    _ layer: PlotLayer, _ x: PlotScale, _ y: PlotScale, in plot: Plot, places: [MarkPlace] = []
  ) {
    func isPlaceable(_ point: PlotPoint) -> Bool { plot.x.holds(point.x) && plot.y.holds(point.y) }
    let color = layer.color
    switch layer.kind {
    case .points(let points):
      for (point, place) in zip(points, places) {
        guard let middle = place.x else { continue }
        marker(
          middle, y.place(point.y), color, title: place.title, isReachable: point.title != nil)
      }
    case .line(let points, let isDashed):
      for piece in points.split(whereSeparator: { !isPlaceable($0) }) {
        let style = "line s\(color % PlotStyle.colors)" + (isDashed ? " dashed" : "")
        let path = Self.path(piece, x, y)
        // Cells have every lightness: the paper's colour sets a line off from all of them.
        if plot.hasHeat { element("path", [("d", path), ("class", "line halo")]) }
        element("path", [("d", path), ("class", style)], title: layer.name)
      }
    case .band(let lower, let upper):
      let pairs = zip(lower, upper).filter { isPlaceable($0) && isPlaceable($1) }
      guard pairs.count > 1 else { break }
      let outline = pairs.map(\.0) + pairs.map(\.1).reversed()
      let path = Self.path(outline[...], x, y) + "Z"
      element(
        "path", [("d", path), ("class", "band f\(color % PlotStyle.colors)")], title: layer.name)
    case .front(let points):
      let placed = points.filter(isPlaceable)
      let path = Self.path(placed[...], x, y)
      element("path", [("d", path), ("class", "front")], title: layer.name)
    case .horizontalRule(let value):
      guard plot.y.holds(value) else { break }
      segment(x.place(x.low), y.place(value), x.place(x.high), y.place(value), "rule")
    case .verticalRule(let value):
      guard plot.x.holds(value) else { break }
      segment(x.place(value), y.place(y.low), x.place(value), y.place(y.high), "rule")
    case .heat(let map): cells(map, x, y)
    }
  }

  private static func path(_ points: ArraySlice<PlotPoint>, _ x: PlotScale, _ y: PlotScale)
    -> String
  {
    points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(number(x.place(point.x))) \(number(y.place(point.y)))"
    }.joined()
  }

  private mutating func cells(_ map: PlotHeatMap, _ x: PlotScale, _ y: PlotScale) {
    let colors = map.scale
    // From the top, as one reads.
    for (row, values) in map.values.enumerated().reversed() where row + 1 < map.y.count {
      for (column, value) in values.enumerated() where column + 1 < map.x.count {
        guard let value, map.color.holds(value) else { continue }
        let (left, right) = (x.place(map.x[column]), x.place(map.x[column + 1]))
        let (top, bottom) = (y.place(map.y[row + 1]), y.place(map.y[row]))
        let hasTitle = row < map.titles.count && column < map.titles[row].count
        // Half a pixel of overlap hides the seams between cells.
        element(
          "rect",
          [
            ("x", Self.number(left)), ("y", Self.number(top)),
            ("width", Self.number(right - left + 0.5)),
            ("height", Self.number(bottom - top + 0.5)),
            ("fill", PlotHeatMap.fill(colors.place(value))), ("class", "cell"),
            ("data-row", "\(row)"), ("data-column", "\(column)"),
          ], title: hasTitle ? map.titles[row][column] : nil)
      }
    }
  }

  /// The marker of a series: disc, square, triangle, diamond, or those turned; every second eight
  /// hollow, every second sixteen with an eye, from the 33rd on another shape for each colour.
  ///
  /// - Parameter isReachable: whether the keyboard stops at it.
  mutating func marker(
    _ x: Double, _ y: Double, _ series: Int, title: String?, isReachable: Bool = false
  ) {
    let color = series % PlotStyle.colors
    let shape = (color + 3 * (series / (4 * PlotStyle.colors))) % PlotStyle.colors
    let isHollow = series / PlotStyle.colors % 2 == 1
    let style = isHollow ? "mark hollow s\(color)" : "mark f\(color)"
    let name = title ?? ""
    let reach = isReachable ? [("tabindex", "0"), ("role", "img"), ("aria-label", name)] : []
    let corners: [(Double, Double)]
    defer {
      if series / (2 * PlotStyle.colors) % 2 == 1 {
        element(
          "circle",
          [
            ("cx", Self.number(x)), ("cy", Self.number(y)), ("r", "1.9"),
            ("class", isHollow ? "eye f\(color)" : "eye paper"),
          ])
      }
    }
    switch shape {
    case 1: corners = [(-4, -4), (4, -4), (4, 4), (-4, 4)]
    case 2: corners = [(0, -5), (4.8, 3.6), (-4.8, 3.6)]
    case 3: corners = [(0, -5.4), (5.4, 0), (0, 5.4), (-5.4, 0)]
    case 4: corners = [(0, 5), (-4.8, -3.6), (4.8, -3.6)]
    case 5: corners = [(-5, 0), (3.6, -4.8), (3.6, 4.8)]
    case 6: corners = [(5, 0), (-3.6, 4.8), (-3.6, -4.8)]
    case 7: corners = [(-5, -2.4), (0, -5.2), (5, -2.4), (5, 2.4), (0, 5.2), (-5, 2.4)]
    default:
      element(
        "circle",
        [
          ("cx", Self.number(x)), ("cy", Self.number(y)), ("r", "4.4"),
          ("class", style),
        ] + reach, title: title)
      return
    }
    let points = corners.map { "\(Self.number(x + $0)),\(Self.number(y + $1))" }
    element(
      "polygon", [("points", points.joined(separator: " ")), ("class", style)] + reach,
      title: title)
  }
}

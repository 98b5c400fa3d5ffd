extension Plot {
  /// Whether a text is a file that `svg()` made.
  public static func isDrawing(_ text: String) -> Bool {
    text.hasPrefix("<svg ") && text.prefix(200).contains("class=\"blockscale-plot\"")
  }

  /// The picture as a whole SVG file, or as an element of a page.
  ///
  /// - Parameter isWithStyle: Whether it carries its own style sheet; a page with many plots holds
  ///   `PlotStyle.css` once instead.
  public func svg(isWithStyle: Bool = true) -> String {
    let frame = PlotFrame(self)
    var writer = SVGWriter()
    let size = "0 0 \(SVGWriter.number(width)) \(SVGWriter.number(frame.height))"
    writer.open(
      "svg", ("xmlns", "http://www.w3.org/2000/svg"), ("class", "blockscale-plot"),
      ("role", hasTitledPoints ? "group" : "img"), ("aria-label", title), ("viewBox", size),
      ("width", SVGWriter.number(width)), ("height", SVGWriter.number(frame.height)))
    if !summary.isEmpty { writer.raw("<desc>\(SVGWriter.escaped(summary))</desc>") }
    if isWithStyle { writer.raw("<style>\(PlotStyle.css)</style>") }
    writer.element("rect", [("width", "100%"), ("height", "100%"), ("class", "paper")])
    let shown = Table.shortened(title, to: max(8, Int((width - 24) / 8.2)), .end)
    writer.words(shown, x: 12, y: 22, "title")
    frame.drawAxes(&writer)
    frame.drawLayers(&writer)
    frame.drawLegend(&writer)
    for (line, note) in notes.enumerated() {
      writer.words(note, x: 12, y: frame.plot.height + 12 + 15 * Double(line), "note")
    }
    writer.close("svg")
    return writer.text
  }
}

/// Where a mark stands, and what it says.
struct MarkPlace {
  /// In pixels; nil where it is not drawn.
  var x: Double?
  /// With the texts of marks that it covers, a line for each.
  var title: String?
  /// Marks that it stands for.
  var count = 1

  mutating func add(_ other: String?) {
    count += 1
    guard let other, other != title else { return }
    title = title.map { "\($0)\n\(other)" } ?? other
  }
}

/// Where the parts of a plot stand.
private struct PlotFrame {
  let plot: Plot
  let left: Double
  let right: Double
  let top = Self.top
  let bottom: Double
  let x: PlotScale
  let y: PlotScale
  let xTicks: [PlotScale.Tick]
  let yTicks: [PlotScale.Tick]
  /// Of the whole picture, notes included.
  var height: Double { plot.height + (plot.notes.isEmpty ? 0 : 15 * Double(plot.notes.count) + 6) }

  private static let top = 62.0
  private static let legendText = 12.0
  private static let legendLine = 19.0

  /// What the whole legend needs.
  private static func leastHeight(_ plot: Plot) -> Double {
    let lines = entries(plot).count
    return lines == 0 ? 0 : top + legendLine * Double(lines) + 48 + slantedHeight(plot)
  }

  init(_ given: Plot) {
    var plot = given
    plot.height = max(plot.height, Self.leastHeight(plot))
    self.plot = plot
    bottom = plot.height - 48 - Self.slantedHeight(plot)
    let places = plot.layers.flatMap(\.extent).filter {
      plot.x.holds($0.x) && plot.y.holds($0.y)
    }
    let padding = plot.hasHeat ? 0 : 0.04
    y = PlotScale(plot.y, values: places.map(\.y), from: bottom, to: top, padding: padding)
    yTicks = y.ticks(max(2, Int((bottom - top) / 55)))
    let widest = yTicks.compactMap(\.label).map { SVGWriter.width($0, size: 12) }.max() ?? 0
    left = 12 + widest + 10
    right = plot.width - 16 - Self.legendWidth(plot)
    x = PlotScale(plot.x, values: places.map(\.x), from: left, to: right, padding: padding)
    xTicks = x.ticks(max(2, Int((right - left) / 85)))
  }

  private static func entries(_ plot: Plot) -> [PlotLayer] {
    plot.layers.filter { $0.name != nil }
  }

  private static func legendWidth(_ plot: Plot) -> Double {
    let names = entries(plot).compactMap(\.name).map { shown($0) }
    let widest = names.map { SVGWriter.width($0, size: legendText) }.max()
    return max(widest.map { $0 + 44 } ?? 0, plot.hasHeat ? 110 : 0)
  }

  private static func shown(_ name: String) -> String { Table.shortened(name, to: 30) }

  /// Room for names under the drawing, which stand aslant where there are many.
  private static func slantedHeight(_ plot: Plot) -> Double {
    guard let names = plot.x.names else { return 0 }
    let widths = names.map { SVGWriter.width($0, size: 12) }
    let room = (plot.width - 120) / Double(max(1, names.count)) - 8
    return (widths.max() ?? 0) > room ? (widths.max() ?? 0) * slant : 0
  }

  /// The sine of the angle of slanted names, about 45°.
  private static let slant = 0.71

  private var isSlanted: Bool { Self.slantedHeight(plot) > 0 }

  func drawAxes(_ writer: inout SVGWriter) {
    for tick in xTicks where tick.value <= x.high * (1 + 1e-9) || !x.isLog {
      let place = x.place(tick.value)
      writer.segment(place, top, place, bottom, tick.label == nil ? "minor" : "grid")
    }
    for tick in yTicks {
      let place = y.place(tick.value)
      writer.segment(left, place, right, place, tick.label == nil ? "minor" : "grid")
    }
    var free = -Double.infinity
    for tick in xTicks {
      guard let label = tick.label else { continue }
      let (place, half) = (x.place(tick.value), SVGWriter.width(label, size: 12) / 2)
      guard isSlanted || place - half > free else { continue }
      if isSlanted {
        writer.slantedWords(label, x: place + 4, y: bottom + 14)
        continue
      }
      writer.words(label, x: place, y: bottom + 17, "middle")
      free = place + half + 6
    }
    free = .infinity
    for tick in yTicks {
      guard let label = tick.label, y.place(tick.value) + 7 < free else { continue }
      writer.words(label, x: left - 7, y: y.place(tick.value) + 4, "end")
      free = y.place(tick.value) - 7
    }
    writer.words(plot.x.label, x: (left + right) / 2, y: plot.height - 10, "label middle")
    writer.words(plot.y.label, x: 12, y: top - 14, "label")
  }

  /// The layers in a picture of their own, whose border cuts them off; a clip path would need a
  /// name that no other plot of a page has.
  func drawLayers(_ writer: inout SVGWriter) {
    let numbers = [left, top, right - left, bottom - top].map(SVGWriter.number)
    writer.open(
      "svg", ("x", numbers[0]), ("y", numbers[1]), ("width", numbers[2]), ("height", numbers[3]),
      ("viewBox", numbers.joined(separator: " ")), ("overflow", "hidden"))
    // Marks lie above lines, so that no line hides one from the pointer.
    let places = markPlaces()
    for layer in plot.layers where !layer.isMarks { writer.layer(layer, x, y, in: plot) }
    for (layer, own) in zip(plot.layers, places) where layer.isMarks {
      writer.layer(layer, x, y, in: plot, places: own)
    }
    writer.close("svg")
    writer.segment(left, bottom, right, bottom, "axis")
    writer.segment(left, top, left, bottom, "axis")
  }

  /// The marks by layer, moved sideways where ones drawn later would hide them.
  private func markPlaces() -> [[MarkPlace]] {
    var crowd = PlotCrowd(width: plot.width, height: plot.height, reach: plot.reach)
    var places = plot.layers.map { layer -> [MarkPlace] in
      guard case .points(let points) = layer.kind else { return [] }
      return points.map { MarkPlace(x: nil, title: $0.title ?? layer.name) }
    }
    var placed: [(layer: Int, point: Int, y: Double)] = []
    for (number, layer) in plot.layers.enumerated().reversed() {
      guard case .points(let points) = layer.kind else { continue }
      for (index, point) in points.enumerated().reversed() {
        guard plot.x.holds(point.x), plot.y.holds(point.y) else { continue }
        let own = (x: x.place(point.x), y: y.place(point.y))
        switch crowd.place(own.x, own.y, within: left...max(left, right)) {
        case .at(let x):
          places[number][index].x = x
          placed.append((number, index, own.y))
        case .under(let other):
          // Marks of the series at about this height share them, so that none has a long list.
          let near = placed.filter {
            $0.layer == number && abs($0.y - own.y) <= 3
              && abs((places[number][$0.point].x ?? .infinity) - own.x) <= plot.reach
          }
          let above =
            near.min { places[number][$0.point].count < places[number][$1.point].count }
            ?? placed[other]
          places[above.layer][above.point].add(places[number][index].title)
        }
      }
    }
    return places
  }

  func drawLegend(_ writer: inout SVGWriter) {
    var line = top + 8
    for layer in Self.entries(plot) {
      guard let name = layer.name else { continue }
      drawKey(layer, at: right + 26, line, &writer)
      writer.words(Self.shown(name), x: right + 42, y: line + 4, "key")
      line += Self.legendLine
    }
    for layer in plot.layers {
      if case .heat(let map) = layer.kind { drawBar(map, from: line + 14, &writer) }
    }
  }

  private func drawKey(
    _ layer: PlotLayer, at center: Double, _ line: Double, _ writer: inout SVGWriter
  ) {
    let color = layer.color % PlotStyle.colors
    switch layer.kind {
    case .points: writer.marker(center, line, layer.color, title: nil)
    case .front: writer.segment(center - 10, line, center + 10, line, "front")
    case .line(_, let isDashed):
      let style = "line s\(color)" + (isDashed ? " dashed" : "")
      writer.segment(center - 10, line, center + 10, line, style)
    case .horizontalRule, .verticalRule:
      writer.segment(center - 10, line, center + 10, line, "rule")
    case .band, .heat:
      writer.element(
        "rect",
        [
          ("x", SVGWriter.number(center - 10)), ("y", SVGWriter.number(line - 5)),
          ("width", "20"), ("height", "10"), ("class", "band f\(color)"),
        ])
    }
  }

  private func drawBar(_ map: PlotHeatMap, from start: Double, _ writer: inout SVGWriter) {
    let (bar, end) = (right + 24, bottom)
    guard end - start > 40 else { return }
    let steps = 48
    let step = (end - start) / Double(steps)
    for index in 0..<steps {
      let share = 1 - (Double(index) + 0.5) / Double(steps)
      writer.element(
        "rect",
        [
          ("x", SVGWriter.number(bar)),
          ("y", SVGWriter.number(start + Double(index) * step)), ("width", "16"),
          ("height", SVGWriter.number(step + 0.5)), ("fill", PlotHeatMap.fill(share)),
        ])
    }
    let scale = map.scale
    for tick in scale.ticks(5) {
      guard let label = tick.label else { continue }
      let place = end - scale.place(tick.value) * (end - start)
      writer.segment(bar + 16, place, bar + 20, place, "axis")
      writer.words(label, x: bar + 24, y: place + 4, "key")
    }
    writer.words(map.color.label, x: bar, y: start - 8, "label")
  }
}

import Reporting
import Testing

private func plot(
  _ layers: [PlotLayer], x: PlotAxis = PlotAxis("x"), y: PlotAxis = PlotAxis("y")
) -> String {
  Plot(title: "title", x: x, y: y, layers: layers).svg()
}

private func count(_ piece: String, in text: String) -> Int {
  var (rest, found) = (text[...], 0)
  while let range = rest.firstRange(of: piece) {
    found += 1
    rest = rest[range.upperBound...]
  }
  return found
}

/// What the picture's text elements say, in their order.
private func words(_ svg: String) -> [String] {
  svg.split(separator: "\n").filter { $0.hasPrefix("<text") }.compactMap { line in
    guard let start = line.firstIndex(of: ">"), let end = line.lastIndex(of: "<") else {
      return nil
    }
    return String(line[line.index(after: start)..<end])
  }
}

@Suite("Plots") struct PlotTests {
  @Test("Every number that an axis holds is drawn with its hover text, and no other")
  func points() {
    let points = [(1.0, 0.5), (2, 0), (.nan, 1), (3, .infinity), (4, -1), (5, 2)].map {
      PlotPoint($0.0, $0.1, title: "at \($0.0)")
    }
    let linear = plot([.points(points)])
    #expect(count("<circle", in: linear) == 4)
    let log = plot([.points(points)], y: PlotAxis("y", scale: .log))
    #expect(count("<circle", in: log) == 2)
    #expect(log.contains("<title>at 1.0</title>") && log.contains("<title>at 5.0</title>"))
  }

  @Test("Each colour has a marker of its own")
  func markers() {
    let shapes = (0..<8).map { color in
      let svg = plot([.points([PlotPoint(1, 1)], color: color)])
      let line = svg.split(separator: "\n").first { $0.contains("class=\"mark") } ?? ""
      return line.replacing("f\(color)\"", with: "\"")
    }
    #expect(Set(shapes).count == 8, "\(shapes)")
  }

  @Test("Axes number round values")
  func ticks() {
    let line = PlotLayer.line([PlotPoint(0, 1e-7), PlotPoint(1, 1e-2)])
    let shown = words(plot([line], y: PlotAxis("y", scale: .log)))
    for label in ["0", "0.2", "0.4", "0.6", "0.8", "1.0", "10⁻⁷", "10⁻⁵", "0.001"] {
      #expect(shown.contains(label), "\(label) is not in \(shown)")
    }
    let few = PlotLayer.line([PlotPoint(-2e-3, 1), PlotPoint(3e7, 40)])
    let fewer = words(plot([few], y: PlotAxis("y", scale: .log, ticks: [1, 16, 32, 64])))
    for label in ["10⁷", "2·10⁷", "16", "32"] {
      #expect(fewer.contains(label), "\(label) is not in \(fewer)")
    }
    #expect(!fewer.contains("64"), "64 lies outside")
  }

  @Test("A line is interrupted where it cannot be drawn")
  func gaps() {
    let values = [1.0, 2, .nan, 3, 4, 5]
    let svg = plot([.line(values.enumerated().map { PlotPoint(Double($0), $1) })])
    #expect(count("class=\"line s0\"", in: svg) == 2)
  }

  @Test("Names, titles and notes are escaped and cut to their room")
  func escaping() {
    let bad = "<script>&\"\u{1}" + String(repeating: "x", count: 300)
    let svg = Plot(
      title: bad, x: PlotAxis(bad), y: PlotAxis(bad),
      layers: [.points([PlotPoint(1, 1, title: bad)], name: bad)], notes: [bad]
    ).svg()
    #expect(!svg.contains("<script") && !svg.contains("\u{1}"))
    #expect(svg.contains("&lt;script&gt;&amp;&quot;"))
    #expect(words(svg)[0].count < 120, "title \(words(svg)[0])")
  }

  @Test("Ranges without extent or beyond all measure draw plain numbers")
  func extremes() {
    let values = [
      0, -0.0, .leastNormalMagnitude / 8, .leastNonzeroMagnitude, 1e149, 1e200, 1e308, -1e308, 3,
      -.infinity, .nan,
    ]
    for scale in [PlotAxis.Scale.linear, .log] {
      for first in values {
        for second in values {
          let points = [PlotPoint(first, second), PlotPoint(second, first)]
          let svg = plot(
            [.points(points), .line(points), .band(lower: points, upper: points)],
            x: PlotAxis("x", scale: scale), y: PlotAxis("y", scale: scale))
          let text = svg.lowercased().replacing("dominant", with: "")
          #expect(
            !text.contains("nan") && !text.contains("\"inf") && !text.contains("-inf"),
            "\(first), \(second), \(scale)")
        }
      }
    }
    #expect(plot([]).contains("</svg>"))
  }

  @Test("Cells take their colour from the scale, empty ones none")
  func heat() {
    let map = PlotHeatMap(
      x: [1, 2, 3], y: [1, 2, 3], values: [[1, 10], [nil, 100]],
      titles: [["a", "b"], ["c", "d"]],
      color: PlotAxis("z", scale: .log))
    let svg = plot([.heat(map)])
    let cells = svg.split(separator: "\n").filter { $0.contains("class=\"cell\"") }
    #expect(cells.count == 3)
    for (cell, (color, title)) in zip(
      cells, [("#fde725", "d"), ("#440154", "a"), ("#21918c", "b")])
    {
      #expect(cell.contains(color) && cell.contains("<title>\(title)</title>"), "\(cell)")
    }
  }

  @Test("A picture can stand in a page with others: no scripts, no names, one style sheet")
  func embedding() {
    let layers = [PlotLayer.points([PlotPoint(1, 1)], name: "a"), .rule(y: 1, name: "b")]
    let plain = Plot(title: "t", x: PlotAxis("x"), y: PlotAxis("y"), layers: layers)
    let svg = plain.svg(isWithStyle: false)
    for word in ["<script", " id=", "href", "url(", "<style"] {
      #expect(!svg.contains(word), "\(word)")
    }
    #expect(plain.svg().contains("<style>" + PlotStyle.css))
    #expect(PlotStyle.css.contains("prefers-color-scheme:dark"))
  }
}

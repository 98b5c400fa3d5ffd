import Reporting
import Testing

@Suite("Plots that name, tell apart and reach") struct PlotReachTests {
  private func lines(_ plot: Plot, with piece: String) -> [Substring] {
    plot.svg().split(separator: "\n").filter { $0.contains(piece) }
  }

  @Test("Names stand in place of numbers, aslant where they would not fit")
  func names() {
    let short = Plot(
      title: "t", x: PlotAxis("", names: ["a", "b"]), y: PlotAxis("y"),
      layers: [.points([PlotPoint(0.5, 1), PlotPoint(1.5, 2)])])
    #expect(
      lines(short, with: ">a</text>").count == 1 && lines(short, with: ">b</text>").count == 1)
    #expect(lines(short, with: "rotate(").isEmpty)
    let names = (0..<12).map { "a format with a long name \($0)" }
    let long = Plot(
      title: "t", x: PlotAxis("", names: names), y: PlotAxis("y"),
      layers: [.points([PlotPoint(0.5, 1)])])
    #expect(lines(long, with: "rotate(-45)").count == 12)
  }

  @Test("Series differ in marker, filling or, from the 33rd on, colour")
  func markers() {
    let shapes = (0..<96).map { color in
      let plot = Plot(
        title: "t", x: PlotAxis("x"), y: PlotAxis("y"),
        layers: [.points([PlotPoint(1, 1)], color: color)])
      return (lines(plot, with: "class=\"mark") + lines(plot, with: "class=\"eye")).joined()
    }
    #expect(Set(shapes).count == 96, "\(shapes)")
    let colorless = shapes.prefix(32).map { shape in
      (0..<8).reduce(shape) {
        $0.replacing(" s\($1)\"", with: "\"").replacing(" f\($1)\"", with: "\"")
      }
    }
    #expect(Set(colorless).count == 32, "\(colorless)")
  }

  @Test("A legend of any length is whole and inside the picture")
  func legend() throws {
    for count in [1, 12, 26, 60] {
      let layers = (0..<count).map {
        PlotLayer.points([PlotPoint(Double($0), 1)], name: "series \($0).", color: $0)
      }
      let plot = Plot(title: "t", x: PlotAxis("x"), y: PlotAxis("y"), layers: layers)
      let keys = lines(plot, with: "class=\"key\"")
      #expect(keys.count == count)
      let height = try #require(number(lines(plot, with: "<svg")[0], "height"))
      for (place, key) in keys.enumerated() {
        #expect(key.contains(">series \(place).<"))
        #expect(try #require(number(key, "y")) < height - 40, "\(count) series: \(key)")
      }
    }
  }

  @Test("Marks at one place stand side by side, each with enough to point at")
  func crowd() throws {
    for count in [1, 2, 9, 17] {
      let layers = (0..<count).map {
        PlotLayer.points([PlotPoint(1, 1, title: "\($0)")])
      }
      let plot = Plot(
        title: "t", x: PlotAxis("x"), y: PlotAxis("y"), layers: layers, reach: 80)
      let marks = lines(plot, with: "<circle")
      let places = try marks.map { try #require(number($0, "cx")) }.sorted()
      #expect(places.count == count)
      for (left, right) in zip(places, places.dropFirst()) {
        #expect(right - left >= 3.9, "\(count) marks: \(places)")
      }
      #expect(Set(marks.compactMap { number($0, "cy") }).count == 1, "heights are errors")
      let middle = try #require(number(marks[marks.count - 1], "cx"))
      #expect(places.allSatisfy { abs($0 - middle) <= 80 }, "\(places)")
    }
  }

  @Test("Where marks have no room, each text is still there once")
  func merged() {
    let points = (0..<200).map { PlotPoint(1, 1, title: "text \($0).") }
    let svg = Plot(
      title: "t", x: PlotAxis("x"), y: PlotAxis("y"), layers: [.points(points, name: "all")]
    ).svg()
    let marks = svg.split(separator: "class=\"mark").count - 1
    #expect(marks > 5 && marks < 20, "\(marks) marks")
    let titles = svg.split(separator: "<title>").dropFirst().compactMap {
      $0.split(separator: "</title>").first
    }.flatMap { $0.split(separator: "\n") }
    #expect(titles.sorted() == points.compactMap { $0.title.map { $0[...] } }.sorted())
  }

  /// An attribute's number.
  private func number(_ element: Substring, _ name: String) -> Double? {
    guard let start = element.firstRange(of: " \(name)=\"")?.upperBound else { return nil }
    return Double(element[start...].prefix { $0 != "\"" })
  }

  @Test("The keyboard stops at points with a text of their own, and only there")
  func keyboard() {
    let plot = Plot(
      title: "t", x: PlotAxis("x"), y: PlotAxis("y"),
      layers: [
        .points([PlotPoint(1, 1, title: "one \"<1>\""), PlotPoint(2, 2)], name: "named"),
        .front([PlotPoint(1, 1), PlotPoint(2, 2)], name: "front"),
      ], summary: "what <it> shows")
    #expect(lines(plot, with: "tabindex=\"0\"").count == 1)
    #expect(lines(plot, with: "aria-label=\"one &quot;&lt;1&gt;&quot;\"").count == 1)
    #expect(lines(plot, with: "<desc>what &lt;it&gt; shows</desc>").count == 1)
    #expect(lines(plot, with: "role=\"group\"").count == 1)
    #expect(lines(plot, with: "class=\"front\"").count == 2)
    let plain = Plot(
      title: "t", x: PlotAxis("x"), y: PlotAxis("y"), layers: [.points([PlotPoint(1, 1)])])
    #expect(plain.svg().contains("role=\"img\" aria-label=\"t\""))
    #expect(!plain.svg().contains("<desc>"))
  }
}

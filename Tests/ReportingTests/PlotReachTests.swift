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

  @Test("Sixteen series differ in marker, colour or filling")
  func markers() {
    let shapes = (0..<16).map { color in
      let plot = Plot(
        title: "t", x: PlotAxis("x"), y: PlotAxis("y"),
        layers: [.points([PlotPoint(1, 1)], color: color)])
      return lines(plot, with: "class=\"mark").joined()
    }
    #expect(Set(shapes).count == 16, "\(shapes)")
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

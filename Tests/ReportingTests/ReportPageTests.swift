import Foundation
import Reporting
import Sweep
import Testing

@Suite("The page of a sweep") struct ReportPageTests {
  private func headline(_ data: SweepResults, _ request: PageRequest) -> String {
    AnswerText(SweepAnalysis(data, request)).headline
  }

  @Test("The headline says what the figures say")
  func headlines() throws {
    let law = try lossLaw()
    let both = try layer([("fine", { 1e-6 * $0 }), ("ref", { 1e-3 * $0 })])
    #expect(
      headline(both, pageRequest(loss: law)).hasPrefix(
        "It depends on model size and format. Of 2 formats the budget is met with a Q_b above 16 by 1"
          + " at 1 billion and 2 (1 unsure) at 16 billion parameters; only with 16 or less by 1 at 1 billion"
          + " parameters; and with no measured block by none."))
    let wide = headline(both, pageRequest(budget: 1, loss: law))
    #expect(wide.hasPrefix("No: none of the 4"), "\(wide)")
    let narrow = headline(
      try layer([("ref", { 1e-3 * $0 })]), pageRequest(budget: 1e-9, loss: law))
    #expect(narrow.hasPrefix("No block size helps"), "\(narrow)")
    let small = headline(
      try layer([("ref", { 1e-3 * $0 })]), pageRequest(sizes: [1e9], loss: law))
    #expect(small.hasPrefix("Yes: all 1"), "\(small)")
    let open = headline(
      try layer([("ref", { 1e-3 * $0 })], blocks: [4, 8]),
      PageRequest(loss: law, lossFormat: "ref", lossBlock: "8", budget: 1, sizes: [1e9]))
    #expect(open.contains("no block above 16 was measured"), "\(open)")
    let far = headline(both, pageRequest(sizes: [1e9, 1e12], loss: law))
    #expect(far.contains("do not reach 1 trillion"), "\(far)")
    let missing = headline(both, pageRequest(loss: law, reference: "other"))
    #expect(missing.contains("other, block 32"), "\(missing)")
    let none = headline(both, pageRequest(loss: nil))
    #expect(none.contains("no loss data"), "\(none)")
  }

  @Test("Sizes, trends and intervals of the answer come from the figures")
  func sentences() throws {
    let data = try layer([("falling", { 1e-4 / $0 }), ("ref", { 1e-3 * $0 })])
    let analysis = SweepAnalysis(data, pageRequest(loss: try lossLaw()))
    let words = AnswerText(analysis)
    #expect(words.sizes.count == 2)
    #expect(words.sizes[0].contains("At 1 billion parameters"))
    #expect(words.sizes[0].contains("not needed by falling (every measured block"))
    #expect(words.sizes[0].contains("it is needed by ref (up to 6"))
    #expect(words.trends.contains { $0.contains("rises from 1 to 2") }, "\(words.trends)")
    #expect(words.trends.contains { $0.contains("For falling a smaller Q_b does harm") })
    let limits = AnswerText.limits(analysis, lossSource: "from somewhere")
    #expect(limits.contains("from somewhere"))
    #expect(limits.contains { $0.contains("independent") })
  }

  @Test("Names cannot become markup, and nothing is fetched")
  func hostile() throws {
    let names = [
      "<script>alert(1)</script>", "\"onmouseover=\"alert(2)", "a&b</title>", "'\u{1}\u{7f}",
      "]]>-->",
    ]
    let results = names.flatMap { name in
      [8, 16].map { result(name, "<b>f", block: $0, nmse: 0.1 * Double($0)) }
    }
    let data = SweepResults(
      results: results,
      tensors: try names.map { try tensorRecord($0, role: "weight", count: 64) },
      meta: ["command": "blockscale sweep '<img src=x>'"])
    let page = ReportPage(
      SweepAnalysis(data, pageRequest(loss: nil)), data: data, store: "<i>store",
      command: "blockscale report '</pre>'")
    let html = page.html
    for piece in ["<script>alert", "<img", "<i>", "<b>", "\"onmouseover", "</pre>'", "\u{1}"] {
      #expect(!html.contains(piece), "\(piece)")
    }
    #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(html.components(separatedBy: "<script>").count == 2)
    let other = html.replacing("http://www.w3.org/2000/svg", with: "")
    #expect(!other.contains("http://") && !other.contains("https://") && !other.contains("@import"))
    #expect(html.contains("default-src 'none'"))
  }

  @Test("Without results that have an error the page says so")
  func nothing() {
    let data = SweepResults(
      results: [result("x", "f", block: 8, nmse: nil)], tensors: [])
    let page = ReportPage(
      SweepAnalysis(data, pageRequest(loss: nil)), data: data, store: "s", command: "c")
    #expect(page.html.contains("cannot be told"))
    #expect(page.html.contains("no result with a relative error"))
    #expect(page.plots.isEmpty)
  }
}

import Reporting
import Sweep
import Testing

@Suite("What a page shows and how") struct PageViewTests {
  private func page(
    _ data: SweepResults, _ request: PageRequest, store: String = "s.sqlite",
    formatFiles: [String] = []
  ) -> ReportPage {
    ReportPage(
      SweepAnalysis(data, request), data: data, store: store,
      command: "blockscale report s.sqlite --output p.html", formatFiles: formatFiles)
  }

  private func titles(_ svg: String) -> [String] {
    svg.split(separator: "\n").compactMap { line in
      guard line.contains("class=\"mark"), let start = line.firstRange(of: "<title>"),
        let end = line.firstRange(of: "</title>")
      else { return nil }
      return String(line[start.upperBound..<end.lowerBound])
    }
  }

  private func drawing(_ page: ReportPage, _ name: String) throws -> String {
    try #require(page.plots.first { $0.name == name }).svg
  }

  @Test("Texts and table say which points no other beats")
  func front() throws {
    // The same bits, so that at each block only the finer one is on the front.
    let data = try layer([("coarse", { 2e-3 * $0 }), ("fine", { 1e-3 * $0 })], blocks: [8, 16])
    let page = page(data, pageRequest(loss: nil))
    let texts = titles(try drawing(page, "pareto-bits"))
    #expect(texts.count == 4, "\(texts)")
    for text in texts {
      #expect(
        text.hasSuffix("; on the Pareto front") == text.hasPrefix("fine"), "\(text)")
    }
    #expect(page.html.contains("<td>bits</td>") && page.html.contains("<td>no</td>"))
  }

  @Test("What equals a point of the front in both is on it too")
  func equals() throws {
    let data = try layer([("one", { 1e-3 * $0 }), ("two", { 1e-3 * $0 })], blocks: [8])
    let texts = titles(try drawing(page(data, pageRequest(loss: nil)), "pareto-bits"))
    #expect(texts.count == 2 && texts.allSatisfy { $0.hasSuffix("; on the Pareto front") })
  }

  @Test("Codebooks stay out of the gates and are named")
  func codebooks() throws {
    let data = try layer([("book", { 1e-3 * $0 }), ("plain", { 2e-3 * $0 })], blocks: [8])
    var request = pageRequest(loss: nil)
    request.cost = { format, _ in
      PageCost(gates: 100, relativeError: 0.1, isOfCodebook: format == "book")
    }
    let page = page(data, request)
    let texts = titles(try drawing(page, "pareto-gates"))
    #expect(texts.count == 1 && texts[0].hasPrefix("plain"), "\(texts)")
    #expect(texts[0].hasSuffix("; on the Pareto front"))
    #expect(page.html.contains("Left out: book, whose codebook values"))
    request.cost = { _, _ in PageCost(gates: 100, relativeError: 0.1) }
    #expect(!self.page(data, request).html.contains("Left out:"))
  }

  @Test("The largest of many tensors' differences are shown, and short names of long ones")
  func manyTensors() throws {
    let names = (0..<700).map { "a.rather.long.beginning.of.every.name.in.the.file.layer.\($0).w" }
    let results = names.enumerated().flatMap { index, name in
      // Every seventh errs twice as much as the others.
      [16, 32].map { result(name, "f", block: $0, nmse: index % 7 == 0 ? 2e-3 : 1e-3) }
    }
    let data = SweepResults(
      results: results,
      tensors: try names.map { try tensorRecord($0, role: "weight", count: 1024) })
    let heat = try #require(SweepAnalysis(data, pageRequest(loss: nil)).heat)
    #expect(heat.tensors.count == 600 && heat.leftOut == 100 && heat.cost.count == 600)
    #expect(
      names.enumerated().filter { $0.offset % 7 == 0 }.allSatisfy {
        heat.tensors.contains($0.element)
      })
    #expect(heat.tensors == names.filter(heat.tensors.contains), "the order of names")
    let html = page(data, pageRequest(loss: nil)).html
    #expect(html.contains("600 tensors that differ most") && html.contains("has 100 more"))
    #expect(html.contains(">….0.w</text>") || html.contains(">…0.w</text>"))
    #expect(html.contains("… at the beginning of a name stands for a.rather.long"))
    #expect(html.contains("(1 to 50)") && html.contains("(551 to 600)"))
    #expect(html.contains("Lighter is better") && html.contains("Lighter is more lost"))
  }

  @Test("Every command is shown with the store's name, and files of formats")
  func again() throws {
    var data = try layer([("f", { 1e-3 * $0 })], blocks: [8])
    data.meta = ["command": "blockscale sweep a", "command_2": "blockscale sweep b"]
    let html = page(
      data, pageRequest(loss: nil), store: "my store.sqlite", formatFiles: ["own.json5"]
    ).html
    #expect(
      html.contains(
        """
        <code>blockscale sweep a --store 'my store.sqlite'
        blockscale sweep b --store 'my store.sqlite'
        blockscale report s.sqlite --output p.html</code>
        """))
    #expect(
      html.contains("Format tables read beside the compiled-in one") && html.contains("own.json5"))
  }
}

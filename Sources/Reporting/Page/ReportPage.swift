import Foundation
import GoldenVectors
import Measurement
import ScalingLaws

/// The page of a sweep: one file of HTML that needs nothing else.
public struct ReportPage: Sendable {
  public var analysis: SweepAnalysis
  public var data: SweepResults
  /// The store's name as it was given.
  public var store: String
  /// The command that makes this page again.
  public var command: String
  /// Where the loss data come from, in words.
  public var lossSource: String?
  /// Files of formats that were read for the page.
  public var formatFiles: [String]

  public init(
    _ analysis: SweepAnalysis, data: SweepResults, store: String, command: String,
    lossSource: String? = nil, formatFiles: [String] = []
  ) {
    self.analysis = analysis
    self.data = data
    self.store = store
    self.command = command
    self.lossSource = lossSource
    self.formatFiles = formatFiles
  }

  /// The drawings as files: names without folder, and SVG.
  public var plots: [(name: String, svg: String)] {
    let plots = PagePlots(analysis: analysis)
    var all: [(String, Plot?)] = [
      ("budget", plots.budget), ("pareto-bits", plots.paretoBits),
      ("pareto-gates", plots.paretoGates),
    ]
    if let subject = analysis.subject {
      all.append(("curves", plots.curves(analysis.series, of: subject)))
    }
    for part in analysis.parts {
      all.append(("curves-\(part.subject.rawValue)", plots.curves(part.series, of: part.subject)))
    }
    all += [("layers", plots.heat()), ("layers-larger", plots.costHeat())]
    all += plots.scales.map { ("scales-\($0.name)", $0.plot) }
    all.append(("tensors", plots.errors))
    return all.compactMap { name, plot in plot.map { (name, $0.svg()) } }
  }

  /// Whether a drawing of some page has a file of this name.
  public static func isPlot(name: String) -> Bool {
    guard name.hasSuffix(".svg") else { return false }
    let stem = name.dropLast(4)
    let fixed = ["budget", "pareto-bits", "pareto-gates", "layers", "layers-larger", "tensors"]
    return fixed.contains(String(stem)) || stem == "curves" || stem.hasPrefix("curves-")
      || stem.hasPrefix("scales-")
  }

  /// The page.
  public var html: String {
    let sections: [(id: String, title: String, text: String)] = [
      ("answer", "The answer", answer), ("budget", "The largest Q_b by model size", budget),
      ("pareto", "Error against cost", pareto), ("curves", "Error against Q_b", curves),
      ("distributions", "Which distributions", distributions),
      ("layers", "Layer by layer", layers), ("scales", "Scales", scales),
      ("errors", "Errors of single tensors", errors),
      ("smaller", "Where a smaller block errs more", smaller),
      ("recipes", "Recipes", recipes), ("table", "All results", table),
      ("again", "How to make this again", again),
    ].filter { !$0.2.isEmpty }
    var page = HTMLWriter()
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"\(Self.policy)\">")
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
    page.raw("<meta name=\"generator\" content=\"blockscale \(toolVersion)\">")
    page.raw("<title>\(HTMLWriter.escaped(title))</title>")
    page.raw("<style>\n\(PageStyle.css)\(PlotStyle.css)</style>\n</head>\n<body>\n<header>")
    page.heading(1, title)
    page.paragraph(subtitle, style: "soft")
    let links = sections.map {
      "<li><a href=\"#\($0.id)\">\(HTMLWriter.escaped($0.title))</a></li>"
    }
    page.raw("</header>\n<nav aria-label=\"Sections\"><ul>\(links.joined())</ul></nav>\n<main>")
    for section in sections {
      page.raw("<section id=\"\(section.id)\" aria-labelledby=\"\(section.id)-title\">")
      page.raw("<h2 id=\"\(section.id)-title\">\(HTMLWriter.escaped(section.title))</h2>")
      page.raw(section.text + "</section>")
    }
    page.raw("</main>\n<script>\(PageScript.text)</script>\n</body>\n</html>")
    return page.text
  }

  private var title: String {
    let name = store.split(separator: "/").last.map(String.init) ?? store
    return "Block sizes compared: \(name)"
  }

  private var subtitle: String {
    let formats = Set(data.results.map(\.format)).count
    let blocks = Set(data.results.map(\.block)).count
    return "\(PageNumber.plural(data.results.count, "result")) of"
      + " \(PageNumber.plural(data.tensors.count, "tensor")) in"
      + " \(PageNumber.plural(formats, "format")) at \(PageNumber.plural(blocks, "block size"))."
      + " N: parameters of a model. Q_b: elements that share a scale. Q_r: share of weights in low"
      + " precision. NMSE: squared error over squared signal, without unit. δ: rise of the loss in"
      + " nats, ln(perplexity after / before)."
  }

  /// No network, no frames, no script but the page's own.
  static var policy: String {
    var hash = SHA256()
    hash.update([UInt8](PageScript.text.utf8))
    let digits = Array(hash.hexadecimal())
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
    return "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"
      + Data(bytes).base64EncodedString() + "'; base-uri 'none'; form-action 'none'"
  }
}

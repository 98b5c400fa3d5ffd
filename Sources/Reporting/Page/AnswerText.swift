import ScalingLaws

/// The answer to the page's question in sentences, each made from the figures.
public struct AnswerText: Sendable {
  private let analysis: SweepAnalysis
  private var verdicts: [BlockVerdict] { analysis.verdicts }
  private var small: String { PageNumber.elements(analysis.request.small) }

  public init(_ analysis: SweepAnalysis) { self.analysis = analysis }

  /// One line: yes, no, or what it depends on.
  public var headline: String {
    guard !verdicts.isEmpty else {
      return "Whether a small Q_b is essential for the loss cannot be told: "
        + (analysis.obstacle ?? "no model sizes were given") + "."
    }
    let needs: [BlockVerdict.Need] = [.notNeeded, .needed, .noneSuffices, .unmeasured]
    let counts = needs.map { need in verdicts.filter { $0.need == need }.count }
    let cases = "combinations of model size and format"
    if counts[0] == verdicts.count {
      return "No: none of the \(verdicts.count) \(cases) needs a Q_b of \(small) or less."
    }
    if counts[1] == verdicts.count {
      return "Yes: all \(verdicts.count) \(cases) need a Q_b of \(small) or less."
    }
    if counts[2] == verdicts.count {
      return
        "No block size helps: not one of the \(verdicts.count) \(cases) meets the budget at any"
        + " measured block."
    }
    if counts[3] == verdicts.count {
      return
        "Whether a small Q_b is essential cannot be told: no block above \(small) was measured."
    }
    return detailed
  }

  /// How many formats belong where, by model size.
  private var detailed: String {
    let sizes = analysis.request.sizes
    func told(_ need: BlockVerdict.Need) -> String {
      let found = sizes.compactMap { n -> String? in
        let own = verdicts.filter { $0.n == n && $0.need == need }
        let unsure = own.count { !$0.isCertain }
        let doubt = unsure == 0 ? "" : unsure == own.count ? " (unsure)" : " (\(unsure) unsure)"
        return own.isEmpty ? nil : "\(own.count)\(doubt) at \(PageNumber.parameters(n))"
      }
      return found.isEmpty ? "none" : PageNumber.list(found) + " parameters"
    }
    return
      "It depends on model size and format. Of \(analysis.series.count) formats the budget is met"
      + " with a Q_b above \(small) by \(told(.notNeeded)); only with \(small) or less by"
      + " \(told(.needed)); and with no measured block by \(told(.noneSuffices))."
      + (verdicts.contains { $0.need == .unmeasured }
        ? " No block above \(small) was measured of \(told(.unmeasured)) that meet it." : "")
      + beyond
  }

  /// Which model sizes the loss data do not reach.
  private var beyond: String {
    let sizes = analysis.request.sizes.filter(analysis.isBeyondData).map(PageNumber.parameters)
    guard !sizes.isEmpty else { return "" }
    return " The loss data do not reach \(PageNumber.list(sizes)): there the law is extrapolated."
  }

  /// A sentence for each model size.
  public var sizes: [String] {
    analysis.request.sizes.compactMap { n in
      let own = verdicts.filter { $0.n == n }
      guard !own.isEmpty else { return nil }
      var parts: [String] = []
      let free = own.filter { $0.need == .notNeeded }
      if !free.isEmpty { parts.append("a small Q_b is not needed by \(named(free))") }
      let needing = own.filter { $0.need == .needed }
      if !needing.isEmpty { parts.append("it is needed by \(named(needing))") }
      let none = own.filter { $0.need == .noneSuffices }
      if !none.isEmpty {
        let which = PageNumber.list(none.map { $0.format + ($0.isCertain ? "" : " (unsure)") })
        parts.append("no measured block is enough for \(which)")
      }
      let open = own.filter { $0.need == .unmeasured }.map(\.format)
      if !open.isEmpty {
        parts.append("no block above \(small) was measured of \(PageNumber.list(open))")
      }
      return "At \(PageNumber.parameters(n)) parameters: " + parts.joined(separator: "; ") + "."
    }
  }

  /// What model size and format change.
  public var trends: [String] {
    var sentences: [String] = []
    if let first = analysis.request.sizes.first, let last = analysis.request.sizes.last,
      first < last, !verdicts.isEmpty
    {
      func free(_ n: Double) -> Int {
        verdicts.filter { $0.n == n && $0.need == .notNeeded }.count
      }
      let (a, b) = (free(first), free(last))
      let word =
        a < b ? "rises from \(a) to \(b)" : a > b ? "falls from \(a) to \(b)" : "stays \(a)"
      sentences.append(
        "From \(PageNumber.parameters(first)) to \(PageNumber.parameters(last)) parameters the number"
          + " of formats, of \(analysis.series.count), that do without a small Q_b \(word).")
    }
    let always = analysis.series.map(\.format).filter { format in
      let own = verdicts.filter { $0.format == format }
      return !own.isEmpty && own.allSatisfy { $0.need == .notNeeded }
    }
    if !always.isEmpty {
      let verb = always.count == 1 ? "does" : "do"
      sentences.append("At every size asked for, \(PageNumber.list(always)) \(verb) without.")
    }
    let falling = analysis.series.filter { $0.points.count > 1 && $0.curve.trend == .falls }
    if !falling.isEmpty {
      sentences.append(
        "For \(PageNumber.list(falling.map(\.format))) a smaller Q_b does harm: the error falls at"
          + " every step to a larger block.")
    }
    let uneven = analysis.series.filter { $0.points.count > 1 && $0.curve.trend == .neither }
    if !uneven.isEmpty {
      let best = uneven.map { series in
        let least = series.points.min { $0.error < $1.error }
        return "\(series.format) (least error at \(least.map(\.block) ?? "?"))"
      }
      sentences.append("The error does not rise throughout for \(PageNumber.list(best)).")
    }
    return sentences
  }

  /// What the distribution of the numbers changes.
  public var distributions: [String] {
    let classes = analysis.distributions.compactMap { group -> (DistributionClass, Double)? in
      let growths = group.rows.compactMap(\.growth)
      return growths.isEmpty ? nil : (group, quantile(growths, 0.5))
    }
    guard let least = classes.min(by: { $0.1 < $1.1 }),
      let most = classes.max(by: { $0.1 < $1.1 })
    else { return [] }
    func told(_ group: (DistributionClass, Double)) -> String {
      let crest = group.0.crest.map {
        " (crest factor \(PageNumber.fixed($0.lowerBound, 2)) to"
          + " \(PageNumber.fixed($0.upperBound, 2)))"
      }
      return "\(group.0.name.lowercased())\(crest ?? ""): × \(PageNumber.fixed(group.1, 2))"
    }
    let (small, large) = (least.0.small, least.0.large)
    let step = "from a Q_b of \(PageNumber.elements(small)) to \(PageNumber.elements(large))"
    guard classes.count > 1 else {
      return ["Going \(step) multiplies the error, median over formats, of \(told(least))."]
    }
    var sentences = [
      "Going \(step) multiplies the error, median over formats, least for \(told(least)), and most for"
        + " \(told(most))."
    ]
    guard let n = least.0.n else { return sentences }
    let free = classes.map { group, _ in
      Set(group.rows.filter { $0.need == .notNeeded }.map(\.format))
    }
    let place = "At \(PageNumber.parameters(n)) parameters"
    let total = least.0.rows.count
    let all = free.reduce(into: Set<String>()) { $0.formUnion($1) }
    let deciding = all.filter { format in !free.allSatisfy { $0.contains(format) } }.sorted()
    guard !deciding.isEmpty else {
      sentences.append(
        "\(place) the same \(all.count) of \(total) formats would do without a small Q_b, whichever of"
          + " the kinds of tensors below every operand were like.")
      return sentences
    }
    let each = zip(free, classes).map { "\($0.count) for \($1.0.name.lowercased())" }
    sentences.append(
      "\(place) the distribution decides for \(PageNumber.list(deciding)): if every operand were alike,"
        + " so many of \(total) formats would do without a small Q_b: \(PageNumber.list(each)).")
    return sentences
  }

  /// Formats with how far they go, those that stop at no measured block together.
  private func named(_ verdicts: [BlockVerdict]) -> String {
    var words: [String] = []
    var open: [String] = []
    for verdict in verdicts {
      let unsure = verdict.isCertain ? "" : ", unsure"
      if case .allMeasured = verdict.largest.value {
        open.append(verdict.format + (verdict.isCertain ? "" : " (unsure)"))
      } else {
        words.append(
          "\(verdict.format) (up to \(PageNumber.block(verdict.largest.value))\(unsure))")
      }
    }
    let joined = PageNumber.list(words)
    guard !open.isEmpty else { return joined }
    let all = "\(PageNumber.list(open)) (every measured block is within the budget)"
    return words.isEmpty ? all : "\(joined), or by \(all)"
  }
}

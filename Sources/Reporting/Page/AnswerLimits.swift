import ScalingLaws

extension AnswerText {
  /// What the answer takes for granted, and where it reaches beyond its data.
  ///
  /// - Parameter lossSource: where the loss data come from, in words.
  public static func limits(_ analysis: SweepAnalysis, lossSource: String?) -> [String] {
    guard let subject = analysis.subject else { return [] }
    var items = ["Errors are those of \(subject.words), each weighted by its parameters."]
    if subject == .layers {
      items.append(
        "Adding a weight's and an activation's error takes them for independent and small; measured"
          + " products (sweep --product) need neither.")
    }
    if subject.operands == 1, analysis.plan != nil {
      items.append(
        "Only \(subject.words) were measured: the other operands are taken to err in the same"
          + " proportion as the format of the loss data does, and δ is of both quantised.")
    }
    items += methods(analysis)
    if let plan = analysis.plan { items += self.limits(plan.loss, analysis, lossSource) }
    let left = analysis.series.map(\.leftOut).max() ?? 0
    if left > 0 {
      items.append(
        "Left out of the curves: \(PageNumber.plural(left, "layer")) (or tensors) without results at"
          + " some block or with lines shorter than one.")
    }
    if analysis.undefined > 0 {
      items.append(
        "Results without a relative error, as where a tensor is zero throughout:"
          + " \(PageNumber.plural(analysis.undefined, "result")).")
    }
    if analysis.nonFinite > 0 {
      items.append(
        "Holding NaN or infinity, which with the blocks that they spoil are left out of errors:"
          + " \(PageNumber.plural(analysis.nonFinite, "tensor")).")
    }
    if !analysis.nonFiniteProducts.isEmpty {
      let told = analysis.nonFiniteProducts.sorted { $0.key < $1.key }.map {
        "\($0.key) (\(PageNumber.plural($0.value, "product")))"
      }
      items.append(
        "With outputs that are NaN or infinite, which are left out of errors:"
          + " \(PageNumber.list(told)).")
    }
    let isCostKnown = analysis.series.contains { series in
      series.points.contains { analysis.request.cost(series.format, $0.block) != nil }
    }
    if !isCostKnown {
      items.append("Gates are not known to this page.")
    } else {
      items.append(
        "Gates are NAND2 equivalents of combinational logic per multiply-accumulate, by a model fitted"
          + " to synthesis results; registers, memories, the quantiser and timing are not in them.")
    }
    return items
  }

  /// How the numbers were quantised where that is not the sweep's own way, and on what where formats
  /// differ in that.
  private static func methods(_ analysis: SweepAnalysis) -> [String] {
    var items: [String] = []
    let methods = Dictionary(grouping: analysis.series, by: \.method)
    if methods.keys.contains(where: { $0 != "exact" }) {
      let told = methods.sorted { $0.key < $1.key }.map { method, series in
        "\(method) for \(PageNumber.list(series.map(\.format)))"
      }
      items.append(
        "Of the ways measured, these stand for the formats: \(told.joined(separator: "; ")).")
    }
    let units = Dictionary(grouping: analysis.series, by: \.units)
    if units.count > 1 {
      let told = units.sorted { $0.key < $1.key }.map { count, series in
        "\(count) for \(PageNumber.list(series.map(\.format)))"
      }
      items.append(
        "Formats were not measured on the same number of tensors, layers or products:"
          + " \(told.joined(separator: "; ")). Compare them with care.")
    }
    return items
  }

  private static func limits(
    _ loss: LossLaw, _ analysis: SweepAnalysis, _ source: String?
  ) -> [String] {
    let request = analysis.request
    var items = [
      "The ratio of errors measured on these tensors is taken for that of every model size; the loss is"
        + " taken to follow the squared error (linearity theorem, arXiv 2411.17525), which holds for"
        + " small losses.",
      "Intervals are those of the loss law alone, 95 %"
        + (loss.rSquared.map { ", R² of ln δ \(PageNumber.fixed($0, 3))" } ?? "")
        + "; measured errors count as exact.",
    ]
    if let source { items.append(source) }
    let sizes = loss.sizes
    let outside = request.sizes.filter { !sizes.contains($0 / 1e9) }
    if !outside.isEmpty {
      items.append(
        "Beyond the loss data's models (\(PageNumber.parameters(sizes.lowerBound * 1e9)) to"
          + " \(PageNumber.parameters(sizes.upperBound * 1e9)) parameters):"
          + " \(PageNumber.list(outside.map(PageNumber.parameters))).")
    }
    if !loss.knowsRatio {
      items.append(
        "The loss data have one Q_r, \(PageNumber.compact(loss.ratios.upperBound)): δ is at that share of"
          + " quantised weights, not at 1.")
    }
    if loss.knowsRatio, loss.ratios.upperBound < 1 {
      items.append(
        "Every weight is quantised (Q_r = 1); the loss data reach Q_r ="
          + " \(PageNumber.compact(loss.ratios.upperBound)).")
    }
    return items
  }
}

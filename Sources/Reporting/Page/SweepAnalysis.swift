import ScalingLaws

/// What a sweep's results say: everything that a page tells, before any of its words.
public struct SweepAnalysis: Sendable {
  public var request: PageRequest
  /// Which errors the answer rests on; nil where nothing was measured that has an error.
  public var subject: ErrorSubject?
  /// Of the answer, one for each format.
  public var series: [ErrorSeries]
  /// Weights and activations apart, where the answer joins them.
  public var parts: [(subject: ErrorSubject, series: [ErrorSeries])]
  public var verdicts: [BlockVerdict]
  /// Why there are no verdicts; nil where there are.
  public var obstacle: String?
  /// The error of the loss data's format and block.
  public var referenceError: Double?
  public var distributions: [DistributionClass]
  public var recipes: [MethodDifference]
  public var losses: SmallerBlockLosses
  public var scales: [ScaleSpread]
  public var tensorErrors: [TensorErrors]
  /// Tensors or layers, in their order, of the heat maps.
  public var heat: LayerHeat?
  /// Results without an error, such as those of tensors that are zero throughout.
  public var undefined: Int
  /// Tensors that hold NaN or infinity.
  public var nonFinite: Int
  /// Formats of products with outputs that are NaN or infinite, with the number of such products.
  public var nonFiniteProducts: [String: Int]

  public init(_ data: SweepResults, _ request: PageRequest) {
    self.request = request
    let baseline = Baseline(data)
    let own = baseline.results
    let builder = SeriesBuilder(own)
    subject = builder.subject
    series = subject.map { builder.series($0) } ?? []
    let operands = subject.map(builder.operands) ?? [:]
    parts = Self.parts(builder, subject, operands)
    let spoilt = data.results.filter { $0.nonFinite > 0 }
    nonFinite = Set(spoilt.filter { !$0.isProduct }.map(\.tensor)).count
    nonFiniteProducts = Dictionary(grouping: spoilt.filter(\.isProduct), by: \.format)
      .mapValues(\.count)
    undefined = data.results.filter { $0.nmse == nil }.count
    verdicts = []
    distributions = []
    (obstacle, referenceError) = Self.reference(subject, series, request)
    losses = SmallerBlockLosses(own, scale: request.scale)
    recipes = MethodDifference.all(data, baseline: baseline.methods)
    scales = ScaleSpread.all(own, small: request.small, scale: request.scale)
    tensorErrors = TensorErrors.all(own, small: request.small)
    heat = LayerHeat(own, small: request.small)
    let plan = self.plan
    if let plan {
      verdicts = request.sizes.flatMap { n in
        series.compactMap { Self.verdict($0, plan, n: n, request) }
      }
    }
    distributions = DistributionClass.all(
      own, builder, request, plan: plan, of: operands, operands: subject?.operands ?? 1)
  }

  /// Weights and activations of the layers apart, and attention beside them.
  private static func parts(
    _ builder: SeriesBuilder, _ subject: ErrorSubject?, _ operands: [String: Double]
  ) -> [(subject: ErrorSubject, series: [ErrorSeries])] {
    guard subject == .layers || subject == .products else { return [] }
    let apart = [ErrorSubject.weights, .activations].map { part in
      (part, builder.series(part, of: operands))
    }
    return (apart + [(.attention, builder.series(.attention))]).filter { !$0.1.isEmpty }
  }

  /// Whether a model size lies outside the loss data's models.
  public func isBeyondData(_ n: Double) -> Bool {
    request.loss.map { !$0.sizes.contains(n / 1e9) } ?? false
  }

  /// The plan that verdicts are read from; nil without a loss law or its reference.
  public var plan: BudgetPlan? {
    guard let loss = request.loss, let referenceError else { return nil }
    return BudgetPlan(loss: loss, referenceError: referenceError, budget: request.budget)
  }

  /// Whether the series hold more than one block size.
  public var hasSeveralBlocks: Bool { series.contains { $0.points.count > 1 } }

  private static func reference(
    _ subject: ErrorSubject?, _ series: [ErrorSeries], _ request: PageRequest
  ) -> (obstacle: String?, error: Double?) {
    guard !series.isEmpty else { return ("the store holds no result with an error", nil) }
    guard subject != .attention else {
      return (
        "only products of two activations were measured, and the loss data are of weights", nil
      )
    }
    guard request.loss != nil else { return ("no loss data were given", nil) }
    let name = "\(request.lossFormat), block \(request.lossBlock)"
    guard
      let point = series.first(where: { $0.format == request.lossFormat })?.curve
        .point(block: request.lossBlock)
    else {
      return (
        "the loss data are of \(name), and the store holds no results of it for every layer: add"
          + " it to the sweep, or name other loss data", nil
      )
    }
    guard point.error > 0 else { return ("the error of \(name) is 0", nil) }
    return (nil, point.error)
  }

  private static func verdict(
    _ series: ErrorSeries, _ plan: BudgetPlan, n: Double, _ request: PageRequest
  ) -> BlockVerdict? {
    guard let first = series.points.first else { return nil }
    let small = series.point(atMost: request.small) ?? first
    let largest = plan.row(series.planned, n: n, ownBlock: "").block
    let needs = [largest.low, largest.value, largest.high].map {
      BlockVerdict.need($0, small: request.small)
    }
    let chosen = largest.value.blockSize.flatMap { series.point(atMost: $0) }
    // Where only the line between two measured blocks lies above the small one, none was seen to do.
    let isSeen = needs[1] != .notNeeded || (chosen?.blockSize ?? 0) > request.small
    let shown = chosen ?? series.points.min { $0.error < $1.error }
    return BlockVerdict(
      n: n, format: series.format, largest: largest, need: needs[1],
      isCertain: Set(needs).count == 1 && isSeen,
      isSmallWorse: series.points.count > 1 && series.curve.trend == .falls,
      chosen: chosen, small: small,
      delta: shown.flatMap {
        plan.delta(.measured(series.curve), n: n, ratio: 1, blockSize: $0.blockSize)
      },
      chosenCost: chosen.flatMap { request.cost(series.format, $0.block) },
      smallCost: request.cost(series.format, small.block))
  }
}

/// The results of one method for each format: of those that change neither numbers nor rounding, and
/// were measured about as widely as any, `exact` or the first by name.
struct Baseline {
  var results: SweepResults
  /// By format; products and tensors apart.
  var methods: [Key: String]

  struct Key: Hashable {
    var format: String
    var isProduct: Bool
  }

  init(_ data: SweepResults) {
    var found: [Key: [String: Method]] = [:]
    for result in data.results {
      let none = Method(count: 0, isUnusual: result.isUnusual)
      found[Self.key(result), default: [:]][result.method, default: none].count += 1
    }
    let methods = found.mapValues(Self.usual)
    self.methods = methods
    results = data
    results.results = data.results.filter { methods[Self.key($0)] == $0.method }
  }

  private struct Method {
    var count: Int
    var isUnusual: Bool
  }

  private static func usual(_ methods: [String: Method]) -> String {
    let plain = methods.filter { !$0.value.isUnusual }
    let pool = plain.isEmpty ? methods : plain
    let most = pool.values.map(\.count).max() ?? 0
    let wide = pool.filter { 10 * $0.value.count >= 9 * most }.keys
    return wide.contains("exact") ? "exact" : wide.min() ?? ""
  }

  static func key(_ result: PageResult) -> Key {
    Key(format: result.format, isProduct: result.isProduct)
  }
}

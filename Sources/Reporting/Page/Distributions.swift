import FoundationEssentials
import ScalingLaws
import Sweep

/// Tensors whose numbers are alike, and how the formats take to them.
public struct DistributionClass: Sendable {
  public struct Row: Sendable {
    public var format: String
    /// The error at the large block over that at the small one.
    public var growth: Double?
    /// Up to which block the budget holds if every operand were distributed like these; nil without
    /// a plan.
    public var largest: LargestBlock?
    public var need: BlockVerdict.Need?
  }
  public var name: String
  public var tensors: Int
  /// Whether they are the operands of the layers that the answer rests on, and only those.
  public var isOfLayers: Bool
  /// Median of amax/rms over blocks of 32, the least and the largest of the tensors.
  public var crest: ClosedRange<Double>?
  public var rows: [Row]
  /// The blocks compared.
  public var small: Double
  public var large: Double
  /// The model size of `largest`.
  public var n: Double?

  /// - Parameters:
  ///   - layers: the operands of the layers that the answer rests on, with the layers' parameters;
  ///     empty where it rests on tensors.
  ///   - operands: how many quantised operands the answer's errors are of.
  static func all(
    _ data: SweepResults, _ builder: SeriesBuilder, _ request: PageRequest, plan: BudgetPlan?,
    of layers: [String: Double], operands: Double
  ) -> [DistributionClass] {
    let sizes = Set(data.results.filter { !$0.isProduct }.compactMap(\.blockSize)).map(Double.init)
    guard let (small, large) = comparedBlocks(sizes, small: request.small) else { return [] }
    let n = request.sizes.isEmpty ? nil : request.sizes[request.sizes.count / 2]
    let known = layers.isEmpty ? Self.sizes(data) : layers
    let plan = layers.isEmpty ? plan : plan.flatMap { tensorPlan($0, builder, request, known) }
    return groups(data, known).compactMap { name, members in
      let names = Set(members.map(\.name))
      let series = builder.series(.tensors, of: known.filter { names.contains($0.key) })
      guard !series.isEmpty else { return nil }
      let crests = members.compactMap(crest)
      let rows = series.map { series -> Row in
        func error(_ size: Double) -> Double? {
          series.points.first { Double($0.block) == size }?.error
        }
        var row = Row(format: series.format)
        if let below = error(small), let above = error(large), below > 0 {
          row.growth = above / below
        }
        if let plan, let n, let block = allowed(series, plan, n: n, operands) {
          row.largest = block
          row.need = BlockVerdict.need(block, small: request.small)
        }
        return row
      }
      return DistributionClass(
        name: name, tensors: members.count, isOfLayers: !layers.isEmpty,
        crest: crests.min().flatMap { low in crests.max().map { low...$0 } }, rows: rows,
        small: small, large: large, n: plan == nil ? nil : n)
    }
  }

  /// The plan with the loss format's error on the tensors themselves for its reference, as a product's
  /// error is not the sum of its operands'.
  private static func tensorPlan(
    _ plan: BudgetPlan, _ builder: SeriesBuilder, _ request: PageRequest, _ known: [String: Double]
  ) -> BudgetPlan? {
    let series = builder.series(.tensors, of: known).first { $0.format == request.lossFormat }
    guard let point = series?.curve.point(block: request.lossBlock), point.error > 0 else {
      return nil
    }
    var plan = plan
    plan.referenceError = 2 * point.error
    return plan
  }

  private static func allowed(
    _ series: ErrorSeries, _ plan: BudgetPlan, n: Double, _ operands: Double
  ) -> LargestBlock? {
    let points = series.curve.points.map {
      ErrorCurve.Point(
        block: $0.block, blockSize: $0.blockSize, error: operands * $0.error,
        bitsPerElement: $0.bitsPerElement)
    }
    guard
      let curve = try? ErrorCurve(format: series.format, points: points, file: "the store")
    else { return nil }
    return plan.row(.measured(curve), n: n, ownBlock: "").block.value
  }

  private static func sizes(_ data: SweepResults) -> [String: Double] {
    let counts = data.results.filter { !$0.isProduct }.map { ($0.tensor, Double($0.count)) }
    return Dictionary(counts, uniquingKeysWith: { first, _ in first })
  }

  /// Weights and activations, then thirds of all tensors by their crest factors.
  private static func groups(
    _ data: SweepResults, _ known: [String: Double]
  ) -> [(name: String, members: [TensorRecord])] {
    let measured = Set(
      data.results.filter { !$0.isProduct && known[$0.tensor] != nil }.map(\.tensor))
    let tensors = data.tensors.filter { measured.contains($0.name) }
    var groups: [(name: String, members: [TensorRecord])] = []
    for (role, name) in [("weight", "Weights"), ("activation", "Activations")] {
      let members = tensors.filter { $0.role == role }
      if !members.isEmpty { groups.append((name, members)) }
    }
    let known = tensors.filter { crest($0) != nil }.sorted { (crest($0) ?? 0) < (crest($1) ?? 0) }
    guard known.count >= 6 else { return groups }
    let names = ["Low crest factors", "Middling crest factors", "High crest factors"]
    for (third, name) in names.enumerated() {
      let range = known.count * third / 3..<known.count * (third + 1) / 3
      groups.append((name, Array(known[range])))
    }
    return groups
  }

  /// The median crest factor of a tensor's blocks of 32.
  static func crest(_ tensor: TensorRecord) -> Double? {
    guard let text = tensor.crestQuantiles else { return nil }
    return (try? JSONDecoder().decode([String: Double].self, from: Data(text.utf8)))?["0.5"]
  }
}

/// Two measured block sizes that show what a larger one costs: the largest that counts as small, and
/// the largest of at most 8 times that; nil where there are no two.
func comparedBlocks(_ sizes: [Double], small: Double) -> (small: Double, large: Double)? {
  guard let small = sizes.filter({ $0 <= small }).max() ?? sizes.min(),
    let large = sizes.filter({ $0 > small && $0 <= 8 * small }).max()
      ?? sizes.filter({ $0 > small }).min()
  else { return nil }
  return (small, large)
}

/// The errors of single tensors in one format at the small block.
public struct TensorErrors: Sendable {
  public var format: String
  public var block: String
  /// Signal over quantisation noise in dB, with the tensor's name, ascending.
  public var tensors: [(name: String, decibels: Double)]
  /// Shares of all elements: beyond the largest code, made zero.
  public var saturated: Double
  public var flushed: Double

  public func quantile(_ share: Double) -> Double {
    Reporting.quantile(tensors.map(\.decibels), share)
  }

  static func all(_ data: SweepResults, small: Double) -> [TensorErrors] {
    let own = data.results.filter { !$0.isProduct }
    return atSmallBlock(own, small).map { format, block, results in
      let known = results.compactMap { result -> (name: String, decibels: Double)? in
        guard let nmse = result.nmse, nmse > 0 else { return nil }
        return (result.tensor, decibels(nmse))
      }.sorted { ($0.decibels, $0.name) < ($1.decibels, $1.name) }
      let count = Double(max(1, results.reduce(0) { $0 + $1.count }))
      return TensorErrors(
        format: format, block: block, tensors: known,
        saturated: Double(results.reduce(0) { $0 + $1.saturated }) / count,
        flushed: Double(results.reduce(0) { $0 + $1.flushed }) / count)
    }.filter { !$0.tensors.isEmpty }
  }

  /// Each format's results at its largest block of at most `small` elements, or its first block.
  static func atSmallBlock(
    _ results: [PageResult], _ small: Double
  ) -> [(format: String, block: String, results: [PageResult])] {
    Dictionary(grouping: results, by: \.format).sorted { $0.key < $1.key }.map { format, own in
      func size(_ result: PageResult) -> Double { result.blockSize.map(Double.init) ?? .infinity }
      let best =
        own.filter { size($0) <= small }.max { size($0) < size($1) }
        ?? own.min { (size($0), $0.block) < (size($1), $1.block) }
      let block = best?.block ?? ""
      return (format, block, own.filter { $0.block == block })
    }
  }
}

import ScalingLaws
import Sweep

/// Which errors stand for a model's.
public enum ErrorSubject: String, Sendable, CaseIterable {
  /// Measured products of activations and weights.
  case products
  /// Weight plus activation of each layer: the product's error where the two are independent.
  case layers
  case weights
  /// Measured products of two activations, to which no loss data apply.
  case attention
  case activations
  /// Tensors that are neither.
  case tensors

  /// What the error is of, in words.
  public var words: String {
    switch self {
    case .products: "measured products of activations and weights"
    case .layers: "weight error plus activation error of each linear layer"
    case .weights: "weights"
    case .attention: "measured products of two activations (attention)"
    case .activations: "activations"
    case .tensors: "tensors"
    }
  }

  /// How many quantised operands the error is of.
  public var operands: Double {
    switch self {
    case .products, .layers, .attention: 2
    case .weights, .activations, .tensors: 1
    }
  }
}

/// A format's error against its block size, with all that was measured joined.
public struct ErrorSeries: Sendable {
  public struct Point: Sendable {
    public var block: String
    /// Elements that share a scale, on average.
    public var blockSize: Double
    /// Mean NMSE of the units, each weighted by its parameters.
    public var error: Double
    /// The 10 % and the 90 % quantile over units, weighted likewise.
    public var low: Double
    public var high: Double
    public var bitsPerElement: Double
  }
  public var format: String
  public var method: String
  /// By block size, ascending.
  public var points: [Point]
  /// Layers, tensors or products measured at every point.
  public var units: Int
  /// Units left out, as one of the blocks has no result of them or is longer than their lines.
  public var leftOut: Int
  public var curve: ErrorCurve
  public var law: BlockSizeLaw?
  /// What answers are read from: the measured points, so that a block and its loss agree.
  public var planned: PlannedError { .measured(curve) }
  /// Whether the law follows the measured points closely enough to stand for them.
  public var followsLaw: Bool { (law?.fit.rms ?? .infinity) <= BlockSizeLaw.tolerance }

  /// The point with the largest block of at most `size` elements; nil where all are larger.
  public func point(atMost size: Double) -> Point? {
    points.last { $0.blockSize <= size * (1 + 1e-9) }
  }
}

/// One unit's error in one way: a tensor's, a layer's or a product's.
struct UnitSample {
  var error: Double
  var bits: Double
  var weight: Double
  /// Elements that share a scale.
  var blockSize: Double
  /// Whether lines are long enough for the block.
  var fillsBlocks: Bool
}

/// Joins results to series.
struct SeriesBuilder {
  private struct Way: Hashable {
    var format: String
    var method: String
  }
  private struct Name: Hashable {
    var tensor: String
    var other: String?
  }
  private var ways: [Way] = []
  private var cells: [Way: [String: [Name: PageResult]]] = [:]
  private var sizes: [String: Int] = [:]
  private var roles: [String: String] = [:]
  private var weightSizes: [String: Double] = [:]
  /// Stems of layers: `stem.weight` meets `stem.input`.
  private(set) var layers: [String] = []

  init(_ data: SweepResults) {
    for record in data.tensors {
      sizes[record.hash] = record.count
      roles[record.name] = record.role
      weightSizes[record.name] = Double(record.count)
    }
    for result in data.results {
      let way = Way(format: result.format, method: result.method)
      if cells[way] == nil { ways.append(way) }
      let name = Name(tensor: result.tensor, other: result.other)
      cells[way, default: [:]][result.block, default: [:]][name] = result
    }
    ways.sort { ($0.format, $0.method) < ($1.format, $1.method) }
    let names = Set(data.results.filter { !$0.isProduct }.map(\.tensor))
    layers = names.filter { $0.hasSuffix(".weight") }.map { String($0.dropLast(7)) }
      .filter { names.contains("\($0).input") }.sorted()
  }

  /// The most telling subject that there are results of.
  var subject: ErrorSubject? {
    ErrorSubject.allCases.first { !series($0).isEmpty }
  }

  /// One series for each format and method.
  ///
  /// - Parameter names: takes only these tensors, with these weights.
  func series(_ subject: ErrorSubject, of names: [String: Double]? = nil) -> [ErrorSeries] {
    ways.compactMap { way in
      var blocks: [(block: String, units: [String: UnitSample])] = []
      for (block, results) in (cells[way] ?? [:]).sorted(by: { $0.key < $1.key }) {
        let units = self.units(results, subject, names)
        if !units.isEmpty { blocks.append((block, units)) }
      }
      return Self.joined(blocks, way)
    }
  }

  private static func joined(
    _ blocks: [(block: String, units: [String: UnitSample])], _ way: Way
  ) -> ErrorSeries? {
    guard let first = blocks.first else { return nil }
    var common = Set(first.units.keys)
    var all = common
    for block in blocks {
      common.formIntersection(block.units.keys)
      all.formUnion(block.units.keys)
    }
    // Their numbers at such blocks are those of a smaller one.
    let whole = common.filter { name in blocks.allSatisfy { $0.units[name]?.fillsBlocks ?? false } }
    let order = (whole.isEmpty ? common : whole).sorted()
    let points = blocks.compactMap { block, units -> ErrorSeries.Point? in
      point(block, order.compactMap { units[$0] })
    }.sorted { $0.blockSize < $1.blockSize }
    let plain = points.map {
      ErrorCurve.Point(
        block: $0.block, blockSize: $0.blockSize, error: $0.error,
        bitsPerElement: $0.bitsPerElement)
    }
    guard let curve = try? ErrorCurve(format: way.format, points: plain, file: "the store") else {
      return nil
    }
    let law = curve.points.count > 3 ? try? BlockSizeLaw(curve) : nil
    return ErrorSeries(
      format: way.format, method: way.method,
      points: curve.points.compactMap { kept in points.first { $0.block == kept.block } },
      units: order.count, leftOut: all.count - order.count, curve: curve, law: law)
  }

  private static func point(_ block: String, _ units: [UnitSample]) -> ErrorSeries.Point? {
    let weight = units.reduce(0) { $0 + $1.weight }
    guard weight > 0 else { return nil }
    // Scales, not elements, are what blocks of different lengths average over.
    let scales = units.reduce(0) { $0 + $1.weight / $1.blockSize }
    let errors = units.map { (value: $0.error, weight: $0.weight) }
    return ErrorSeries.Point(
      block: block, blockSize: weight / scales,
      error: units.reduce(0) { $0 + $1.weight * $1.error } / weight,
      low: weightedQuantile(errors, 0.1), high: weightedQuantile(errors, 0.9),
      bitsPerElement: units.reduce(0) { $0 + $1.weight * $1.bits } / weight)
  }

  private func units(
    _ results: [Name: PageResult], _ subject: ErrorSubject, _ names: [String: Double]?
  ) -> [String: UnitSample] {
    var units: [String: UnitSample] = [:]
    if subject == .layers {
      for stem in layers {
        guard let weight = results[Name(tensor: "\(stem).weight")].flatMap(sample),
          let input = results[Name(tensor: "\(stem).input")].flatMap(sample)
        else { continue }
        var both = weight
        both.error += input.error
        both.fillsBlocks = both.fillsBlocks && input.fillsBlocks
        units[stem] = both
      }
      return units
    }
    for (name, result) in results where isOf(subject, result) {
      guard var sample = sample(result) else { continue }
      if let names {
        guard let weight = names[result.tensor] else { continue }
        sample.weight = weight
      }
      units[name.tensor + (name.other.map { " x \($0)" } ?? "")] = sample
    }
    return units
  }

  private func isOf(_ subject: ErrorSubject, _ result: PageResult) -> Bool {
    switch subject {
    case .products: result.isProduct && isLayer(result)
    case .attention: result.isProduct && !isLayer(result)
    case .layers: false
    case .weights: !result.isProduct && roles[result.tensor] == "weight"
    case .activations: !result.isProduct && roles[result.tensor] == "activation"
    case .tensors: !result.isProduct
    }
  }

  /// Whether a product has a weight for an operand, as far as the store tells.
  private func isLayer(_ product: PageResult) -> Bool {
    let names = [product.tensor, product.other].compactMap { $0 }
    if names.contains(where: { roles[$0] == "weight" || $0.hasSuffix(".weight") }) { return true }
    return !product.isStack && !names.allSatisfy { roles[$0] == "activation" }
  }

  /// The tensors that the layers or products of a subject are made of, with the parameters of the
  /// layers that they take part in; empty for other subjects.
  func operands(_ subject: ErrorSubject) -> [String: Double] {
    var weights: [String: Double] = [:]
    if subject == .layers {
      for stem in layers {
        let size = weightSizes["\(stem).weight"] ?? 1
        for name in ["\(stem).weight", "\(stem).input"] { weights[name, default: 0] += size }
      }
    }
    guard subject == .products else { return weights }
    let products = Set(cells.values.flatMap(\.values).flatMap(\.values).filter(isProductOfLayer))
    for pair in Set(products.map { Pair(tensor: $0.tensor, other: $0.other, hash: $0.otherHash) }) {
      let size = pair.hash.flatMap { sizes[$0] }.map(Double.init) ?? 1
      for name in [pair.tensor, pair.other].compactMap({ $0 }) {
        weights[name, default: 0] += size
      }
    }
    return weights
  }

  private struct Pair: Hashable {
    var tensor: String
    var other: String?
    var hash: String?
  }

  private func isProductOfLayer(_ result: PageResult) -> Bool { isOf(.products, result) }

  private func sample(_ result: PageResult) -> UnitSample? {
    guard let nmse = result.nmse, nmse.isFinite, result.count > 0 else { return nil }
    let size = result.averageBlock
    guard let size, size > 0 else { return nil }
    let weight = result.otherHash.flatMap { sizes[$0] } ?? result.count
    return UnitSample(
      error: nmse, bits: result.bitsPerElement ?? 0, weight: Double(weight), blockSize: size,
      fillsBlocks: result.fillsBlocks)
  }
}

/// The least value at or below which a share of the weight lies; 0 of none.
func weightedQuantile(_ values: [(value: Double, weight: Double)], _ share: Double) -> Double {
  let sorted = values.sorted { $0.value < $1.value }
  let wanted = share * sorted.reduce(0) { $0 + $1.weight }
  var sum = 0.0
  for one in sorted {
    sum += one.weight
    if sum >= wanted { return one.value }
  }
  return sorted.last?.value ?? 0
}

/// The value below which a share of the numbers lies, by straight lines between them; 0 of none.
func quantile(_ values: [Double], _ share: Double) -> Double {
  let sorted = values.sorted()
  guard let last = sorted.last else { return 0 }
  let place = share * Double(sorted.count - 1)
  let index = min(Int(place), sorted.count - 1)
  guard index + 1 < sorted.count else { return last }
  return sorted[index] + (place - Double(index)) * (sorted[index + 1] - sorted[index])
}

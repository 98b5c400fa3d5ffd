import Measurement
import NumberFormats
import ScalingLaws

/// How the weights that stay in high precision are chosen.
public enum RatioMethod: String, Sendable, Hashable, CaseIterable {
  /// Whole tensors or layers, by random search.
  case random
  /// Whole tensors or layers, least error per weight first.
  case greedy
  /// Whole tensors or layers, exactly.
  case knapsack
  /// Values of largest magnitude in every tensor.
  case values
  /// Columns of largest norm in every tensor.
  case columns

  /// The split of every tensor that it stands for; nil for an assignment of whole tensors.
  public var scheme: OutlierSplit.Scheme? {
    switch self {
    case .values: .values
    case .columns: .columns
    default: nil
    }
  }
}

/// What an assignment decides on.
public enum AssignmentGranularity: String, Sendable, Hashable, CaseIterable {
  /// Each matrix product by itself.
  case matmul
  /// All products of a transformer layer together.
  case layer

  /// The item that a tensor belongs to: a layer's name ends with its number, as `encoder.layer.3`.
  public func item(of tensor: String) -> String {
    guard self == .layer else { return tensor }
    let parts = tensor.split(separator: ".", omittingEmptySubsequences: false)
    guard let number = parts.firstIndex(where: { Int($0) != nil }) else { return tensor }
    return parts[...number].joined(separator: ".")
  }
}

/// The error at one ratio Q_r.
public struct RatioPoint: Sendable, Hashable {
  public var errorCase: ErrorCase
  /// Elements that share a scale, on average.
  public var blockSize: Double
  public var method: RatioMethod
  /// nil for splits of every tensor.
  public var granularity: AssignmentGranularity?
  /// As asked for.
  public var share: Double
  /// Weights in low precision over all weights.
  public var reached: Double
  /// Σ w_l·t_l² over the weights' sum: at Q_r = 1 the NMSE of `law measure`.
  public var error: Double
  /// Σ α_l·t_l²; nil without sensitivities.
  public var delta: Double?
  /// Bits per weight on average over both precisions.
  public var bitsPerElement: Double
  /// The items in low precision, in the layers' order; empty for splits.
  public var lowItems: [String]
}

/// The error of a model against Q_r, from errors that were measured layer by layer.
public struct RatioCurves: Sendable {
  public var weighting: LayerWeighting
  public var kind: LayerErrorKind
  public var granularity: AssignmentGranularity
  public var trials: Int
  public var seed: UInt64
  /// Of a weight in high precision.
  public var highBits: Double

  public init(
    weighting: LayerWeighting, kind: LayerErrorKind, granularity: AssignmentGranularity,
    trials: Int = 50, seed: UInt64 = 1, highBits: Double = 16
  ) {
    self.weighting = weighting
    self.kind = kind
    self.granularity = granularity
    self.trials = trials
    self.seed = seed
    self.highBits = highBits
  }

  /// Assignments of whole tensors or layers.
  ///
  /// - Parameters:
  ///   - low: the layers under the low precision's case, one for each.
  ///   - high: the same layers in high precision; empty where that is left unquantised.
  public func assignments(
    low: [LayerErrors], high: [LayerErrors], methods: [RatioMethod], shares: [Double]
  ) throws -> [RatioPoint] {
    guard let first = low.first else { throw AssignmentError.noItems }
    let members = try members(low: low, high: high)
    let problem = try AssignmentProblem(members.items)
    let frontier = methods.contains(.knapsack) ? try problem.knapsack() : nil
    var points: [RatioPoint] = []
    for method in methods where method.scheme == nil {
      for share in shares {
        let found: Assignment
        switch method {
        case .greedy: found = try problem.greedy(share: share)
        case .random:
          found = try problem.randomSearch(share: share, trials: trials, seed: seed)
        default:
          guard let best = try frontier?.best(share: share) else { continue }
          found = best
        }
        points.append(members.point(found, first.errorCase, method, self, share))
      }
    }
    return points
  }

  /// Splits of every tensor, from errors measured for each share kept.
  ///
  /// - Parameter splits: for each share asked for, the layers' errors.
  public func splits(
    _ splits: [(share: Double, layers: [OutlierErrors])], errorCase: ErrorCase,
    method: RatioMethod, blockSize: Double
  ) throws -> [RatioPoint] {
    try splits.map { share, layers in
      var (error, weights, kept, bits, parameters) = (0.0, 0.0, 0, 0.0, 0)
      for layer in layers {
        guard let weight = weighting.weight(of: layer.tensor, parameters: layer.parameters) else {
          continue
        }
        guard let value = kind == .product ? layer.product : layer.weightTensor else {
          throw MeasurementError.usage(
            "outlier splits: expected --error product, or weight_tensor, and products that are not zero"
          )
        }
        error += weight * value
        weights += weight
        kept += layer.kept
        bits += layer.bitsPerElement * Double(layer.parameters)
        parameters += layer.parameters
      }
      guard weights > 0 else { throw AssignmentError.noItems }
      var delta: Double?
      if case .sensitivities = weighting { delta = error }
      return RatioPoint(
        errorCase: errorCase, blockSize: blockSize, method: method, granularity: nil, share: share,
        reached: 1 - Double(kept) / Double(parameters), error: error / weights, delta: delta,
        bitsPerElement: bits / Double(parameters), lowItems: [])
    }
  }

  private func members(
    low: [LayerErrors], high: [LayerErrors]
  ) throws -> AssignmentMembers {
    let highByName = Dictionary(high.map { ($0.tensor, $0) }, uniquingKeysWith: { a, _ in a })
    var members = AssignmentMembers()
    for layer in low {
      guard let weight = weighting.weight(of: layer.tensor, parameters: layer.parameters) else {
        continue
      }
      guard let value = layer.value(kind) else {
        throw AssignmentError.error(layer.tensor)
      }
      let other = highByName[layer.tensor]
      let size = Double(layer.parameters)
      members.add(
        AssignmentItem(
          name: granularity.item(of: layer.tensor), parameters: layer.parameters,
          lowError: weight * value, highError: weight * (other?.value(kind) ?? 0)),
        weight: weight, blocks: layer.blocks,
        bits: (layer.bitsPerElement * size, (other?.bitsPerElement ?? highBits) * size))
    }
    return members
  }
}

/// Items of an assignment, with what their members add up to.
private struct AssignmentMembers {
  var items: [AssignmentItem] = []
  private var bits: [(low: Double, high: Double)] = []
  private var places: [String: Int] = [:]
  private var weights = 0.0
  private var blocks = 0

  mutating func add(
    _ item: AssignmentItem, weight: Double, blocks: Int, bits: (low: Double, high: Double)
  ) {
    weights += weight
    self.blocks += blocks
    guard let place = places[item.name] else {
      places[item.name] = items.count
      items.append(item)
      self.bits.append(bits)
      return
    }
    items[place].parameters += item.parameters
    items[place].lowError += item.lowError
    items[place].highError += item.highError
    self.bits[place].low += bits.low
    self.bits[place].high += bits.high
  }

  func point(
    _ found: Assignment, _ errorCase: ErrorCase, _ method: RatioMethod, _ curves: RatioCurves,
    _ share: Double
  ) -> RatioPoint {
    let parameters = items.reduce(0) { $0 + $1.parameters }
    let sum = zip(bits, found.isLow).reduce(0) { $0 + ($1.1 ? $1.0.low : $1.0.high) }
    var delta: Double?
    if case .sensitivities = curves.weighting { delta = found.error }
    return RatioPoint(
      errorCase: errorCase, blockSize: Double(parameters) / Double(max(1, blocks)), method: method,
      granularity: curves.granularity, share: share,
      reached: Double(found.lowParameters) / Double(parameters), error: found.error / weights,
      delta: delta, bitsPerElement: sum / Double(parameters),
      lowItems: zip(items, found.isLow).filter(\.1).map(\.0.name))
  }
}

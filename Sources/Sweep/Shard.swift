/// One of several equal parts of a sweep.
public struct Shard: Sendable, Hashable {
  /// From 1 to `count`.
  public var number: Int
  public var count: Int

  public static let whole = Shard()

  /// - Returns: nil unless 1 ≤ number ≤ count.
  public init?(number: Int, count: Int) {
    guard count >= 1, (1...count).contains(number) else { return nil }
    self.number = number
    self.count = count
  }

  private init() { (number, count) = (1, 1) }

  /// Reads `I/N`.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let number = parts[0], let count = parts[1] else { return nil }
    self.init(number: number, count: count)
  }
}

extension Shard: CustomStringConvertible {
  public var description: String { "\(number)/\(count)" }
}

/// Work that is done in one go and stored in one transaction: one tensor under some cases, or the same
/// two tensors multiplied in some ways.
public struct WorkBundle: Sendable, Hashable {
  /// Places in ``WorkList/items``.
  public var items: [Int]
  public var work: Double
}

extension WorkList {
  /// Most work of a bundle, in nanoseconds of one core, where its items are short ones, and most items of
  /// long ones: so much a kill loses at most. Fewer long ones would be read for again and again.
  private static let mostWork = 1e9
  private static let mostItems = 16.0

  /// The bundles of a shard, in the list's order. They depend on the list and the shard alone, never on
  /// what a store holds already; every item is in exactly one bundle of exactly one shard.
  public func bundles(of shard: Shard) -> [WorkBundle] {
    let bundles = bundles(parts: shard.count)
    guard shard.count > 1 else { return bundles }
    // The longest first, each to the shard with the least so far: at most 4/3 of the best there is
    // (R. Graham, Bounds on multiprocessing timing anomalies, 1969).
    let order = bundles.indices.sorted {
      (bundles[$1].work, $0) < (bundles[$0].work, $1)
    }
    var loads = [Double](repeating: 0, count: shard.count)
    var own: [Int] = []
    for index in order {
      let least = loads.indices.min { (loads[$0], $0) < (loads[$1], $1) } ?? 0
      loads[least] += bundles[index].work
      if least == shard.number - 1 { own.append(index) }
    }
    return own.sorted().map { bundles[$0] }
  }

  /// Items of one tensor together, those of one block side by side: they share reads, block maxima and
  /// crest factors. Products of one pair together: they share reads. Shards alone are worth reading more
  /// often for.
  private func bundles(parts: Int) -> [WorkBundle] {
    let total = items.reduce(0) { $0 + $1.work }
    let balanced = parts == 1 ? .infinity : total / Double(8 * parts)
    var result: [WorkBundle] = []
    for group in groups() {
      let longest = group.map { items[$0].work }.max() ?? 0
      let most = min(max(Self.mostWork, Self.mostItems * longest), balanced)
      var bundle = WorkBundle(items: [], work: 0)
      for index in group {
        if !bundle.items.isEmpty, bundle.work + items[index].work > most {
          result.append(bundle)
          bundle = WorkBundle(items: [], work: 0)
        }
        bundle.items.append(index)
        bundle.work += items[index].work
      }
      result.append(bundle)
    }
    return result
  }

  /// Items that read the same tensor, by block, and products of the same tensors, B the same way round.
  private func groups() -> [[Int]] {
    var groups: [[Int]] = []
    var places: [ReadTensors: Int] = [:]
    for (index, item) in items.enumerated() {
      let read = ReadTensors(item)
      if let place = places[read] {
        groups[place].append(index)
      } else {
        places[read] = groups.count
        groups.append([index])
      }
    }
    return groups.map { group in
      var order: [String: Int] = [:]
      let keyed = group.map { index -> (Int, Int) in
        guard case .tensor(_, let errorCase) = items[index].kind else { return (0, index) }
        let block = errorCase.block.description
        let place = order[block] ?? order.count
        order[block] = place
        return (place, index)
      }
      return keyed.sorted { $0 < $1 }.map(\.1)
    }
  }
}

/// What items that share reads have in common.
private enum ReadTensors: Hashable {
  case tensor(Int)
  case product(Int, Int, transposesB: Bool)

  init(_ item: WorkItem) {
    switch item.kind {
    case .tensor(let tensor, _): self = .tensor(tensor)
    case .product(let a, let b, let request):
      self = .product(a, b, transposesB: request.transposesB)
    }
  }
}

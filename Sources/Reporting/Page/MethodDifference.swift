/// How another way of quantising differs from a format's usual one, on the same tensors and blocks.
public struct MethodDifference: Sendable {
  public var format: String
  public var block: String
  /// Whether products were compared.
  public var isProduct: Bool
  public var baseline: String
  public var method: String
  /// Tensors or products that both have results of.
  public var units: Int
  /// Mean NMSE of each, weighted by elements, of products by B's.
  public var baselineError: Double
  public var error: Double
  /// Units in which it errs less, and more.
  public var better: Int
  public var worse: Int
  /// Smallest and largest ratio of the errors.
  public var range: ClosedRange<Double>

  private struct Cell: Hashable {
    var key: Baseline.Key
    var block: String
  }
  private struct Unit: Hashable {
    var tensor: String
    var other: String?
  }

  static func all(
    _ data: SweepResults, baseline: [Baseline.Key: String]
  ) -> [MethodDifference] {
    let several = Set(
      data.results.filter { baseline[Baseline.key($0)] != $0.method }.map(Baseline.key))
    guard !several.isEmpty else { return [] }
    let sizes = Dictionary(
      data.tensors.map { ($0.hash, $0.count) }, uniquingKeysWith: { first, _ in first })
    let cells = Dictionary(grouping: data.results.filter { several.contains(Baseline.key($0)) }) {
      Cell(key: Baseline.key($0), block: $0.block)
    }
    return cells.flatMap { cell, results -> [MethodDifference] in
      let usual = baseline[cell.key] ?? ""
      let own = Dictionary(
        results.filter { $0.method == usual }.map {
          (Unit(tensor: $0.tensor, other: $0.other), $0)
        },
        uniquingKeysWith: { first, _ in first })
      let others = Dictionary(grouping: results.filter { $0.method != usual }, by: \.method)
      return others.compactMap { method, results in
        difference(cell, usual, own, method, results, sizes)
      }
    }.sorted(by: isBefore)
  }

  private static func difference(
    _ cell: Cell, _ usual: String, _ own: [Unit: PageResult], _ method: String,
    _ results: [PageResult], _ sizes: [String: Int]
  ) -> MethodDifference? {
    let pairs = results.compactMap { result -> (a: Double, b: Double, weight: Double)? in
      guard let a = own[Unit(tensor: result.tensor, other: result.other)]?.nmse, let b = result.nmse
      else { return nil }
      return (a, b, Double(result.otherHash.flatMap { sizes[$0] } ?? result.count))
    }
    let weight = pairs.reduce(0) { $0 + $1.weight }
    let ratios = pairs.filter { $0.a > 0 }.map { $0.b / $0.a }
    guard weight > 0, let low = ratios.min(), let high = ratios.max() else { return nil }
    return MethodDifference(
      format: cell.key.format, block: cell.block, isProduct: cell.key.isProduct, baseline: usual,
      method: method, units: pairs.count,
      baselineError: pairs.reduce(0) { $0 + $1.weight * $1.a } / weight,
      error: pairs.reduce(0) { $0 + $1.weight * $1.b } / weight,
      better: pairs.filter { $0.b < $0.a }.count, worse: pairs.filter { $0.b > $0.a }.count,
      range: low...high)
  }

  private static func isBefore(_ a: MethodDifference, _ b: MethodDifference) -> Bool {
    func key(_ row: MethodDifference) -> (String, String, Double, String) {
      (row.format, row.method, Double(row.block) ?? .infinity, row.block)
    }
    return key(a) < key(b)
  }
}

/// Errors tensor by tensor and format by format: at the small block, and what a larger one costs.
public struct LayerHeat: Sendable {
  /// Rows.
  public var tensors: [String]
  public var formats: [String]
  /// The block of each format.
  public var formatBlocks: [String]
  /// `byFormat[tensor][format]`, NMSE; nil where there is none.
  public var byFormat: [[Double?]]
  /// `decibels[tensor][format]`; nil where there is no error above 0.
  public var decibels: [[Double?]] {
    byFormat.map { row in row.map { $0.flatMap { $0 > 0 ? Reporting.decibels($0) : nil } } }
  }
  /// The larger block of each format that `cost` compares with; nil where none was measured.
  public var largerBlocks: [String?]
  /// `cost[tensor][format]`: dB lost from the small block to the larger; nil where one of the two has
  /// no error above 0 or is longer than the tensor's lines.
  public var cost: [[Double?]]
  /// Of each format over all its tensors, shown or not, in dB.
  public var medians: [Double]
  /// Tensors that were measured but are not shown.
  public var leftOut: Int

  /// - Parameter limit: the most rows; those that differ most from a format's median stay.
  init?(_ data: SweepResults, small: Double, limit: Int = 600) {
    let own = data.results.filter { !$0.isProduct && $0.nmse != nil }
    let columns = TensorErrors.atSmallBlock(own, small)
    let names = Self.ordered(Set(own.map(\.tensor)))
    guard !names.isEmpty else { return nil }
    formats = columns.map(\.format)
    formatBlocks = columns.map(\.block)
    let errors = columns.map { Self.byTensor($0.results) }
    let larger = columns.map { Self.larger(own, $0.format, small) }
    largerBlocks = larger.map { $0.first?.block }
    let largerErrors = larger.map(Self.byTensor)
    tensors = names
    byFormat = names.map { tensor in errors.map { $0[tensor]?.nmse } }
    cost = names.map { tensor in
      zip(errors, largerErrors).map { Self.loss($0[tensor], $1[tensor]) }
    }
    leftOut = 0
    medians = []
    let all = decibels
    medians = formats.indices.map { place in quantile(all.compactMap { $0[place] }, 0.5) }
    guard names.count > limit else { return }
    let medians = medians
    keep(
      limit,
      by: all.map { row in
        zip(row, medians).compactMap { value, median in value.map { abs($0 - median) } }.max() ?? 0
      })
  }

  /// Keeps the rows with the largest numbers, in their order.
  private mutating func keep(_ limit: Int, by distances: [Double]) {
    let kept = tensors.indices.sorted { (distances[$1], $0) < (distances[$0], $1) }
      .prefix(limit).sorted()
    leftOut = tensors.count - kept.count
    tensors = kept.map { tensors[$0] }
    byFormat = kept.map { byFormat[$0] }
    cost = kept.map { cost[$0] }
  }

  private static func byTensor(_ results: [PageResult]) -> [String: PageResult] {
    Dictionary(results.map { ($0.tensor, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// A format's results at the larger of its compared blocks.
  private static func larger(
    _ results: [PageResult], _ format: String, _ small: Double
  ) -> [PageResult] {
    let own = results.filter { $0.format == format }
    let sizes = Set(own.compactMap(\.blockSize)).map(Double.init)
    guard let (_, large) = comparedBlocks(sizes, small: small) else { return [] }
    return own.filter { $0.blockSize.map(Double.init) == large }
  }

  private static func loss(_ small: PageResult?, _ large: PageResult?) -> Double? {
    guard let small, let large, small.fillsBlocks, large.fillsBlocks, let below = small.nmse,
      let above = large.nmse, below > 0, above > 0
    else { return nil }
    return Reporting.decibels(below) - Reporting.decibels(above)
  }

  /// Names in the order in which people count: `layer.2` before `layer.10`.
  static func ordered(_ names: Set<String>) -> [String] {
    func parts(_ name: String) -> [String] {
      name.split(separator: ".").map { part in
        guard let number = Int(part), number >= 0 else { return String(part) }
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
      }
    }
    return names.map { (key: parts($0), name: $0) }
      .sorted { ($0.key, $0.name) < ($1.key, $1.name) }.map(\.name)
  }
}

private func < (a: ([String], String), b: ([String], String)) -> Bool {
  a.0 == b.0 ? a.1 < b.1 : a.0.lexicographicallyPrecedes(b.0)
}

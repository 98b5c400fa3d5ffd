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
  /// Of each format over its tensors, in dB.
  public var medians: [Double] {
    let rows = decibels
    return formats.indices.map { place in quantile(rows.compactMap { $0[place] }, 0.5) }
  }
  /// Tensors that were measured but are not shown.
  public var leftOut: Int

  /// - Parameter limit: the most rows; the first ones in the order of names stay.
  init?(_ data: SweepResults, small: Double, limit: Int = 160) {
    let own = data.results.filter { !$0.isProduct && $0.nmse != nil }
    let columns = TensorErrors.atSmallBlock(own, small)
    let names = Self.ordered(Set(own.map(\.tensor)))
    guard !names.isEmpty else { return nil }
    tensors = Array(names.prefix(limit))
    leftOut = names.count - tensors.count
    formats = columns.map(\.format)
    formatBlocks = columns.map(\.block)
    let errors = columns.map { Self.byTensor($0.results) }
    byFormat = tensors.map { tensor in errors.map { $0[tensor]?.nmse } }
    let larger = columns.map { Self.larger(own, $0.format, small) }
    largerBlocks = larger.map { $0.first?.block }
    let largerErrors = larger.map(Self.byTensor)
    cost = tensors.map { tensor in
      zip(errors, largerErrors).map { Self.loss($0[tensor], $1[tensor]) }
    }
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

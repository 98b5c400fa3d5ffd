import FormatCatalog
import HardwareCost
import NumberFormats
import Reporting

/// Gates of every format and block of a store that the cost model knows.
struct PageCosts: Sendable {
  private struct Key: Hashable {
    var format: String
    var block: String
  }
  private var costs: [Key: PageCost] = [:]

  init(_ data: SweepResults, _ catalog: FormatCatalog, model: CostModel) throws {
    let largest = Calibration.largestError(model.calibration.units(heldOut: true))
    for key in Set(data.results.map({ Key(format: $0.format, block: $0.block) })) {
      guard let format = catalog.block(key.format), let block = BlockShape(key.block) else {
        continue
      }
      let cost = try model.cost(format, block: block)
      var missing = ""
      if case .outside(let words) = cost.calibration { missing = words }
      var isOfCodebook = false
      if case .codebook = format.element.kind { isOfCodebook = true }
      costs[key] = PageCost(
        gates: cost.gates, relativeError: missing.isEmpty ? largest : nil, missing: missing,
        isOfCodebook: isOfCodebook)
    }
  }

  subscript(format: String, block: String) -> PageCost? { costs[Key(format: format, block: block)] }
}

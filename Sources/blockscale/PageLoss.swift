import FormatCatalog
import ScalingLaws

/// The loss law of a page, the format and block of its data, and where they come from.
struct PageLoss {
  var law: LossLaw
  var format: String
  var block: String
  var source: String

  /// From the data given, else from those compiled in.
  init(_ options: LossOptions<PageLossDefaults>, in catalog: FormatCatalog) throws {
    if let path = options.loss.value {
      let given = try options.law(in: catalog)
      (law, format, block) = (given.law, given.format.name, given.block.description)
      source = "Loss data: \(path), of \(format), block \(block)."
      return
    }
    let rows = try LawData.mixedQuantization().rows(fitting: [
      RowFilter(column: "family", texts: ["qwen1.5"]),
      RowFilter(column: "assignment", texts: ["matmul"]),
    ])
    law = try LossLaw(rows)
    (format, block) = PageLossDefaults.ownData
    source =
      "Loss data: Qwen1.5 models with weights and activations in MXINT4, read off the"
      + " figures of arXiv 2410.06722 v1 (golden/laws/mixed-v1.csv); their block size is not"
      + " known and taken as 32."
  }
}

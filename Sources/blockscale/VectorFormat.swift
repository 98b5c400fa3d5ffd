import FormatCatalog
import GoldenVectors
import Measurement
import NumberFormats
import Reporting

/// What `--format` of `vectors` names: a block format, or an element alone, for units without scales.
struct VectorFormat {
  let quantization: QuantizationSpec
  /// Whether there are no scales, only elements.
  let isElement: Bool

  init(
    _ name: String, block: BlockShape?, recipe: String, rounding: Rounding?,
    operation: VectorOperation, in catalog: FormatCatalog
  ) throws {
    guard catalog.block(name) == nil, let element = catalog.element(name),
      let exact = catalog.recipe("exact"), let unit = catalog.scale("fp32")
    else {
      let request = CaseRequest(
        formats: [name], blocks: block.map { [$0] } ?? [], recipes: [recipe], rounding: rounding)
      guard let spec = try request.cases(in: catalog).cases.first?.spec else {
        throw UsageError("recipe \(recipe) is not defined for format \(name)")
      }
      quantization = spec
      isElement = false
      return
    }
    if [.scale, .quantize, .dequantize].contains(operation) {
      throw UsageError(
        "--format \(name): an element has no scale (expected a block format with --op"
          + " \(operation.rawValue))")
    }
    guard catalog.recipe(recipe) == exact else {
      throw UsageError("--recipe \(recipe): expected with a block format")
    }
    // The scale is never read; 32 is the number of terms where neither --block nor a unit has one.
    quantization = QuantizationSpec(
      format: BlockFormat(
        name: element.name, source: element.source, checked: element.checked, element: element,
        scale: unit, block: .line(32)),
      recipe: exact, rounding: rounding)
    isElement = true
  }

  private var format: BlockFormat { quantization.format }

  /// The rows that decide the vectors' bytes.
  func used(_ unit: Accumulator?) -> [UsedRow] {
    let own = isElement ? [UsedRow(.element(format.element))] : usedRows(quantization)
    return own + (unit.map { [UsedRow($0)] } ?? [])
  }

  /// The same rows in full.
  func manifestRows(_ unit: Accumulator?) -> [VectorManifest.Row] {
    var texts = [RowText(format.element)]
    if !isElement {
      texts = [
        RowText(format), RowText(format.element), RowText(format.scale),
        RowText(quantization.recipe),
      ]
    }
    if let unit { texts.append(RowText(unit)) }
    return zip(used(unit), texts).map { used, row in
      VectorManifest.Row(
        kind: used.kind, name: used.name, source: used.source, checked: used.checked,
        rowHash: used.hash, text: row.text)
    }
  }
}

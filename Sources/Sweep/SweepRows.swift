import ErrorStatistics
import FormatCatalog
import Measurement
import NumberFormats

/// Turns what was asked for and what came out into rows of a store.
struct SweepRows {
  let list: WorkList
  /// By tensor number.
  let records: [Int: TensorRecord]
  let encoder: ReportEncoder
  let catalog: FormatCatalog

  /// The key of a piece of work.
  func key(_ item: WorkItem) throws -> String {
    switch item.kind {
    case .tensor(let index, let errorCase): try identity(index, errorCase).key
    case .product(let a, let b, let request): try identity(a, b, request).key
    }
  }

  func row(
    _ key: String, _ index: Int, _ errorCase: ErrorCase, _ result: ErrorResult
  ) -> StoredResult {
    let spec = errorCase.spec
    var row = blank(key, kind: "tensor", records[index], spec, errorCase.block)
    row.shape = shapeText(result.shape)
    row.count = result.report.count
    row.axis = errorCase.axis
    row.transform = errorCase.transform.description
    row.seed = spec.seed.map(Int.init)
    row.bitsPerElement = result.report.bitsPerElement
    row.nmse = finite(result.report.nmse)
    row.sqnrDecibels = finite(result.report.sqnrDecibels)
    row.report = encoder.tensor(result)
    return row
  }

  func row(
    _ key: String, _ a: Int, _ b: Int, _ request: MatmulRequest, _ result: MatmulResult
  ) -> StoredResult {
    // A side left as it is has no block or recipe of its own.
    let side = request.a.spec == nil ? request.b : request.a
    var row = blank(key, kind: "product", records[a], side.spec, side.block)
    row.format = request.a.formatName
    row.formatHash = request.a.spec.map { RowText($0.format).hash } ?? ""
    if request.b.formatName != request.a.formatName {
      row.formatB = request.b.formatName
      row.formatBHash = request.b.spec.map { RowText($0.format).hash } ?? ""
    }
    row.other = records[b]?.name
    row.otherHash = records[b]?.hash
    row.shape = shapeText(result.shape)
    row.count = result.report.count
    row.accumulator = request.accumulator.name
    row.accumulatorHash = RowText(request.accumulator).hash
    row.transposesB = request.transposesB
    row.transform = request.transform.description
    if request.a.spec != nil, request.b.spec != nil, request.b.block != request.a.block {
      row.block = "\(request.a.block) x \(request.b.block)"
      row.blockSize = nil
    }
    row.fraction = request.fraction
    row.seed = seed(request).map(Int.init)
    row.bitsPerElement = result.bitsPerElement(in: catalog)
    row.nmse = finite(result.report.total.nmse)
    row.sqnrDecibels = finite(result.report.total.sqnrDecibels)
    row.report = encoder.product(result)
    return row
  }

  private func blank(
    _ key: String, kind: String, _ record: TensorRecord?, _ spec: QuantizationSpec?,
    _ block: BlockShape
  ) -> StoredResult {
    var size: Int?
    if case .line(let count) = block { size = count }
    return StoredResult(
      key: key, kind: kind, tensor: record?.name ?? "", tensorHash: record?.hash ?? "", shape: "",
      count: 0, format: spec?.format.name ?? "none",
      formatHash: spec.map { RowText($0.format).hash } ?? "", block: block.description,
      blockSize: size, axis: -1, recipe: spec?.recipe.name ?? "",
      recipeHash: spec.map { RowText($0.recipe).hash } ?? "",
      rounding: spec?.roundingName ?? "", tensorScale: spec?.tensorScaleText ?? "",
      computeType: spec?.computeType.rawValue ?? "", transform: "none",
      toolVersion: toolVersion, report: "")
  }

  private func identity(_ index: Int, _ errorCase: ErrorCase) -> WorkIdentity {
    let spec = errorCase.spec
    return WorkIdentity(
      kind: "tensor", tensor: records[index]?.name ?? "", tensorHash: records[index]?.hash ?? "",
      formatHash: RowText(spec.format).hash, block: errorCase.block.description,
      axis: errorCase.axis, recipeHash: RowText(spec.recipe).hash, rounding: spec.roundingName,
      tensorScale: spec.tensorScaleText, computeType: spec.computeType.rawValue,
      transform: errorCase.transform.description, seed: spec.seed)
  }

  private func identity(_ a: Int, _ b: Int, _ request: MatmulRequest) -> WorkIdentity {
    let spec = request.a.spec ?? request.b.spec
    return WorkIdentity(
      kind: "product", tensor: records[a]?.name ?? "", tensorHash: records[a]?.hash ?? "",
      other: records[b]?.name, otherHash: records[b]?.hash, transposesB: request.transposesB,
      formatHash: request.a.spec.map { RowText($0.format).hash },
      formatBHash: request.b.spec.map { RowText($0.format).hash },
      block: request.a.block.description, blockB: request.b.block.description, axis: -1,
      recipeHash: request.a.spec.map { RowText($0.recipe).hash },
      recipeBHash: request.b.spec.map { RowText($0.recipe).hash },
      rounding: request.a.spec?.roundingName, roundingB: request.b.spec?.roundingName,
      tensorScale: spec?.tensorScaleText, computeType: spec?.computeType.rawValue,
      accumulatorHash: RowText(request.accumulator).hash, transform: request.transform.description,
      fraction: "\(request.fraction)", seed: seed(request))
  }

  /// nil where neither rounding nor the sample of outputs is random.
  private func seed(_ request: MatmulRequest) -> UInt64? {
    let isRandom = [request.a.spec, request.b.spec].contains { $0?.isRandom == true }
    return isRandom || request.fraction < 1 ? request.seed : nil
  }

  private func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
}

/// How results become the JSON of a row's `report`. The words are Reporting's, which stands above.
public struct ReportEncoder: Sendable {
  public var tensor: @Sendable (ErrorResult) -> String
  public var product: @Sendable (MatmulResult) -> String

  public init(
    tensor: @escaping @Sendable (ErrorResult) -> String,
    product: @escaping @Sendable (MatmulResult) -> String
  ) {
    self.tensor = tensor
    self.product = product
  }
}

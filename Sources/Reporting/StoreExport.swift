import Sweep

/// A store's results as text for other programs, in the order of keys: equal results give equal bytes.
public struct StoreExport {
  public enum Form: String, Sendable, CaseIterable { case csv, jsonl }

  /// Numbers of the report that CSV lists beside the columns of the store.
  static let numbers = [
    "mean_error", "mse", "max_abs_error", "mean_relative_error", "max_relative_error", "max_ulp",
    "cosine", "saturated", "flushed", "nan", "non_finite", "narrowed", "clamped_scales", "k",
    "exact_outputs", "output_rms", "reference_error_bound", "nmse_underflow", "nmse_clamped",
    "nmse_saturated", "nmse_flushed",
  ]

  public var form: Form

  public init(form: Form) { self.form = form }

  /// Writes every result.
  public func write(_ store: ResultsStore, _ line: (String) throws -> Void) throws {
    let columns = StoredResult.CodingKeys.allCases.filter { $0 != .report }
    switch form {
    case .csv:
      let names = columns.map(\.rawValue) + Self.numbers
      try line(names.map(Report.csvField).joined(separator: ",") + "\n")
      try store.forEachResult(fields: Self.numbers) { result, numbers in
        let values = columns.map { result.value($0) } + numbers.map(Self.number)
        try line(values.map { Report.csvField(Report.csvText($0)) }.joined(separator: ",") + "\n")
      }
    case .jsonl:
      try store.forEachResult { result, _ in
        let object = JSONValue.object(columns.map { JSONField($0.rawValue, result.value($0)) })
        try line(object.compact.dropLast() + ", \"report\": \(result.report)}\n")
      }
    }
  }

  /// Counts without a decimal point.
  private static func number(_ value: Double?) -> JSONValue {
    value.map { Int(exactly: $0).map { .int($0) } ?? .number($0) } ?? .null
  }
}

extension StoredResult {
  fileprivate func value(_ column: CodingKeys) -> JSONValue {
    switch column {
    case .key: .string(key)
    case .kind: .string(kind)
    case .tensor: .string(tensor)
    case .tensorHash: .string(tensorHash)
    case .other: JSONValue(other)
    case .otherHash: JSONValue(otherHash)
    case .shape: .string(shape)
    case .count: .int(count)
    case .format: .string(format)
    case .formatHash: .string(formatHash)
    case .formatB: JSONValue(formatB)
    case .formatBHash: JSONValue(formatBHash)
    case .block: .string(block)
    case .blockSize: JSONValue(blockSize)
    case .axis: .int(axis)
    case .recipe: .string(recipe)
    case .recipeHash: .string(recipeHash)
    case .rounding: .string(rounding)
    case .tensorScale: .string(tensorScale)
    case .computeType: .string(computeType)
    case .accumulator: JSONValue(accumulator)
    case .accumulatorHash: JSONValue(accumulatorHash)
    case .transposesB: transposesB.map { .bool($0) } ?? .null
    case .transform: .string(transform)
    case .fraction: JSONValue(fraction)
    case .seed: JSONValue(seed)
    case .toolVersion: .string(toolVersion)
    case .bitsPerElement: JSONValue(bitsPerElement)
    case .nmse: JSONValue(nmse)
    case .sqnrDecibels: JSONValue(sqnrDecibels)
    case .report: .string(report)
    }
  }
}

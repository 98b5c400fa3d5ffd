import Measurement
import NumberFormats

/// Numbers by themselves, without blocks: engines against the reference.
public struct NumberComparison: Sendable {
  public var reference: any QuantizationEngine
  public var engines: [any QuantizationEngine]

  public init(reference: any QuantizationEngine, engines: [any QuantizationEngine]) {
    self.reference = reference
    self.engines = engines
  }

  /// Decodes the given codes; one report per engine.
  public func decode(_ codes: [UInt32], of row: NumberFormatRow) -> [VerificationReport] {
    let expected = row.decode(codes, engine: reference).map(canonicalBits)
    return engines.map { engine in
      var report = VerificationReport(check: "decode \(row.name)", target: engine.name)
      let observed = row.decode(codes, engine: engine).map(canonicalBits)
      for (index, code) in codes.enumerated() where expected[index] != observed[index] {
        report.add(
          Mismatch(
            position: index, input: code, inputBits: row.bits, expected: expected[index],
            observed: observed[index], resultBits: 32, what: "value"))
      }
      report.compared = codes.count
      return report
    }
  }

  /// Encodes the given numbers; one report per engine. Where the reference refuses a number, the
  /// engine must refuse the same one.
  public func encode(
    _ values: [Float], to row: NumberFormatRow, options: EncodeOptions = EncodeOptions()
  ) -> [VerificationReport] {
    let expected = encoded(values, row, options, reference)
    return engines.map { engine in
      var report = VerificationReport(check: Self.name(row, options), target: engine.name)
      let observed = encoded(values, row, options, engine)
      report.compared = values.count
      switch (expected, observed) {
      case (.success(let expected), .success(let observed)):
        for (index, value) in values.enumerated() where expected[index] != observed[index] {
          report.add(
            Mismatch(
              position: index, input: value.bitPattern, inputBits: 32, expected: expected[index],
              observed: observed[index], resultBits: row.bits, what: "code"))
        }
      default:
        if let mismatch = refusalMismatch(expected, observed, values) { report.add(mismatch) }
      }
      return report
    }
  }

  private static func name(_ row: NumberFormatRow, _ options: EncodeOptions) -> String {
    guard case .element = row else { return "encode scale \(row.name)" }
    let nan = options.nan == .mlDtypes ? " ml_dtypes" : ""
    let overflow = options.overflow == .nonFinite ? " nonFinite" : ""
    return "encode \(row.name) \(options.rounding)\(overflow)\(nan)"
  }

  private func encoded(
    _ values: [Float], _ row: NumberFormatRow, _ options: EncodeOptions,
    _ engine: any QuantizationEngine
  ) -> Result<[UInt32], QuantizeError> {
    Result { () throws(QuantizeError) in
      try row.encode(values, options: options, engine: engine)
    }
  }
}

/// A mismatch where two runs do not refuse the same number; nil where they do.
private func refusalMismatch(
  _ expected: Result<[UInt32], QuantizeError>, _ observed: Result<[UInt32], QuantizeError>,
  _ values: [Float]
) -> Mismatch? {
  let refused = (refusedPosition(expected), refusedPosition(observed))
  guard refused.0 != refused.1 else { return nil }
  let position = refused.0 ?? refused.1 ?? 0
  return Mismatch(
    position: position, input: values.indices.contains(position) ? values[position].bitPattern : 0,
    inputBits: 32, expected: UInt32(clamping: refused.0 ?? -1),
    observed: UInt32(clamping: refused.1 ?? -1), resultBits: 32, what: "refused position")
}

private func refusedPosition(_ result: Result<[UInt32], QuantizeError>) -> Int? {
  switch result {
  case .failure(.nonFinite(let position, _)): position
  case .failure: -2
  case .success: nil
  }
}

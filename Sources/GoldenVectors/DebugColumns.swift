import NumberFormats
import Reference

/// What a sum went through, for CSV and JSON: what a designer needs at the first mismatch. The
/// texts hold neither commas nor quotes: spaces between terms, `;` between steps, `|` between the
/// outputs of a tile, row by row.
struct DebugColumns {
  let maximumExponent: String
  let terms: String
  let sum: String

  init?(_ spec: VectorSpec, _ inputs: [UInt64]) {
    let problem = spec.problem(inputs)
    var texts: [(exponent: String, terms: String, sum: String)] = []
    for row in 0..<spec.rows {
      for column in 0..<spec.columns {
        guard let trace = try? MPFREngine().trace(problem, row: row, column: column) else {
          return nil
        }
        texts.append(
          (
            trace.steps.map { $0.maximumExponent.map(String.init) ?? "-" }.joined(separator: ";"),
            trace.steps.map { $0.terms.map { Self.text($0.aligned) }.joined(separator: " ") }
              .joined(separator: ";"),
            trace.steps.map { Self.text($0.sum) }.joined(separator: ";")
          ))
      }
    }
    maximumExponent = texts.map(\.exponent).joined(separator: "|")
    terms = texts.map(\.terms).joined(separator: "|")
    sum = texts.map(\.sum).joined(separator: "|")
  }

  var csv: String { ",\(maximumExponent),\(terms),\(sum)" }
  var json: String {
    ", \"maximum_exponent\": \"\(maximumExponent)\", \"aligned_terms\": \"\(terms)\","
      + " \"sum_before_rounding\": \"\(sum)\""
  }

  /// `significand*2^exponent`
  static func text(_ value: MatmulTrace.Value) -> String {
    value.special ?? "\(value.significand)*2^\(value.exponent)"
  }
}

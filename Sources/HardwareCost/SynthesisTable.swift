import FormatCatalog
import FoundationEssentials
import NumberFormats

extension SynthesisPoint {
  /// The points compiled in: golden/cost/synthesis.csv, which tools/rtl/synth writes.
  public static func standard(
    _ catalog: FormatCatalog
  ) throws(HardwareCostError) -> [SynthesisPoint] {
    try points(
      csv: String(decoding: PackageResources.synthesis_csv, as: UTF8.self),
      file: "golden/cost/synthesis.csv", catalog)
  }

  /// The points of a table in the form of golden/cost/synthesis.csv; `file` names it in errors.
  public static func points(
    csv text: String, file: String, _ catalog: FormatCatalog
  ) throws(HardwareCostError) -> [SynthesisPoint] {
    let lines = text.split(whereSeparator: \.isNewline)
    let columns =
      ["part", "element", "scale", "terms", "bits", "dropped"]
      + GateKind.allCases.map(\.rawValue) + ["cells", "transistors"]
    guard (lines.first ?? "").split(separator: ",").map(String.init) == columns else {
      throw .malformed(
        file: file, reason: "expected the columns \(columns.joined(separator: ","))")
    }
    var points: [SynthesisPoint] = []
    for line in lines.dropFirst() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      let counts = fields.dropFirst(6).compactMap { Int($0) }.filter { $0 >= 0 }
      guard fields.count == columns.count, counts.count == columns.count - 6 else {
        throw .badRow(file: file, row: String(line), reason: "expected \(columns.count) fields")
      }
      guard let subject = subject(fields, catalog) else {
        throw .badRow(file: file, row: String(line), reason: "not a unit or a part")
      }
      points.append(
        SynthesisPoint(
          subject: subject,
          gates: Dictionary(
            zip(GateKind.allCases, counts), uniquingKeysWith: { first, _ in first }),
          transistors: counts[counts.count - 1]))
    }
    return points
  }

  private static func subject(_ fields: [String], _ catalog: FormatCatalog) -> Subject? {
    let element = catalog.element(fields[1])
    let scale = catalog.scale(fields[2])
    let (terms, bits, dropped) = (Int(fields[3]) ?? 0, Int(fields[4]) ?? 0, Int(fields[5]) ?? -1)
    switch fields[0] {
    case "unit":
      guard let element, let scale, terms > 0, dropped >= 0,
        dropped < ElementGeometry(element).productBits - 1
      else { return nil }
      return .unit(element, scale, block: terms, droppedBits: dropped)
    case "lane": return element.map { .lane($0) }
    case "scale": return scale.map { .scale($0) }
    case "sum": return terms > 0 && bits > 0 ? .sum(terms: terms, bits: bits) : nil
    case "join": return scale.flatMap { bits > 0 ? .join(bits: bits, $0) : nil }
    default: return nil
    }
  }
}

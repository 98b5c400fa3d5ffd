import FormatCatalog
import FoundationEssentials
import NumberFormats
import Reference
import Testing

/// One entry of golden/peers/matrix-units/manifest.json: one instruction of the MMA-Sim model.
struct MatmulPeerCase: Decodable, CustomTestStringConvertible, Sendable {
  var name: String
  var unit: String
  var k: Int
  var a: String
  var b: String
  var scale: String?
  var block: Int?
  var files: [String: String]

  var testDescription: String { name }

  static let folder = goldenFolder.appending(path: "peers/matrix-units")

  static let all: [MatmulPeerCase] = {
    do {
      let data = try Data(contentsOf: folder.appending(path: "manifest.json"))
      return try JSONDecoder().decode([MatmulPeerCase].self, from: data)
    } catch {
      return []
    }
  }()

  func file(_ key: String) throws -> NpyFile {
    try NpyFile(Self.folder.appending(path: try #require(files[key])))
  }

  /// This project's row for the instruction.
  var accumulator: String {
    if unit == "Ada Lovelace" { return "ada-fp8" }
    if scale == nil { return "blackwell-fp8" }
    return a == "e2m1" ? "blackwell-fp4" : "blackwell-mx"
  }

  /// The case as a problem: B and its scales are stored [k, n] and are turned.
  func problem(_ catalog: FormatCatalog) throws -> MatmulProblem {
    let (a, b) = (try file("A"), try file("B"))
    let (rows, columns) = (a.shape[0], b.shape[1])
    func scales(_ key: String, turned: Bool) throws -> MatmulOperand.Scales? {
      guard let scale, let block else { return nil }
      let file = try file(key)
      let codes = turned ? transposed(try file.bytes(), file.shape) : try file.bytes()
      return MatmulOperand.Scales(
        format: try #require(catalog.scale(scale)), block: block, codes: codes.map(UInt32.init))
    }
    return MatmulProblem(
      a: MatmulOperand(
        element: try #require(catalog.element(self.a)), lines: rows, depth: k,
        codes: try a.bytes(), scales: try scales("SA", turned: false)),
      b: MatmulOperand(
        element: try #require(catalog.element(self.b)), lines: columns, depth: k,
        codes: transposed(try b.bytes(), b.shape), scales: try scales("SB", turned: true)),
      c: try file("C").floats().map { Int64($0.bitPattern) },
      accumulator: try #require(catalog.accumulator(accumulator)))
  }
}

/// A [rows, columns] array as [columns, rows].
func transposed<Value>(_ values: [Value], _ shape: [Int]) -> [Value] {
  (0..<shape[1]).flatMap { column in (0..<shape[0]).map { values[$0 * shape[1] + column] } }
}

/// Reports outputs whose patterns differ.
func expectSamePatterns(_ observed: [Int64], _ expected: [UInt32], _ what: String) {
  #expect(observed.count == expected.count, "\(what)")
  let places = observed.indices.filter {
    $0 >= expected.count || observed[$0] != Int64(expected[$0])
  }
  let first = places.prefix(4).filter { $0 < expected.count }.map { index in
    "output \(index): expected \(hexAndBinary(Int64(expected[index]))), "
      + "observed \(hexAndBinary(observed[index]))"
  }
  #expect(places.isEmpty, "\(what): \(places.count) differ; \(first.joined(separator: "; "))")
}

private func hexAndBinary(_ bits: Int64) -> String {
  "0x\(String(bits, radix: 16)) (0b\(String(bits, radix: 2)))"
}

@Suite("MMA-Sim's matrix units, bit for bit")
struct MatmulPeerTests {
  @Test("all 16 cases are present")
  func count() { #expect(MatmulPeerCase.all.count == 16) }

  @Test("every output of the reference", arguments: MatmulPeerCase.all)
  func matches(peer: MatmulPeerCase) throws {
    let problem = try peer.problem(try FormatCatalog.standard())
    let expected = try peer.file("D").patterns()
    #expect(expected.count == problem.rows * problem.columns && !expected.isEmpty)
    expectSamePatterns(try MPFREngine().multiply(problem), expected, peer.name)
  }
}

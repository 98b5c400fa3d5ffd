import FormatCatalog
import FoundationEssentials
import HardwareCost
import NumberFormats
import Testing

@Suite("Parameters of the gate model")
struct GateModelTests {
  @Test("a user's rows take the place of the same names, and leave the others")
  func replaced() throws {
    let standard = try GateModel.standard()
    let text = """
      // A library with small multiplexers.
      { version: 1, gates: [{ name: "mux", area: 2.33, source: "my library" }],
        structures: [{ name: "adder", area: 5.3 }] }
      """
    let model = try standard.replacing(Data(text.utf8), file: "mine.json5")
    #expect(model.gates[.mux] == GateModel.Area(value: 2.33, source: "my library"))
    #expect(model.structures[.adder] == GateModel.Area(value: 5.3, source: "mine.json5"))
    #expect(model.gates[.nand] == standard.gates[.nand])
    #expect(model.structures[.shifter] == standard.structures[.shifter])
    #expect(model.area([.mux: 3, .nand: 2]) == 3 * 2.33 + 2)
  }

  @Test("every parameter names its source")
  func sources() throws {
    let model = try GateModel.standard()
    for area in Array(model.gates.values) + Array(model.structures.values) {
      #expect(area.source.count > 10, "\(area)")
    }
  }

  @Test("rows that mean nothing are refused")
  func refused() throws {
    let standard = try GateModel.standard()
    let bad: [(String, String)] = [
      ("", "not JSON5"), ("{ version: 1, gates: [ }", "not JSON5"),
      ("{ gates: [] }", "version"), ("{ version: 2, gates: [] }", "version: 1"),
      ("{ version: 1 }", "gates or structures"),
      (#"{ version: 1, gates: [{ name: "nad", area: 1 }] }"#, "nad"),
      (#"{ version: 1, structures: [{ name: "mux", area: 1 }] }"#, "mux"),
      (#"{ version: 1, gates: [{ name: "mux", area: -1 }] }"#, "0 or more"),
      (#"{ version: 1, gates: [{ name: "mux" }] }"#, "area"),
      (#"{ version: 1, gates: [{ name: "mux", area: "1" }] }"#, "area"),
      (#"{ version: 1, gates: [{ name: "mux", area: 1, aera: 2 }] }"#, "aera"),
      (#"{ version: 1, gate: [] }"#, "gate"),
    ]
    for (text, reason) in bad {
      do {
        _ = try standard.replacing(Data(text.utf8), file: "mine.json5")
        Issue.record("accepted: \(text)")
      } catch {
        #expect("\(error)".contains("mine.json5") && "\(error)".contains(reason), "\(error)")
      }
    }
    do {
      _ = try standard.replacing(file: "/nowhere/mine.json5")
      Issue.record("accepted a file that does not exist")
    } catch {
      #expect(error == .unreadable(file: "/nowhere/mine.json5", reason: "no such file"))
    }
  }
}

@Suite("The published comparison (arXiv 2510.25602, appendix C)")
struct PublishedTests {
  // Nangate45's areas over its NAND2's, as the specification recalls them.
  private let fullAdder = 4.256 / 0.798
  private let multiplexer = 1.862 / 0.798

  /// A lane of E4M3 in a block of 32: 4-bit significands, sums of 24 bits.
  private var e4m3: Double {
    let shifts = 24 * 4.585
    return (16 + 24 + 3 * 4) * fullAdder + (shifts + shifts / 32) * multiplexer
  }

  /// A lane of INT8.
  private var int8: Double { (64 + 2 * 8) * fullAdder }

  @Test("its formula gives INT8 0.79 of E4M3; the synthesised units do not")
  func ratio() throws {
    #expect(abs(e4m3 - 542) < 2 && abs(int8 - 427) < 2, "\(e4m3), \(int8)")
    #expect(abs(int8 / e4m3 - 0.787) < 0.005)

    let catalog = try FormatCatalog.standard()
    let points = try SynthesisPoint.standard(catalog)
    func measured(_ element: String) -> [Int: Int] {
      var transistors: [Int: Int] = [:]
      for point in points {
        guard case .unit(let own, let scale, let block, 0) = point.subject else { continue }
        if own.name == element, scale.name == "e8m0" { transistors[block] = point.transistors }
      }
      return transistors
    }
    let (floats, integers) = (measured("e4m3"), measured("mxint8"))
    let block = try #require(Set(floats.keys).intersection(integers.keys).max())
    let own = Double(try #require(integers[block])) / Double(try #require(floats[block]))
    // README.md says why: its sums are cut at 24 bits, and its multipliers are counted otherwise.
    #expect(own > 0.9 && own < 1.1, "blocks of \(block): \(own)")
  }
}

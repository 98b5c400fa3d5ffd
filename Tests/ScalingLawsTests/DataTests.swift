import ScalingLaws
import Testing

private func message(_ text: String, law: String = "weak") -> String {
  do {
    let data = try LawData(text, file: "d.csv")
    _ = try data.points(for: LawCatalog.builtIn().law(law))
    return "no error"
  } catch {
    return "\(error)"
  }
}

@Suite("Data of laws")
struct DataTests {
  @Test("columns in any order and case, quoted fields, comments and unused text are read")
  func reading() throws {
    let text = """
      \u{FEFF}# provenance
      "Q_R", delta ,model,N

      0.5,0.04,"Qwen ""1.5"", 7B",7e9
      1, 0.5 ,x,14000000000
      """
    let data = try LawData(text, file: "d.csv")
    #expect(data.columns == ["q_r", "delta", "model", "n"])
    #expect(try data.texts("Model") == ["Qwen \"1.5\", 7B", "x"])
    let points = try data.points(for: LawCatalog.builtIn().law("weak"))
    #expect(points.variables == [[7, 0.5], [14, 1]])
    #expect(points.targets == [0.04, 0.5])
    #expect(points.lines == [4, 5])
    #expect(try data.rows(where: "model", isIn: ["X"]).lines == [5])
  }

  @Test("carriage returns end lines too")
  func carriageReturns() throws {
    #expect(try LawData("a,b\r\n1,2\r\n3,4\r\n", file: "d").numbers("b") == [2, 4])
  }

  @Test("what cannot be held against a law is refused with line and column")
  func refusals() {
    let head = "n,q_r,delta\n"
    let cases: [(String, [String])] = [
      ("", ["no heading"]), (head, ["no rows"]), ("n,q_r,delta,n\n1,2,3,4\n", ["\"n\"", "twice"]),
      ("n,,delta\n1,2,3\n", ["column 2 has no name"]),
      (head + "7e9,0.5\n", ["line 2", "2 fields"]),
      ("n,q,delta\n7e9,0.5,1\n", ["no column \"q_r\"", "n, q, delta"]),
      (head + "7e9,0.5,0.1\n7e9,nan,0.1\n", ["line 3", "\"q_r\"", "\"nan\""]),
      (head + "7e9,0.5,inf\n", ["line 2", "\"delta\"", "inf"]),
      (head + "7e9,,1\n", ["line 2", "\"q_r\"", "empty"]),
      (head + "7,0.5,0.1\n", ["line 2", "\"n\"", "7 cannot", "parameters", "1e5 to 1e15"]),
      (head + "7e9,50,0.1\n", ["line 2", "\"q_r\"", "50 cannot", "0 to 1"]),
      (head + "7e9,0.5,-0.1\n", ["line 2", "\"delta\"", "-0.1", "above 0"]),
      (head + "7e9,0.5,0\n", ["line 2", "logarithm"]), (head + "7e9,0.5,x\n", ["\"x\""]),
      (head + "7e9,\"0.5,1\n", ["line 2", "quote"]), (head + "7e9,\"0.5\"z,1\n", ["follows"]),
    ]
    for (text, words) in cases {
      let observed = message(text)
      for word in words {
        #expect(observed.contains(word), "\(text): expected \(word) in \(observed)")
      }
    }
  }

  @Test("points without a logarithm are dropped or kept when asked")
  func nonPositive() throws {
    let data = try LawData("n,q_r,delta\n7e9,0.5,-1\n7e9,0.6,0\n7e9,0.7,2\n", file: "d.csv")
    let weak = try LawCatalog.builtIn().law("weak")
    let dropped = try data.points(for: weak, nonPositive: .drop)
    #expect(dropped.dropped == [2, 3] && dropped.targets == [2] && dropped.lines == [4])
    let kept = try data.points(for: weak, nonPositive: .keep)
    #expect(kept.dropped == [] && kept.targets == [-1, 0, 2])
  }
}

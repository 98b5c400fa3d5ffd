import ScalingLaws
import Testing

private let variable = "{ symbol: \"x\", column: \"x\", meaning: \"x\" }"
private let parameter = "{ symbol: \"a\", meaning: \"a\", start: [0, 1] }"

/// A table of one law with some fields replaced.
private func table(_ changes: [String: String]) -> String {
  var fields = [
    "name": "\"mine\"", "title": "\"t\"", "expression": "\"a*x\"", "variables": "[\(variable)]",
    "parameters": "[\(parameter)]", "target": "{ column: \"y\", meaning: \"y\" }",
    "source": "\"s\"", "status": "\"own-fit\"",
  ]
  fields.merge(changes) { $1 }
  let row = fields.sorted { $0.key < $1.key }.filter { !$0.value.isEmpty }
    .map { "\($0.key): \($0.value)" }.joined(separator: ", ")
  return "{ version: 1, laws: [{ \(row) }] }"
}

private func message(_ text: String) -> String {
  do {
    let catalog = try LawCatalog.builtIn().adding(.init(text.utf8), file: "f.json5")
    return "no error: \(catalog.laws.count) laws"
  } catch {
    return "\(error)"
  }
}

@Suite("Tables of laws")
struct TableTests {
  @Test("a law of one's own is a row in a file")
  func ownLaw() throws {
    #expect(message(table([:])).hasPrefix("no error"), "\(message(table([:])))")
    let law = try LawCatalog().adding(.init(table([:]).utf8), file: "f").law("MINE")
    #expect(law.value(parameters: [2], variables: [3]) == 6)
    #expect(law.residuals == .log && law.parameters[0].bounds.contains(-1e300))
  }

  @Test("rows that contradict themselves are refused with the field's name")
  func refusals() {
    let cases: [([String: String], [String])] = [
      (["expression": "\"a*x + \""], ["law \"mine\"", "expression", "character 7"]),
      (["expression": "\"a*x*y\""], ["\"y\" is neither"]),
      (["expression": "\"x\""], ["parameter \"a\" is not in"]),
      (["expression": "\"a\""], ["variable \"x\" is in no expression"]),
      (["expression": ""], ["laws", "expected expression"]),
      (["expression": "3"], ["laws"]), (["name": "\"\""], ["name"]),
      (["name": "\"a b\""], ["name"]), (["name": "\"WEAK\""], ["\"WEAK\" is taken"]),
      (["aliases": "[\"qid\"]"], ["\"qid\" is taken"]), (["status": "\"sure\""], ["status"]),
      (["titel": "\"t\""], ["unknown field \"titel\"", "nearest: \"title\""]),
      (
        ["variables": "[{ symbol: \"x\", colum: \"x\", meaning: \"x\", column: \"x\" }]"],
        ["variables.colum", "variables.column"]
      ),
      (
        ["variables": "[\(variable), { symbol: \"x\", column: \"z\", meaning: \"x\" }]"],
        ["symbol \"x\" is there twice"]
      ),
      (
        ["variables": "[{ symbol: \"exp\", column: \"x\", meaning: \"x\" }]"],
        ["symbol \"exp\""]
      ),
      (
        ["variables": "[{ symbol: \"x\", column: \"Y\", meaning: \"x\" }]"],
        ["column \"y\" is there twice"]
      ),
      (
        ["variables": "[{ symbol: \"x\", column: \"x\", meaning: \"x\", factor: 0 }]"], ["factor"]
      ),
      (
        ["variables": "[{ symbol: \"x\", column: \"x\", meaning: \"x\", domain: [2, 1] }]"],
        ["domain of x", "above"]
      ),
      (["parameters": "[{ symbol: \"a\", meaning: \"a\" }]"], ["expected start"]),
      (["parameters": "[{ symbol: \"a\", meaning: \"a\", start: [1] }]"], ["[low, high]"]),
      (
        ["parameters": "[{ symbol: \"a\", meaning: \"a\", start: [0, 3], bounds: [0, 1] }]"],
        ["start of a", "within bounds"]
      ),
      (
        ["parameters": "[{ symbol: \"a\", meaning: \"a\", start: [0, 1], log: true }]"],
        ["log of a"]
      ),
      (
        ["derived": "[{ name: \"q\", meaning: \"q\", expression: \"b\" }]"], ["derived q", "\"b\""]
      ),
      (["derived": "[{ name: \"q\", meaning: \"q\", expression: \"a*\" }]"], ["derived q"]),
      (
        ["sets": "[{ name: \"s\", values: { b: 1 }, status: \"own-fit\", source: \"s\" }]"],
        ["set \"s\"", "\"b\""]
      ),
      (
        [
          "sets":
            "[{ name: \"s\", values: {}, status: \"own-fit\", source: \"s\", validity: { z: [0, 1] } }]"
        ], ["no column \"z\""]
      ),
    ]
    for (changes, words) in cases {
      let observed = message(table(changes))
      for word in words {
        #expect(observed.contains(word), "\(changes): expected \(word) in: \(observed)")
      }
    }
    for (text, word) in [
      ("{", "not JSON5"), ("{ laws: [] }", "version"), ("{ version: 2 }", "version"),
      ("{ version: 1, law: [] }", "\"law\" (nearest: \"laws\")"),
    ] {
      #expect(message(text).contains(word), "\(text): \(message(text))")
    }
  }

  @Test("errors have the exit codes of the command")
  func exitCodes() throws {
    let catalog = try LawCatalog.builtIn()
    #expect(throws: LawError.self) { try catalog.adding(file: "/no/such/file") }
    do {
      _ = try catalog.adding(file: "/no/such/file")
    } catch {
      #expect(error.exitCode == 66 && "\(error)".contains("no such file"), "\(error)")
    }
    do {
      _ = try catalog.law("nothing")
    } catch {
      #expect(error.exitCode == 64, "\(error)")
    }
    do {
      _ = try catalog.law("weak").coefficientSet("theirs")
    } catch {
      #expect(error.exitCode == 64 && "\(error)".contains("qwen1.5-matmul"), "\(error)")
    }
  }
}

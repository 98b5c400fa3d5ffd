import ScalingLaws
import Testing

/// A law of one variable x and parameters a, b with a formula, made from a row of JSON5.
private func law(_ formula: String) throws -> LawFamily {
  let row = """
    { version: 1, laws: [{ name: "test", title: "t", source: "s", status: "own-fit",
      expression: "0*a + 0*b + 0*x + (\(formula))",
      variables: [{ symbol: "x", column: "x", meaning: "x" }],
      parameters: [{ symbol: "a", meaning: "a", start: [0, 1] }, { symbol: "b", meaning: "b", start: [0, 1] }],
      target: { column: "y", meaning: "y" } }] }
    """
  return try LawCatalog().adding(.init(row.utf8), file: "test.json5").law("TEST")
}

@Suite("Expressions: reading and evaluating")
struct ExpressionTests {
  @Test("values follow the usual precedence; powers bind to the right and above the sign")
  func values() throws {
    // a = 2, b = 3, x = 5.
    let cases: [(String, Double)] = [
      ("1+2*3", 7), ("(1+2)*3", 9), ("2^3^2", 512), ("-2^2", -4), ("2^-2", 0.25), ("(-2)^2", 4),
      ("8/4/2", 1), ("8-4-2", 2), ("a*x-b", 7), ("--a", 2), ("-a*b", -6), ("a^-b^2", 1 / 512.0),
      ("1.5e2+.5", 150.5), ("2e-1*x", 1), ("exp(0)", 1), ("ln(1)", 0), ("log2(8)", 3),
      ("log10(1000)", 3), ("sqrt(16)", 4), ("tanh(0)", 0), ("min(a,b)", 2), ("max(a, b)", 3),
      ("min(x, max(a, 4))", 4), ("  a  * ( b ) ", 6), ("exp(ln(x))", 5), ("0^a", 0), ("x^0", 1),
    ]
    for (text, expected) in cases {
      let observed = try law(text).value(parameters: [2, 3], variables: [5])
      #expect(
        abs(observed - expected) <= 1e-14 * abs(expected), "\(text): \(expected), \(observed)")
    }
  }

  @Test("gradients agree with central differences")
  func gradients() throws {
    let formulas = [
      "a*x+b", "a-b", "a/b", "a*b*x", "exp(a*x/4)*b", "x^a", "a^b", "b^-a", "ln(a+x)", "log2(a*b)",
      "log10(a)/b", "sqrt(a*x+b)", "tanh(a/b)", "min(a, b)", "max(a*x, b)", "-a^2*-b", "(x+a)^b",
      "a^x", "(a-3)^2", "exp(-a/b)*tanh(b)^a",
    ]
    for text in formulas {
      let family = try law(text)
      let point = [1.3, 0.7]
      let (value, slopes) = family.gradient(parameters: point, variables: [2.5])
      #expect(value == family.value(parameters: point, variables: [2.5]), "\(text)")
      for index in point.indices {
        var (low, high) = (point, point)
        low[index] -= 1e-5
        high[index] += 1e-5
        let expected =
          (family.value(parameters: high, variables: [2.5])
            - family.value(parameters: low, variables: [2.5])) / 2e-5
        #expect(
          abs(slopes[index] - expected) <= 1e-7 * max(1, abs(expected)),
          "\(text) by \(index): \(expected), \(slopes[index])")
      }
    }
  }

  @Test("a parameter of no influence leaves no trace where slopes are infinite")
  func degenerateSlopes() throws {
    #expect(try law("x^a").gradient(parameters: [2, 3], variables: [0]).byParameter == [0, 0])
    #expect(
      try law("(a-4)^2").gradient(parameters: [2, 3], variables: [0]).byParameter == [-4, 0])
    #expect(
      try law("sqrt(x)+a").gradient(parameters: [2, 3], variables: [0]).byParameter == [1, 0])
  }

  @Test("what is no expression is refused at its place")
  func refusals() {
    let cases: [(String, Int)] = [
      ("", 1), ("  ", 3), ("1+", 3), ("1 2", 3), ("(1", 3), ("1)", 2), ("a b", 3), ("exp", 4),
      ("exp()", 5), ("exp(1,2)", 1), ("min(1)", 1), ("lg(1)", 1), ("1+foo(2)", 3), ("2*/3", 3),
      ("a..b", 2), ("1.2.3", 4), ("$", 1), ("a*+b", 3), ("1e999", 1), (".", 1), ("2E", 2),
      (String(repeating: "(", count: 500) + "1", 101), (String(repeating: "-", count: 500), 101),
      (String(repeating: "1", count: 10_001), 10_001), ("a^", 3), ("exp(1", 6), ("٣", 1),
    ]
    for (text, position) in cases {
      do {
        let read = try LawExpression(text)
        Issue.record("\(text.prefix(40)) was read as \(read.root)")
      } catch {
        #expect(error.position == position, "\(text.prefix(40)): \(position), \(error)")
      }
    }
  }

  @Test("symbols are listed once, in order of appearance")
  func symbols() throws {
    #expect(
      try LawExpression("b*exp(A*Q_r) + b/_x1 - gamma_N").symbols == [
        "b", "A", "Q_r", "_x1", "gamma_N",
      ])
  }
}

/// Reads one expression by recursive descent.
struct LawExpressionParser {
  private let characters: [Character]
  private var place = 0
  private var depth = 0

  /// How deep parentheses, calls, signs and powers may nest: a file must not exhaust the stack.
  private static let deepest = 100
  private static let longest = 10_000

  init(_ text: String) { characters = Array(text) }

  mutating func parse() throws(LawExpressionError) -> LawExpression.Node {
    guard characters.count <= Self.longest else {
      throw LawExpressionError(
        position: Self.longest + 1, problem: "the expression is too long",
        expected: "at most \(Self.longest) characters")
    }
    let node = try sum()
    guard peek == nil else { throw unexpected("an operator or the end") }
    return node
  }

  /// The next character that is not a space.
  private var peek: Character? {
    mutating get {
      while place < characters.count, characters[place].isWhitespace { place += 1 }
      return place < characters.count ? characters[place] : nil
    }
  }

  private mutating func unexpected(_ expected: String) -> LawExpressionError {
    let found = peek.map { "unexpected \"\($0)\"" } ?? "the expression ends here"
    return LawExpressionError(position: place + 1, problem: found, expected: expected)
  }

  private mutating func take(_ wanted: Character) -> Bool {
    guard peek == wanted else { return false }
    place += 1
    return true
  }

  private mutating func sum() throws(LawExpressionError) -> LawExpression.Node {
    var node = try product()
    while true {
      if take("+") {
        node = .binary(.plus, node, try product())
      } else if take("-") {
        node = .binary(.minus, node, try product())
      } else {
        return node
      }
    }
  }

  private mutating func product() throws(LawExpressionError) -> LawExpression.Node {
    var node = try signed()
    while true {
      if take("*") {
        node = .binary(.times, node, try signed())
      } else if take("/") {
        node = .binary(.over, node, try signed())
      } else {
        return node
      }
    }
  }

  private mutating func signed() throws(LawExpressionError) -> LawExpression.Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else {
      throw LawExpressionError(
        position: place + 1, problem: "nested too deeply",
        expected: "at most \(Self.deepest) levels")
    }
    if take("-") { return .negation(try signed()) }
    let base = try primary()
    return take("^") ? .binary(.power, base, try signed()) : base
  }

  private mutating func primary() throws(LawExpressionError) -> LawExpression.Node {
    guard let next = peek else { throw unexpected("a number, a symbol or \"(\"") }
    if take("(") {
      let node = try sum()
      guard take(")") else { throw unexpected("\")\"") }
      return node
    }
    if next.isDigit || next == "." { return .number(try number()) }
    if next.isLetter || next == "_" { return try name() }
    throw unexpected("a number, a symbol or \"(\"")
  }

  private mutating func digits() {
    while place < characters.count, characters[place].isDigit { place += 1 }
  }

  private mutating func number() throws(LawExpressionError) -> Double {
    let start = place
    digits()
    if place < characters.count, characters[place] == "." {
      place += 1
      digits()
    }
    if place < characters.count, characters[place] == "e" || characters[place] == "E" {
      var after = place + 1
      if after < characters.count, characters[after] == "+" || characters[after] == "-" {
        after += 1
      }
      if after < characters.count, characters[after].isDigit {
        place = after
        digits()
      }
    }
    let text = String(characters[start..<place])
    guard let value = Double(text), value.isFinite else {
      throw LawExpressionError(
        position: start + 1, problem: "\"\(text)\" is not a number that fits a double")
    }
    return value
  }

  private mutating func name() throws(LawExpressionError) -> LawExpression.Node {
    let start = place
    while place < characters.count, characters[place].isSymbolPart { place += 1 }
    let text = String(characters[start..<place])
    let function = LawExpression.Function(rawValue: text)
    guard take("(") else {
      guard function == nil else { throw unexpected("\"(\" after the function \"\(text)\"") }
      return .symbol(text)
    }
    guard let function else {
      throw LawExpressionError(
        position: start + 1, problem: "unknown function \"\(text)\"",
        expected: LawExpression.Function.allCases.map(\.rawValue).joined(separator: ", "))
    }
    var arguments = [try sum()]
    while take(",") { arguments.append(try sum()) }
    guard arguments.count == function.arity else {
      throw LawExpressionError(
        position: start + 1, problem: "\(text) has \(arguments.count) arguments",
        expected: "\(function.arity)")
    }
    guard take(")") else { throw unexpected("\")\"") }
    return .call(function, arguments)
  }
}

extension Character {
  /// An ASCII digit: other scripts' digits are no numbers here.
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
  fileprivate var isSymbolPart: Bool { isLetter || isDigit || self == "_" }
}

extension LawExpression {
  /// Whether a text can stand for a number in an expression: a symbol, and no function's name.
  static func isSymbol(_ text: String) -> Bool {
    guard let first = text.first, first.isLetter || first == "_",
      text.allSatisfy(\.isSymbolPart)
    else { return false }
    return Function(rawValue: text) == nil
  }
}

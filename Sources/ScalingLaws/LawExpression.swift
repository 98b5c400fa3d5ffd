/// A formula over named numbers, read from text: `C*exp(A*Q_r)*N^-gamma_N`.
///
/// Grammar, from loose to tight: `+ -`, `* /`, unary `-`, `^` (to the right, so that `a^b^c` is
/// `a^(b^c)` and `-x^2` is `-(x^2)`), then numbers, symbols, calls and parentheses. Symbols are
/// letters, digits and underscores, case-sensitive, starting with a letter or underscore. A number is
/// decimal, with an exponent where `e` or `E` is followed by digits.
public struct LawExpression: Sendable, Hashable {
  /// The text as it was written.
  public let text: String
  /// The parsed formula.
  public let root: Node
  /// The free symbols, in the order in which they first appear.
  public let symbols: [String]

  /// A parsed formula's parts.
  public indirect enum Node: Sendable, Hashable {
    case number(Double)
    case symbol(String)
    case negation(Node)
    case binary(Operator, Node, Node)
    /// As many arguments as the function's `arity`.
    case call(Function, [Node])
  }

  public enum Operator: String, Sendable, Hashable, CaseIterable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"
    case power = "^"
  }

  /// What can be called. `ln`, `log2` and `log10` are NaN below 0, as `sqrt` is.
  public enum Function: String, Sendable, Hashable, CaseIterable {
    case exp, ln, log2, log10, sqrt, tanh, min, max

    /// How many arguments it takes.
    public var arity: Int { self == .min || self == .max ? 2 : 1 }
  }

  /// Reads a formula.
  ///
  /// - Throws: where the text is not one: the position, what stands there, what was expected.
  public init(_ text: String) throws(LawExpressionError) {
    var parser = LawExpressionParser(text)
    root = try parser.parse()
    self.text = text
    var seen: Set<String> = []
    symbols = root.symbols.filter { seen.insert($0).inserted }
  }
}

extension LawExpression.Node {
  /// Every symbol from left to right, repeats included.
  var symbols: [String] {
    switch self {
    case .number: []
    case .symbol(let name): [name]
    case .negation(let node): node.symbols
    case .binary(_, let left, let right): left.symbols + right.symbols
    case .call(_, let arguments): arguments.flatMap(\.symbols)
    }
  }
}

/// Why a text is not an expression.
public struct LawExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The character at which reading stopped, counted from 1; one past the last at the end.
  public var position: Int
  public var problem: String
  public var expected: String?

  public init(position: Int, problem: String, expected: String? = nil) {
    self.position = position
    self.problem = problem
    self.expected = expected
  }

  /// One line: `character 7: unknown function "lg" (expected exp, ln, ...)`.
  public var description: String {
    "character \(position): \(problem)" + (expected.map { " (expected \($0))" } ?? "")
  }
}

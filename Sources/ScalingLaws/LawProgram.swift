#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An expression whose symbols are bound to places in two lists, in postfix order: what a fit evaluates
/// some million times.
struct LawProgram: Sendable, Hashable {
  private enum Step: Sendable, Hashable {
    case number(Double)
    case variable(Int)
    case parameter(Int)
    case negate
    case binary(LawExpression.Operator)
    case call(LawExpression.Function)
  }

  private var steps: [Step] = []
  /// The most operands that stand at once.
  private var room = 0

  /// Binds an expression.
  ///
  /// - Returns: nil where a symbol is in neither list.
  init?(_ expression: LawExpression, parameters: [String], variables: [String]) {
    guard append(expression.root, parameters, variables) else { return nil }
    var standing = 0
    for step in steps {
      switch step {
      case .number, .variable, .parameter: standing += 1
      case .negate: break
      case .binary: standing -= 1
      case .call(let function): standing -= function.arity - 1
      }
      room = max(room, standing)
    }
  }

  private mutating func append(
    _ node: LawExpression.Node, _ parameters: [String], _ variables: [String]
  ) -> Bool {
    switch node {
    case .number(let value): steps.append(.number(value))
    case .symbol(let name):
      if let place = parameters.firstIndex(of: name) {
        steps.append(.parameter(place))
      } else if let place = variables.firstIndex(of: name) {
        steps.append(.variable(place))
      } else {
        return false
      }
    case .negation(let inner):
      guard append(inner, parameters, variables) else { return false }
      steps.append(.negate)
    case .binary(let sign, let left, let right):
      guard append(left, parameters, variables), append(right, parameters, variables) else {
        return false
      }
      steps.append(.binary(sign))
    case .call(let function, let arguments):
      for argument in arguments {
        guard append(argument, parameters, variables) else { return false }
      }
      steps.append(.call(function))
    }
    return true
  }

  /// The value.
  func value(parameters: [Double], variables: [Double]) -> Double {
    run(parameters, variables, width: 1) { $0[0] }
  }

  /// The value, and its derivative by each parameter (forward mode: every operand carries its own).
  func gradient(
    parameters: [Double], variables: [Double]
  ) -> (value: Double, byParameter: [Double]) {
    run(parameters, variables, width: parameters.count + 1) { ($0[0], Array($0.dropFirst())) }
  }

  /// Evaluates on a stack of operands of `width` doubles: the value, then `width` - 1 derivatives.
  private func run<Result>(
    _ parameters: [Double], _ variables: [Double], width: Int,
    _ take: (UnsafeMutableBufferPointer<Double>) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: room * width) { stack in
      stack.initialize(repeating: 0)
      var top = 0
      for step in steps {
        switch step {
        case .number(let value): push(value, onto: stack, at: &top, width)
        case .variable(let place): push(variables[place], onto: stack, at: &top, width)
        case .parameter(let place):
          push(parameters[place], onto: stack, at: &top, width)
          if width > 1 { stack[top - width + 1 + place] = 1 }
        case .negate:
          for index in top - width..<top { stack[index] = -stack[index] }
        case .binary(let sign):
          top -= width
          combine(stack, left: top - width, right: top, width, partials(sign))
        case .call(.min):
          top -= width
          combine(stack, left: top - width, right: top, width) { $1 < $0 ? ($1, 0, 1) : ($0, 1, 0) }
        case .call(.max):
          top -= width
          combine(stack, left: top - width, right: top, width) { $1 > $0 ? ($1, 0, 1) : ($0, 1, 0) }
        case .call(let function):
          let (value, slope) = Self.apply(function, stack[top - width])
          stack[top - width] = value
          for index in top - width + 1..<top { stack[index] = Self.scaled(stack[index], slope) }
        }
      }
      return take(UnsafeMutableBufferPointer(rebasing: stack[0..<width]))
    }
  }

  private func push(
    _ value: Double, onto stack: UnsafeMutableBufferPointer<Double>, at top: inout Int, _ width: Int
  ) {
    stack[top] = value
    for index in top + 1..<top + width { stack[index] = 0 }
    top += width
  }

  /// Replaces the left operand by the function of both, given its value and its two partial
  /// derivatives.
  private func combine(
    _ stack: UnsafeMutableBufferPointer<Double>, left: Int, right: Int, _ width: Int,
    _ partials: (Double, Double) -> (value: Double, left: Double, right: Double)
  ) {
    let (value, byLeft, byRight) = partials(stack[left], stack[right])
    stack[left] = value
    for index in 1..<width {
      stack[left + index] =
        Self.scaled(stack[left + index], byLeft) + Self.scaled(stack[right + index], byRight)
    }
  }

  /// A derivative times a slope; none stays none, even where the slope is infinite or undefined
  /// (0^a, ln of a negative base under a constant exponent).
  private static func scaled(_ derivative: Double, _ slope: Double) -> Double {
    derivative == 0 ? 0 : derivative * slope
  }

  private func partials(
    _ sign: LawExpression.Operator
  ) -> (Double, Double) -> (value: Double, left: Double, right: Double) {
    switch sign {
    case .plus: { ($0 + $1, 1, 1) }
    case .minus: { ($0 - $1, 1, -1) }
    case .times: { ($0 * $1, $1, $0) }
    case .over: { ($0 / $1, 1 / $1, -$0 / ($1 * $1)) }
    case .power:
      { base, exponent in
        let value = pow(base, exponent)
        // 0^b does not move with b > 0.
        let byExponent = base == 0 && exponent > 0 ? 0 : value * log(base)
        return (value, exponent == 0 ? 0 : exponent * pow(base, exponent - 1), byExponent)
      }
    }
  }

  /// A function of one number, and its slope there.
  private static func apply(
    _ function: LawExpression.Function, _ x: Double
  ) -> (value: Double, slope: Double) {
    switch function {
    case .exp:
      let value = exp(x)
      return (value, value)
    case .ln: return (log(x), 1 / x)
    case .log2: return (log2(x), 1 / (x * log(2)))
    case .log10: return (log10(x), 1 / (x * log(10)))
    case .sqrt:
      let root = x.squareRoot()
      return (root, 0.5 / root)
    case .tanh:
      let value = tanh(x)
      return (value, (1 - value) * (1 + value))
    case .min, .max: return (x, 1)
    }
  }
}

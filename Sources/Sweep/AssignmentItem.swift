/// What an assignment decides on: a matrix product, or a whole layer of them.
public struct AssignmentItem: Sendable, Hashable {
  public var name: String
  /// Weights; 1 or more.
  public var parameters: Int
  /// What the item adds to the error in low precision: α·t², or t² weighted otherwise.
  public var lowError: Double
  /// What it adds in high precision; 0 where that is not quantised.
  public var highError: Double

  public init(name: String, parameters: Int, lowError: Double, highError: Double = 0) {
    self.name = name
    self.parameters = parameters
    self.lowError = lowError
    self.highError = highError
  }

  /// What low precision adds to the error.
  var gain: Double { lowError - highError }
}

/// Which items are in low precision.
public struct Assignment: Sendable, Hashable {
  /// One for each item.
  public var isLow: [Bool]
  /// Weights in low precision.
  public var lowParameters: Int
  /// The sum of the items' errors.
  public var error: Double

  public init(_ items: [AssignmentItem], isLow: [Bool]) {
    self.isLow = isLow
    lowParameters = 0
    error = 0
    for (item, low) in zip(items, isLow) {
      lowParameters += low ? item.parameters : 0
      error += low ? item.lowError : item.highError
    }
  }
}

/// A problem of mixed precision: choose the items in low precision so that at least a share Q_r of all
/// weights is, and the sum of errors is least.
///
/// The paper's ratio Q_r = ‖W_l‖₀/(‖W_h‖₀ + ‖W_l‖₀) is met from above, as items are whole.
public struct AssignmentProblem: Sendable {
  public let items: [AssignmentItem]
  public let parameters: Int

  /// - Parameter items: with finite errors and 1 weight or more each.
  public init(_ items: [AssignmentItem]) throws(AssignmentError) {
    guard !items.isEmpty else { throw .noItems }
    for item in items {
      guard item.parameters > 0 else { throw .parameters(item.name, item.parameters) }
      guard item.lowError.isFinite, item.highError.isFinite else { throw .error(item.name) }
    }
    self.items = items
    parameters = items.reduce(0) { $0 + $1.parameters }
  }

  /// The fewest weights in low precision that reach a share.
  ///
  /// - Throws: `share` unless 0 ≤ q ≤ 1.
  public func lowParameters(for share: Double) throws(AssignmentError) -> Int {
    guard share >= 0, share <= 1 else { throw .share(share) }
    let exact = share * Double(parameters)
    // A share such as 0.7 is no binary fraction: a product that misses an integer by rounding alone is it.
    let near = exact.rounded()
    return abs(exact - near) <= 1e-9 * max(1, near) ? Int(near) : Int(exact.rounded(.up))
  }

  func assignment(of taken: some Sequence<Int>) -> Assignment {
    var isLow = [Bool](repeating: false, count: items.count)
    for index in taken { isLow[index] = true }
    return Assignment(items, isLow: isLow)
  }

  /// Takes items in an order until enough weights are in low precision.
  func filling(_ order: some Sequence<Int>, to lowParameters: Int) -> Assignment {
    var sum = 0
    var taken: [Int] = []
    for index in order {
      if sum >= lowParameters { break }
      taken.append(index)
      sum += items[index].parameters
    }
    return assignment(of: taken)
  }
}

/// Why a problem cannot be posed or solved.
public enum AssignmentError: Error, Sendable, Hashable {
  case noItems
  case parameters(String, Int)
  case error(String)
  case share(Double)
  case trials(Int)
  /// The exact method would keep more than this many states.
  case tooManyStates(Int)

  /// The exit code of `sysexits.h`: 65 where what was measured is the reason, 64 otherwise.
  public var exitCode: Int32 {
    switch self {
    case .noItems, .parameters, .error: 65
    case .share, .trials, .tooManyStates: 64
    }
  }
}

extension AssignmentError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noItems: "nothing to assign a precision to"
    case .parameters(let name, let count):
      "\(name): \(count) weights (expected 1 or more)"
    case .error(let name): "\(name): no finite error was measured"
    case .share(let share): "Q_r = \(share): expected 0 to 1"
    case .trials(let count): "\(count) trials of a random search (expected 1 or more)"
    case .tooManyStates(let limit):
      "the exact assignment would keep more than \(limit) states: use greedy or random"
    }
  }
}

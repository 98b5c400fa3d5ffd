extension AssignmentProblem {
  /// For every reachable count of weights in low precision the least error, as far as it is not beaten by
  /// a higher count: the exact answer for every Q_r at once.
  ///
  /// Dynamic programming over lists of undominated states (Nemhauser and Ullmann, "Discrete dynamic
  /// programming and capital allocation", Management Science 15(9), 1969, on counts of weights as they are, not
  /// rounded. Lists stay short where many tensors share a few sizes, as those of transformers do.
  /// - Parameter maximumStates: in all lists together.
  public func knapsack(
    maximumStates: Int = 20_000_000
  ) throws(AssignmentError) -> AssignmentFrontier {
    var levels: [[State]] = [[State(parameters: 0, gain: 0, parent: 0, isTaken: false)]]
    var count = 1
    for item in items {
      let next = Self.merged(levels[levels.count - 1], item)
      count += next.count
      guard count <= maximumStates else { throw .tooManyStates(maximumStates) }
      levels.append(next)
    }
    return AssignmentFrontier(problem: self, levels: levels)
  }

  /// A choice for the first items of the list.
  struct State: Sendable {
    var parameters: Int
    var gain: Double
    /// Where it came from in the list before.
    var parent: Int32
    var isTaken: Bool

    /// At least as many weights in low precision for no more error.
    func dominates(_ other: State) -> Bool {
      parameters >= other.parameters && gain <= other.gain
    }
  }

  /// The list with and without another item, weights falling and gains falling with them.
  private static func merged(_ states: [State], _ item: AssignmentItem) -> [State] {
    var result: [State] = []
    result.reserveCapacity(2 * states.count)
    var (without, with) = (0, 0)
    while without < states.count || with < states.count {
      let left = without < states.count ? step(states, without, nil) : nil
      let right = with < states.count ? step(states, with, item) : nil
      let takesRight: Bool
      switch (left, right) {
      case (let left?, let right?):
        takesRight =
          right.parameters != left.parameters
          ? right.parameters > left.parameters : right.gain < left.gain
      default: takesRight = left == nil
      }
      guard let state = takesRight ? right : left else { break }
      if takesRight { with += 1 } else { without += 1 }
      if result.last?.dominates(state) ?? false { continue }
      result.append(state)
    }
    return result
  }

  private static func step(_ states: [State], _ index: Int, _ item: AssignmentItem?) -> State {
    let state = states[index]
    return State(
      parameters: state.parameters + (item?.parameters ?? 0), gain: state.gain + (item?.gain ?? 0),
      parent: Int32(index), isTaken: item != nil)
  }
}

/// The least error for every share of weights in low precision.
public struct AssignmentFrontier: Sendable {
  let problem: AssignmentProblem
  let levels: [[AssignmentProblem.State]]

  /// The assignment of least error with at least this share in low precision.
  public func best(share: Double) throws(AssignmentError) -> Assignment {
    let needed = try problem.lowParameters(for: share)
    let states = levels[levels.count - 1]
    // Weights fall and so do gains: the last that has enough is the least.
    var (low, high) = (0, states.count)
    while low < high {
      let middle = (low + high) / 2
      if states[middle].parameters >= needed { low = middle + 1 } else { high = middle }
    }
    var index = max(0, low - 1)
    var taken: [Int] = []
    for level in stride(from: levels.count - 1, to: 0, by: -1) {
      let state = levels[level][index]
      if state.isTaken { taken.append(level - 1) }
      index = Int(state.parent)
    }
    return problem.assignment(of: taken)
  }
}

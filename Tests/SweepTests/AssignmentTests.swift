import NumberFormats
import Sweep
import Testing

/// Reproducible problems: few sizes, as transformers have, or all sizes different.
private func items(_ count: Int, seed: UInt64, hasFewSizes: Bool) -> [AssignmentItem] {
  (0..<count).map { index in
    let word = philox4x32Word0(seed: seed, index: UInt64(index))
    let size = hasFewSizes ? [1, 4, 4, 7][Int(word % 4)] : 1 + Int(word % 1000)
    let error = Double(philox4x32Word0(seed: seed, index: 1000 + UInt64(index))) * 0x1p-32
    // Some items are better in low precision than in high.
    return AssignmentItem(
      name: "layer.\(index)", parameters: size, lowError: error, highError: error > 0.9 ? 0.95 : 0)
  }
}

/// The least error over all subsets that reach the share.
private func bruteForce(_ problem: AssignmentProblem, needed: Int) -> Double {
  var best = Double.infinity
  for mask in 0..<(1 << problem.items.count) {
    let choice = Assignment(
      problem.items, isLow: problem.items.indices.map { mask >> $0 & 1 == 1 })
    if choice.lowParameters >= needed { best = min(best, choice.error) }
  }
  return best
}

private let shares = [0, 0.1, 0.3, 0.5, 0.7, 0.75, 0.9, 0.95, 0.99, 1]

@Suite("Assignments of precision")
struct AssignmentTests {
  @Test("The knapsack is the best of all subsets", arguments: [true, false])
  func exact(hasFewSizes: Bool) throws {
    for seed in 1...6 as ClosedRange<UInt64> {
      let problem = try AssignmentProblem(items(12, seed: seed, hasFewSizes: hasFewSizes))
      let frontier = try problem.knapsack()
      for share in shares {
        let needed = try problem.lowParameters(for: share)
        let found = try frontier.best(share: share)
        let expected = bruteForce(problem, needed: needed)
        #expect(found.lowParameters >= needed, "seed \(seed), share \(share): \(found)")
        #expect(
          abs(found.error - expected) <= 1e-12,
          "seed \(seed), share \(share): expected \(expected), observed \(found.error)")
        #expect(found == Assignment(problem.items, isLow: found.isLow))
      }
    }
  }

  @Test("Neither greedy nor random search beats the knapsack, and both reach the share")
  func heuristics() throws {
    var greedyIsWorse = 0
    for seed in 1...20 as ClosedRange<UInt64> {
      let problem = try AssignmentProblem(items(60, seed: seed, hasFewSizes: seed % 2 == 0))
      let frontier = try problem.knapsack()
      for share in shares {
        let best = try frontier.best(share: share)
        let needed = try problem.lowParameters(for: share)
        let greedy = try problem.greedy(share: share)
        let random = try problem.randomSearch(share: share, seed: seed)
        for (name, other) in [("greedy", greedy), ("random", random)] {
          #expect(other.lowParameters >= needed, "\(name), seed \(seed), share \(share)")
          #expect(
            other.error >= best.error - 1e-12,
            "\(name), seed \(seed), share \(share): \(other.error) beats \(best.error)")
        }
        if greedy.error > best.error + 1e-9 { greedyIsWorse += 1 }
      }
    }
    #expect(greedyIsWorse > 0, "the problems are so easy that nothing is compared")
  }

  @Test("Random search: one seed one result, more trials never worse, other seeds other results")
  func random() throws {
    let problem = try AssignmentProblem(items(40, seed: 3, hasFewSizes: false))
    let one = try problem.randomSearch(share: 0.7, trials: 50, seed: 5)
    #expect(try problem.randomSearch(share: 0.7, trials: 50, seed: 5) == one)
    #expect(try problem.randomSearch(share: 0.7, trials: 50, seed: 6) != one)
    var last = Double.infinity
    for trials in [1, 2, 5, 20, 50, 200] {
      let found = try problem.randomSearch(share: 0.7, trials: trials, seed: 5).error
      #expect(found <= last, "\(trials) trials")
      last = found
    }
  }

  @Test("A share that is no binary fraction is met by the count it means")
  func rounding() throws {
    let ten = try AssignmentProblem(
      (0..<10).map { AssignmentItem(name: "\($0)", parameters: 7, lowError: 1) })
    let expected = [
      (0.0, 0), (0.1, 7), (0.3, 21), (0.7, 49), (0.71, 50), (0.9, 63), (1, 70), (1e-12, 0),
    ]
    for (share, count) in expected {
      #expect(try ten.lowParameters(for: share) == count, "share \(share)")
    }
  }

  @Test("What cannot be assigned is refused")
  func refusals() throws {
    let item = AssignmentItem(name: "a", parameters: 1, lowError: 1)
    #expect(throws: AssignmentError.noItems) { try AssignmentProblem([]) }
    #expect(throws: AssignmentError.parameters("a", 0)) {
      try AssignmentProblem([AssignmentItem(name: "a", parameters: 0, lowError: 1)])
    }
    for error in [Double.nan, .infinity] {
      #expect(throws: AssignmentError.error("a")) {
        try AssignmentProblem([AssignmentItem(name: "a", parameters: 1, lowError: error)])
      }
    }
    let problem = try AssignmentProblem([item])
    for share in [-0.1, 1.1, .infinity] {
      #expect(throws: AssignmentError.share(share)) { try problem.greedy(share: share) }
    }
    #expect(throws: AssignmentError.trials(0)) { try problem.randomSearch(share: 0.5, trials: 0) }
    let hard = try AssignmentProblem(items(60, seed: 1, hasFewSizes: false))
    #expect(throws: AssignmentError.tooManyStates(100)) { try hard.knapsack(maximumStates: 100) }
  }
}

import NumberFormats

extension AssignmentProblem {
  /// The items of least error per weight first, until the share is reached.
  public func greedy(share: Double) throws(AssignmentError) -> Assignment {
    let needed = try lowParameters(for: share)
    let order = items.indices.sorted { left, right in
      let a = items[left].gain / Double(items[left].parameters)
      let b = items[right].gain / Double(items[right].parameters)
      return a != b ? a < b : left < right
    }
    return filling(order, to: needed)
  }

  /// The best of some random assignments, as in "Scaling Laws for Mixed Quantization" (arXiv
  /// 2410.06722 v1): there 50 trials, each scored by the model's loss on 1,024 samples; here by the sum
  /// of errors.
  ///
  /// Trial j takes the items in the order of Philox words 2^32·j + i under the seed: more trials never give
  /// a worse result, and the same seed gives the same on every machine.
  public func randomSearch(
    share: Double, trials: Int = 50, seed: UInt64 = 1
  ) throws(AssignmentError) -> Assignment {
    guard trials > 0 else { throw .trials(trials) }
    let needed = try lowParameters(for: share)
    var best: Assignment?
    for trial in 0..<trials {
      let words = items.indices.map {
        philox4x32Word0(seed: seed, index: UInt64(trial) << 32 | UInt64($0))
      }
      let order = items.indices.sorted {
        words[$0] != words[$1] ? words[$0] < words[$1] : $0 < $1
      }
      let found = filling(order, to: needed)
      if best.map({ found.error < $0.error }) ?? true { best = found }
    }
    guard let best else { throw .trials(trials) }
    return best
  }
}

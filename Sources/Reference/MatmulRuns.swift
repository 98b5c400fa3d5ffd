import NumberFormats

// A.6b's run rule: a unit that knows no scales, or whose partial sums are promoted, sums runs from
// 0, and float32 additions by tiesToEven outside the unit join them.
extension MatmulDot {
  func sumOfRuns(_ c: MatmulValue) -> MatmulValue {
    runs.reduce(c) { acc, run in addRun(run, to: acc) }
  }

  /// Runs end at every block border of a scaled operand, and after `promoteEvery` terms of a run.
  private var runs: [Range<Int>] {
    segments(0..<depth).flatMap { segment in
      let size = accumulator.promoteEvery ?? segment.count
      return stride(from: segment.lowerBound, to: segment.upperBound, by: size).map {
        // Written so that a large `size` cannot overflow.
        segment.upperBound - $0 <= size ? $0..<segment.upperBound : $0..<($0 + size)
      }
    }
  }

  /// acc = fl(acc + fl(P · fl(s_A·s_B))); without block scales acc = fl(acc + P).
  func addRun(_ run: Range<Int>, to acc: MatmulValue) -> MatmulValue {
    var partial = partialSum(run)
    if problem.isScaled {
      let (a, b) = (scaleA(run.lowerBound).value, scaleB(run.lowerBound).value)
      let factor = MatmulFormat.float32.round(a * b)
      partial = rounded(partial * factor, .init("scale", k: run, terms: [partial, factor]))
    }
    return rounded(acc + partial, .init("promote", k: run, terms: [acc, partial]))
  }

  /// P: the unit's sum of a run, from 0. An integer register's is a real number.
  private func partialSum(_ run: Range<Int>) -> MatmulValue {
    guard case .integer(let register) = accumulator.datapath else {
      return chain(run, from: .zero)
    }
    let sum = registerSum(register, run, from: .zero)
    return MatmulValue(Dyadic(sum, exponent: -fractionBits))
  }
}

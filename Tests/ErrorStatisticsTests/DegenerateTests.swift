import ErrorStatistics
import Testing

@Suite("Degenerate inputs")
struct DegenerateTests {
  let element = SampleElement.all[0]

  private func report(_ x: [Float], _ values: [Float], _ divisors: [Double]) -> ErrorReport {
    var data = SampleData(.normal, element, count: 0, seed: 0)
    (data.x, data.values, data.divisors) = (x, values, divisors)
    return data.report(element)
  }

  @Test("An empty tensor has counts of zero and no other value")
  func empty() {
    let report = report([], [], [])
    #expect(report.count == 0 && report.saturated == 0 && report.flushed == 0)
    #expect(report.meanError == nil && report.mse == nil && report.nmse == nil)
    #expect(report.sqnrDecibels == nil && report.cosine == nil && report.maxULP == nil)
    #expect(report.maxAbsoluteError == nil && report.maxRelativeError == nil)
    #expect(report.crestQuantiles == nil && report.bitsPerElement == nil)
  }

  @Test("An all-zero tensor has no relative quantity")
  func zeros() {
    let report = report([0, -0.0, 0], [0, -0.0, 0], [1, 1, 1])
    #expect(report.count == 3 && report.flushed == 0)
    #expect(report.mse == 0 && report.maxAbsoluteError == 0 && report.maxULP == 0)
    #expect(report.nmse == nil && report.sqnrDecibels == nil && report.cosine == nil)
    #expect(report.meanRelativeError == nil && report.maxRelativeError == nil)
  }

  @Test("Without error the ratio is infinite and the cosine one")
  func noError() {
    let report = report([0.5, -3, 6], [1, -6, 12 / 2], [0.5, 0.5, 1])
    #expect(report.nmse == 0 && report.sqnrDecibels == .infinity && report.cosine == 1)
    #expect(report.meanError == 0 && report.maxRelativeError == 0 && report.saturated == 0)
  }

  @Test("Zeros that become something have an infinite error")
  func onlyError() {
    let report = report([0, 0], [1, 0], [2, 2])
    #expect(report.nmse == .infinity && report.sqnrDecibels == -.infinity)
    #expect(report.meanError == 1 && report.mse == 2 && report.cosine == nil)
  }

  @Test("Flushed, saturated, NaN and infinite elements are counted and left out")
  func classes() {
    let report = report(
      [0.1, 7, 6, .infinity, .nan, 1, 1, -7, 1],
      [0, 6, 6, 6, 0, 0, 1, -6, 1],
      [1, 1, 1, 1, 1, .nan, .infinity, 1, 0])
    #expect(report.count == 9)
    #expect(report.flushed == 1)
    // 7, −7, the infinity, and 1 under a divisor of zero.
    #expect(report.saturated == 4)
    #expect(report.nan == 1)
    #expect(report.nonFinite == 4)
    #expect(report.maxAbsoluteError == 1)
    #expect(report.maxULP == 0.5)
  }

  @Test("Beyond the largest value the last gap is the unit, also where that value begins a binade")
  func lastGap() {
    let e3m0 = ElementSpacing.float(mantissaBits: 0, minExponent: -2, largest: 16)
    let e2m1 = ElementSpacing.float(mantissaBits: 1, minExponent: 0, largest: 6)
    for (spacing, x, v, expected) in [(e3m0, Float(24), Float(16), 1.0), (e2m1, 14, 6, 4)] {
      var accumulator = ErrorAccumulator(element: spacing)
      [x].withUnsafeBufferPointer { x in
        [v].withUnsafeBufferPointer { v in
          [1.0].withUnsafeBufferPointer { accumulator.add(x: x, values: v, divisors: $0) }
        }
      }
      #expect(accumulator.finish().map(\.maxULP) == [expected])
    }
  }

  @Test("A codebook of one value has no gap")
  func oneValue() {
    var accumulator = ErrorAccumulator(element: .codebook([2, 2]))
    [Float(3)].withUnsafeBufferPointer { x in
      [Float(2)].withUnsafeBufferPointer { v in
        [1.0].withUnsafeBufferPointer { accumulator.add(x: x, values: v, divisors: $0) }
      }
    }
    #expect(accumulator.finish().map(\.maxULP) == [0])
  }
}

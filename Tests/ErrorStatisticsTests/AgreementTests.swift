import ErrorStatistics
import Testing

@Suite("Statistics against 700-bit arithmetic")
struct AgreementTests {
  @Test("Every statistic agrees to 1e-12, counts exactly", arguments: SampleElement.all)
  func agrees(element: SampleElement) {
    for (i, kind) in SampleKind.allCases.enumerated() {
      let data = SampleData(kind, element, count: 3001, seed: UInt64(100 + i))
      compare(data.report(element), HighPrecisionStatistics(data, element), "\(element) \(kind)")
    }
  }

  @Test("A tensor of several chunks agrees to 1e-12")
  func severalChunks() {
    let element = SampleElement.all[0]
    let data = SampleData(.normal, element, count: 2 * ChunkSums.size + 777, seed: 9)
    compare(data.report(element), HighPrecisionStatistics(data, element), "three chunks")
  }

  @Test("Maxima of exact products are the exact maximum rounded once", arguments: SampleElement.all)
  func exactMaxima(element: SampleElement) {
    for kind in [SampleKind.ties, .zerosAndSubnormals] {
      let data = SampleData(kind, element, count: 2000, seed: 77)
      let expected = HighPrecisionStatistics(data, element).maxAbsolute.double
      let observed = data.report(element).maxAbsoluteError
      #expect(
        observed == expected,
        "\(element) \(kind): expected \(bits(expected)), observed \(bits(observed))")
    }
  }

  @Test("Ties are half a gap from the code", arguments: SampleElement.all)
  func tiesAreHalf(element: SampleElement) {
    let values = element.values
    // The first value's outer half-gap and saturation are left out: midpoints only.
    var data = SampleData(.ties, element, count: 0, seed: 0)
    for (low, high) in zip(values, values.dropFirst()) where low > 0 {
      let middle = (low + high) / 2
      guard Double(Float(middle)) == middle else { continue }
      data.x.append(Float(middle))
      data.values.append(Float(low))
      data.divisors.append(1)
    }
    #expect(!data.x.isEmpty)
    #expect(data.report(element).maxULP == 0.5)
  }

  private func compare(
    _ report: ErrorReport, _ exact: HighPrecisionStatistics, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(report.count == exact.count, "\(what)", sourceLocation: sourceLocation)
    #expect(report.saturated == exact.saturated, "\(what)", sourceLocation: sourceLocation)
    #expect(report.flushed == exact.flushed, "\(what)", sourceLocation: sourceLocation)
    #expect(report.nan == exact.nan, "\(what)", sourceLocation: sourceLocation)
    #expect(
      report.nonFinite == exact.count - exact.finite, "\(what)", sourceLocation: sourceLocation)

    let n = Real(Double(exact.finite))
    func check(_ name: String, _ observed: Double?, _ expected: Real, scale: Real? = nil) {
      let value = expected.double
      let error = ((Real(observed ?? .nan) - expected).magnitude / (scale ?? expected.magnitude))
      #expect(
        observed == value || error.double <= 1e-12,
        "\(what) \(name): expected \(bits(value)), observed \(bits(observed))",
        sourceLocation: sourceLocation)
    }
    // Sums with terms of both signs are held against the sum of magnitudes.
    check("mean_error", report.meanError, exact.error / n, scale: exact.absoluteError / n)
    check("mse", report.mse, exact.errorSquared / n)
    check("nmse", report.nmse, exact.errorSquared / exact.xSquared)
    check(
      "sqnr_db", report.sqnrDecibels,
      Real(10) * (exact.xSquared / exact.errorSquared).log10, scale: Real(10))
    check("max_abs_error", report.maxAbsoluteError, exact.maxAbsolute)
    check(
      "mean_relative_error", report.meanRelativeError,
      exact.relative / Real(Double(exact.nonzero)))
    check("max_relative_error", report.maxRelativeError, exact.maxRelative)
    check("max_ulp", report.maxULP, exact.maxULP)
    let norms = (exact.xSquared * exact.ySquared).squareRoot
    check("cosine", report.cosine, exact.xy / norms, scale: Real(1))
  }
}

import ErrorStatistics
import NumberFormats
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
    let parts = data.report(element).nmseParts ?? ErrorParts()
    #expect([parts.underflow, parts.clamped, parts.saturated, parts.flushed].allSatisfy { $0 > 0 })
    #expect(parts.sum < data.report(element).nmse ?? 0)
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

  @Test("Each element alone is measured in the gap that brackets it", arguments: SampleElement.all)
  func everyGap(element: SampleElement) {
    let gaps = GapFinder(element)
    for kind in [SampleKind.normal, .ties, .zerosAndSubnormals, .hugeRange, .wideDivisors] {
      let data = SampleData(kind, element, count: 600, seed: 55)
      for i in data.x.indices where data.x[i].isFinite {
        var one = data
        one.x = [data.x[i]]
        one.values = [data.values[i]]
        one.divisors = [data.divisors[i]]
        let q = Real(Double(data.x[i])) / Real(data.divisors[i])
        let error = (q - Real(Double(data.values[i]))).magnitude
        let expected = (error / gaps.gap(around: q)).double
        let observed = one.report(element).maxULP
        // v·d is inexact by 2^-53 of itself where v and d together have more than 53 bits.
        let slack = kind == .wideDivisors ? 1e-9 : 1e-15
        #expect(
          observed == expected || distance(observed, expected) <= slack,
          "\(element) \(kind) x \(data.x[i]) d \(data.divisors[i]): expected \(bits(expected)), observed \(bits(observed))"
        )
      }
    }
  }

  @Test("A descriptor's spacing is that of its fields")
  func descriptors() {
    func spacing(_ kind: ElementFormat.Kind) -> ElementSpacing {
      ElementSpacing(ElementFormat(name: "x", kind: kind))
    }
    func float(_ e: Int, _ m: Int, _ bias: Int, _ nonFinite: NonFiniteEncoding) -> ElementSpacing {
      spacing(
        .float(
          FloatLayout(
            signBits: 1, exponentBits: e, mantissaBits: m, bias: bias, nonFinite: nonFinite)))
    }
    func integer(_ bits: Int, _ fraction: Int) -> ElementSpacing {
      spacing(
        .integer(
          IntegerLayout(
            bits: bits, fractionBits: fraction, encoding: .twosComplement, fullRange: false)))
    }
    let expected: [String: ElementSpacing] = [
      "e2m1": float(2, 1, 1, .none), "e4m3": float(4, 3, 7, .allOnesNaN),
      "e5m2": float(5, 2, 15, .ieee), "e3m0": float(3, 0, 3, .none),
      "e4m3b11fnuz": float(4, 3, 11, .negativeZeroNaN), "e1m2": float(1, 2, 1, .none),
      "fp16": float(5, 10, 15, .ieee), "bf16": float(8, 7, 127, .ieee),
      "int8": integer(8, 0), "mxint8": integer(8, 6), "int4 full range": integer(4, 0),
      "nf4": spacing(.codebook(SampleElement.nf4)),
    ]
    let known = SampleElement.all.filter { expected[$0.name] != nil }
    #expect(known.count == expected.count)
    for element in known { #expect(expected[element.name] == element.spacing, "\(element)") }
  }

  @Test("A scale format's ends: its least normal number and its largest, times the tensor scale")
  func scaleEnds() {
    let ue4m3 = FloatLayout(
      signBits: 0, exponentBits: 4, mantissaBits: 3, bias: 7, nonFinite: .allOnesNaN)
    let e8m0 = FloatLayout(
      signBits: 0, exponentBits: 8, mantissaBits: 0, bias: 127, zeroExponentIsSubnormal: false,
      nonFinite: .allOnesNaN)
    let fp32 = FloatLayout(
      signBits: 1, exponentBits: 8, mantissaBits: 23, bias: 127, nonFinite: .ieee)
    let element = ElementFormat(name: "nf4", kind: .codebook(SampleElement.nf4))
    for (layout, isPower, t, normal, largest) in [
      (ue4m3, false, 1.0, 0x1p-6, 448), (ue4m3, false, 0.75, 0.75 * 0x1p-6, 336),
      (ue4m3, true, 1, 0x1p-9, 256), (e8m0, false, 1, 0x1p-127, 0x1p127),
      (fp32, false, 1, 0x1p-126, Double(Float.greatestFiniteMagnitude)),
      (fp32, true, 2, 0x1p-148, 0x1p128), (ue4m3, false, 0, 0, .infinity),
    ] {
      let format = BlockFormat(
        name: "x", element: element,
        scale: ScaleFormat(name: "s", layout: layout, storedBits: 8, canonicalNaN: 0),
        powerOfTwoScale: isPower, block: .line(16))
      let limits = ScaleLimits(format, tensorScale: t)
      #expect(
        limits == ScaleLimits(normal: normal, largest: largest),
        "\(layout) power of two \(isPower), T \(t): \(limits)")
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
    let parts = report.nmseParts
    check("nmse_underflow", parts?.underflow, exact.underflow / exact.xSquared)
    check("nmse_clamped", parts?.clamped, exact.clampedPart / exact.xSquared)
    check("nmse_saturated", parts?.saturated, exact.saturatedPart / exact.xSquared)
    check("nmse_flushed", parts?.flushed, exact.flushedPart / exact.xSquared)
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

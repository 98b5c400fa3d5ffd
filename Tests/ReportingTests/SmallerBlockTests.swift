import ErrorStatistics
import FormatCatalog
import NumberFormats
import Reporting
import Sweep
import Testing

@Suite("Where a smaller block errs more") struct SmallerBlockTests {
  @Test("The cause is the part of the squared error that grew the most, whatever the counts say")
  func causes() throws {
    let catalog = try FormatCatalog.standard()
    let before = ErrorParts(underflow: 0.01, clamped: 0.01, saturated: 0.05, flushed: 0.03)
    let settings: [(cause: SmallerBlockLosses.Cause, after: ErrorParts, growth: Double)] = [
      (.underflow, ErrorParts(underflow: 0.11, clamped: 0, saturated: 0.05, flushed: 0.04), 0.5),
      (.clamped, ErrorParts(underflow: 0.01, clamped: 0.07, saturated: 0.05, flushed: 0.04), 0.3),
      // More than all of the growth: the rest of the error falls.
      (.saturated, ErrorParts(underflow: 0, clamped: 0, saturated: 0.25, flushed: 0.01), 1),
      (.flushed, ErrorParts(underflow: 0.01, clamped: 0.01, saturated: 0.06, flushed: 0.11), 0.4),
      (.rounding, before, 0.5),
    ]
    for (cause, after, growth) in settings {
      let losses = losses("nvfp4", before, after, catalog)
      let summary = try #require(losses.summaries.first, "\(cause)")
      #expect(summary.causes == [cause: 1], "\(cause): \(summary.causes)")
      #expect(summary.affected == 1 && summary.tensors == 1)
      #expect(abs(summary.worst.ratio - 1.5) < 1e-12)
      let observed = try #require(summary.worst.growth(cause))
      #expect(abs(observed - growth) < 1e-12, "\(cause): \(observed)")
      let all = SmallerBlockLosses.Cause.allCases.compactMap { summary.worst.growth($0) }
      #expect(abs(all.reduce(0, +) - 0.5) < 1e-12, "\(cause): \(all)")
      #expect(losses.unaffected == ["int4"])
    }
  }

  @Test("Results without parts of their error have no cause that could be told")
  func unknown() throws {
    let catalog = try FormatCatalog.standard()
    for (before, after) in [(nil, nil), (ErrorParts(), nil), (nil, ErrorParts())] {
      let losses = losses("mxfp4", before, after, catalog)
      let worst = try #require(losses.summaries.first?.worst)
      #expect(worst.cause == .unknown && worst.growth(.saturated) == nil)
    }
  }

  @Test("Words say whether the scale is a power of two")
  func words() throws {
    let catalog = try FormatCatalog.standard()
    for (format, isPower) in [("mxfp4", true), ("nvfp4", false)] {
      let losses = losses(format, ErrorParts(), ErrorParts(saturated: 0.2), catalog)
      let worst = try #require(losses.worst.first)
      #expect(worst.isPowerOfTwo == isPower)
      let words = worst.cause.words(isPowerOfTwo: worst.isPowerOfTwo)
      #expect(words.contains("power of two") == isPower, "\(words)")
    }
  }

  /// Of a tensor whose error rises from 0.2 to 0.3 at a block of 8, beside one that behaves.
  private func losses(
    _ format: String, _ before: ErrorParts?, _ after: ErrorParts?, _ catalog: FormatCatalog
  ) -> SmallerBlockLosses {
    var small = result("x", format, block: 8, nmse: 0.3)
    var large = result("x", format, block: 16, nmse: 0.2)
    (small.parts, large.parts) = (after, before)
    // Counts that would tell another story.
    (small.saturated, small.flushed, small.clampedScales) = (99, 99, 9)
    let data = SweepResults(
      results: [
        small, large, result("x", format, block: 32, nmse: 0.4),
        result("fine", "int4", block: 8, nmse: 0.1), result("fine", "int4", block: 16, nmse: 0.2),
      ], tensors: [])
    let request = PageRequest(
      loss: nil, lossFormat: "mxint4", lossBlock: "32", budget: 0.02, sizes: [],
      scale: { catalog.block($0).map(ScaleCodes.init) })
    return SweepAnalysis(data, request).losses
  }

  @Test("Scale codes give the power of two of their scale, and tell subnormals")
  func codes() throws {
    let catalog = try FormatCatalog.standard()
    let nvfp4 = ScaleCodes(try #require(catalog.block("nvfp4")))
    let mxfp4 = ScaleCodes(try #require(catalog.block("mxfp4")))
    // UE4M3: bias 7, three bits of mantissa; 0x38 is 1, 0x7e is 448, 1 is 2^-9.
    for (code, exponent) in [("56", 0), ("126", 8), ("8", -6), ("7", -7), ("1", -9)] {
      #expect(nvfp4.exponent(code) == exponent, "UE4M3 \(code): \(nvfp4.exponent(code) ?? -999)")
    }
    #expect(nvfp4.exponent("0") == nil && mxfp4.exponent("127") == 0 && mxfp4.exponent("0") == -127)
    #expect(nvfp4.isUnderflow("7") && !nvfp4.isUnderflow("8") && !mxfp4.isUnderflow("0"))
    #expect(mxfp4.isPowerOfTwo && !nvfp4.isPowerOfTwo)
  }
}

import FormatCatalog
import NumberFormats
import Reporting
import Sweep
import Testing

@Suite("Where a smaller block errs more") struct SmallerBlockTests {
  /// What the smaller block of a case has more of.
  private struct Setting: CustomStringConvertible {
    var format: String
    var cause: SmallerBlockLosses.Cause
    var change: (inout PageResult) -> Void
    var description: String { "\(format) \(cause)" }
  }

  @Test("The cause is the first figure that grew with the smaller block")
  func causes() throws {
    let catalog = try FormatCatalog.standard()
    let settings = [
      Setting(format: "nvfp4", cause: .clamped) { $0.clampedScales = 9 },
      Setting(format: "nvfp4", cause: .underflow) { $0.scales = ["3": 10, "60": 118] },
      Setting(format: "nvfp4", cause: .flushed) { $0.flushed = 99 },
      // Elements just beyond the largest code are common where scales are rounded.
      Setting(format: "nvfp4", cause: .rounding) { $0.saturated = 99 },
      Setting(format: "mxfp4", cause: .saturated) { $0.saturated = 99 },
      Setting(format: "mxfp4", cause: .rounding) { _ in },
    ]
    for setting in settings {
      var small = result("x", setting.format, block: 8, nmse: 0.3)
      setting.change(&small)
      let data = SweepResults(
        results: [
          small, result("x", setting.format, block: 16, nmse: 0.2),
          result("x", setting.format, block: 32, nmse: 0.4),
          result("fine", "int4", block: 8, nmse: 0.1), result("fine", "int4", block: 16, nmse: 0.2),
        ], tensors: [])
      let request = PageRequest(
        loss: nil, lossFormat: "mxint4", lossBlock: "32", budget: 0.02, sizes: [],
        scale: { catalog.block($0).map(ScaleCodes.init) })
      let losses = SweepAnalysis(data, request).losses
      let summary = try #require(losses.summaries.first, "\(setting)")
      #expect(summary.causes == [setting.cause: 1], "\(setting): \(summary.causes)")
      #expect(summary.affected == 1 && summary.tensors == 1)
      #expect(abs(summary.worst.ratio - 1.5) < 1e-12)
      #expect(losses.unaffected == ["int4"])
    }
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

import Foundation
import ScalingLaws
import Testing

/// Whether intervals hold the true parameters as often as they say. The seeds are fixed, so that the
/// tests do not fail by chance; the ranges are four standard deviations of a binomial count, narrow
/// enough that intervals 15 % too short or too long fall outside.
@Suite("Coverage") struct CoverageTests {
  private static let sizes = [0.5, 1.8, 4, 7, 14, 32]
  private static let ratios = [0.5, 0.9, 0.95, 0.975, 0.99]

  /// How often each parameter's interval held its true value.
  private func coverage(
    _ law: LawFamily, _ truth: [Double], _ rows: [[Double]], noise: Double, trials: Int,
    _ request: LawFitRequest, interval: (LawFit.Parameter) -> (Double?, Double?)
  ) throws -> [Int] {
    var counts = truth.map { _ in 0 }
    for trial in 0..<trials {
      let points = try law.sample(truth, rows: rows, noise: noise, seed: UInt64(1000 + trial))
      let fit = try law.fit(points, request)
      for (place, parameter) in fit.parameters.enumerated() {
        guard case (let low?, let high?) = interval(parameter) else { continue }
        if low <= truth[place], truth[place] <= high { counts[place] += 1 }
      }
    }
    return counts
  }

  private func expect(_ counts: [Int], _ law: LawFamily, trials: Int, share: Double) {
    let spread = 4 * (Double(trials) * share * (1 - share)).squareRoot()
    for (parameter, count) in zip(law.parameters, counts) {
      #expect(
        abs(Double(count) - Double(trials) * share) <= spread,
        "\(law.name), \(parameter.symbol): \(count) of \(trials), expected \(share)")
    }
  }

  @Test("The weak law's intervals hold the truth at their rate", arguments: [0.8, 0.95])
  func weak(confidence: Double) throws {
    let law = try LawCatalog.builtIn().law("weak")
    let request = LawFitRequest(starts: 1, confidence: confidence, holdOut: HoldOut.none)
    let counts = try coverage(
      law, [0.005, 4.5, 0.486], grid([Self.sizes, Self.ratios]), noise: 0.2, trials: 1000, request
    ) { ($0.low, $0.high) }
    expect(counts, law, trials: 1000, share: confidence)
  }

  /// Where d is well determined: the delta method is good there.
  @Test("So do the strong law's where the points determine d")
  func strong() throws {
    let law = try LawCatalog.builtIn().law("strong")
    let rows = grid([[0.5, 4, 32], [0.5, 0.95], [4, 8, 16, 32, 64, 128, 256, 512, 1024]])
    let request = LawFitRequest(starts: 1, confidence: 0.8, holdOut: HoldOut.none)
    let counts = try coverage(
      law, [0.0005, 5, 0.6, 30, 0.7], rows, noise: 0.03, trials: 400, request
    ) { ($0.low, $0.high) }
    expect(counts, law, trials: 400, share: 0.8)
  }

  @Test("Bootstrap intervals hold the truth at their rate")
  func bootstrap() throws {
    let law = try LawCatalog.builtIn().law("weak")
    let request = LawFitRequest(
      starts: 1, confidence: 0.8, bootstrap: 100, holdOut: HoldOut.none)
    let counts = try coverage(
      law, [0.005, 4.5, 0.486], grid([Self.sizes, Self.ratios]), noise: 0.2, trials: 150, request
    ) { ($0.bootstrapLow, $0.bootstrapHigh) }
    expect(counts, law, trials: 150, share: 0.8)
  }
}

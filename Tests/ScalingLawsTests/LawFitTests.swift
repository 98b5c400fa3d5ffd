import Foundation
import ScalingLaws
import Testing

/// A fit by scipy, golden/laws/scipy-fits.json.
private struct ScipyFits: Decodable {
  struct Fit: Decodable {
    var law: String
    var file: String
    var `where`: [String: [String]]
    var space: ResidualSpace
    var huber: Double?
    var points: Int
    var cost: Double
    var parameters: [String: Double]

    enum CodingKeys: String, CodingKey {
      case law, file, space, points, cost, parameters
      case `where`
      case huber = "huber_scale"
    }
  }
  var fits: [Fit]
}

/// Rows of a table in golden/laws.
private func points(_ file: String, _ conditions: [String: [String]]) throws -> LawData {
  try conditions.sorted { $0.key < $1.key }.reduce(LawData.read(FitFiles.path(file))) {
    try $0.rows(where: $1.key, isIn: $1.value)
  }
}

private let qwen = ["family": ["qwen1.5"], "assignment": ["matmul"]]
private let figure8 = ["q_b": ["16", "32", "64", "128", "256", "512"]]

@Suite("Fits of laws") struct LawFitTests {
  @Test("scipy comes to the same minimum: the loss to 9 digits, its parameters to 6")
  func scipy() throws {
    let expected = try FitFiles.decode(ScipyFits.self, "scipy-fits.json").fits
    #expect(expected.count == 8)
    for wanted in expected {
      let law = try LawCatalog.builtIn().law(wanted.law)
      let request = LawFitRequest(
        space: wanted.space, loss: wanted.huber.map { .huber(scale: $0) } ?? .squares,
        holdOut: HoldOut.none, dropsNonPositive: true)
      let fit = try law.fit(try points(wanted.file, wanted.where), request)
      let place = "\(wanted.law), \(wanted.space), Huber \(wanted.huber ?? 0)"
      #expect(fit.points.targets.count == wanted.points, "\(place)")
      #expect(relative(fit.curve.cost, wanted.cost) < 1e-9, "\(place): loss \(fit.curve.cost)")
      for (symbol, value) in wanted.parameters {
        let found = fit[symbol]?.value ?? .nan
        #expect(relative(found, value) < 1e-6, "\(place): \(symbol) = \(found), scipy \(value)")
      }
    }
  }

  @Test("The weak law comes out of the digitised Qwen-1.5 points")
  func weakLaw() throws {
    let fit = try LawCatalog.builtIn().law("weak")
      .fit(points("mixed-v1.csv", qwen), LawFitRequest())
    #expect(fit.points.targets.count == 30)
    #expect(abs((fit["A"]?.value ?? .nan) - 4.49) < 0.02, "\(fit.parameters)")
    #expect(abs((fit["gamma_N"]?.value ?? .nan) - 0.486) < 0.02, "\(fit.parameters)")
    #expect((fit.quality.rSquared ?? 0) >= 0.96, "\(fit.quality)")
  }

  /// The README states these numbers.
  @Test("Without the largest Qwen-1.5 the weak law predicts it to 24 % rms")
  func heldOut() throws {
    let fit = try LawCatalog.builtIn().law("weak")
      .fit(points("mixed-v1.csv", qwen), LawFitRequest())
    let error = try #require(fit.heldOut)
    #expect(error.name == "n = 32e9")
    #expect(error.rows.count == 5)
    #expect(abs((error.rmsLog ?? 0) - 0.236) < 0.001, "\(error.rmsLog ?? .nan)")
    #expect(abs((error.inSampleRmsLog ?? 0) - 0.181) < 0.001, "\(error.inSampleRmsLog ?? .nan)")
    #expect(error.rows.allSatisfy { fit.points.lines.contains($0.line) })
  }

  @Test("The strong law comes out of figure 8, and d and gamma_c are told to be inseparable")
  func strongLaw() throws {
    let fit = try LawCatalog.builtIn().law("strong")
      .fit(points("mixed-v1-blocks.csv", figure8), LawFitRequest(bootstrap: 100))
    #expect(fit.points.targets.count == 36)
    #expect((fit.quality.rSquared ?? 0) >= 0.94, "\(fit.quality)")
    for (symbol, wanted) in [("A", 5.30), ("gamma_N", 0.737), ("gamma_c", 0.761)] {
      #expect(abs((fit[symbol]?.value ?? .nan) - wanted) < 0.02, "\(symbol): \(fit.parameters)")
    }
    #expect(
      fit.warnings.contains { $0.hasPrefix("d and gamma_c can hardly be told apart") },
      "\(fit.warnings)")
    #expect(fit.warnings.contains { $0.hasPrefix("Column n has two different numbers") })
    #expect(
      fit.warnings.contains { $0.hasPrefix("d: the bootstrap's interval is") }, "\(fit.warnings)")
    let d = try #require(fit["d"])
    #expect((d.bootstrapHigh ?? 0) - (d.bootstrapLow ?? 0) > 100, "\(d)")
  }

  @Test("NVFP4 on the base models of Qwen3 falls with size as published")
  func nvfp4() throws {
    let law = try LawCatalog.builtIn().law("size")
    let rows = [
      "family": ["qwen3"], "checkpoint": ["base"], "format": ["nvfp4"], "rotation": ["none"],
    ]
    let fit = try law.fit(points("int-vs-fp.csv", rows), LawFitRequest())
    #expect(fit.points.targets.count == 5)
    #expect(abs((fit["C"]?.value ?? .nan) - 0.179) < 0.02, "\(fit.parameters)")
    #expect(abs((fit["gamma_N"]?.value ?? .nan) - 0.434) < 0.02, "\(fit.parameters)")
    #expect(abs((fit.quality.rSquared ?? 0) - 0.98) < 0.02, "\(fit.quality)")
  }

  @Test("The law with the block size wins the comparison where block sizes vary")
  func comparison() throws {
    let catalog = try LawCatalog.builtIn()
    let laws = [try catalog.law("weak"), try catalog.law("strong")]
    let result = try LawComparison(
      laws, points("mixed-v1-blocks.csv", figure8), LawFitRequest(holdOut: HoldOut("each:q_r")))
    #expect(result.bestByAICc == "strong")
    #expect(result.bestByHeldOut == "strong")
    #expect((result.aboveBest(result.entries[0]) ?? 0) > 40)
    // 36 ln(3.0082252476/36) + 2·6, by hand.
    #expect(abs((result.entries[1].fit?.quality.aic ?? 0) + 77.358071) < 1e-5)
  }

  @Test("The same digits come out for a seed, other starts for another")
  func determinism() throws {
    let law = try LawCatalog.builtIn().law("strong")
    let data = try points("mixed-v1-blocks.csv", figure8)
    let fits = try [1, 1, 2].map {
      try law.fit(data, LawFitRequest(seed: $0, bootstrap: 50, holdOut: HoldOut.none))
    }
    #expect(fits[0].parameters == fits[1].parameters)
    #expect(fits[0]["d"]?.bootstrapHigh != fits[2]["d"]?.bootstrapHigh)
    #expect(relative(fits[0].curve.cost, fits[2].curve.cost) < 1e-9)
  }
}

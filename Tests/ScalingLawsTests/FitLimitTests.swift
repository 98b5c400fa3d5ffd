import Foundation
import ScalingLaws
import Testing

/// Data that do not determine a law: an error that says why, or a result that says so.
@Suite("Limits of fits") struct FitLimitTests {
  private func weak() throws -> LawFamily { try LawCatalog.builtIn().law("weak") }
  private func strong() throws -> LawFamily { try LawCatalog.builtIn().law("strong") }

  private func problem(_ body: () throws -> LawFit) -> String {
    do {
      let fit = try body()
      return "no error: \(fit.parameters)"
    } catch {
      return "\(error)"
    }
  }

  private let sizes = [0.5, 1.8, 4, 7, 14, 32]
  private let ratios = [0.5, 0.9, 0.95, 0.99]

  @Test("Too few points are refused with the number needed")
  func fewPoints() throws {
    let law = try weak()
    for count in 1...3 {
      let points = try law.sample(
        [0.005, 4.5, 0.5], rows: Array(grid([sizes, ratios]).prefix(count)), noise: 0.1)
      let text = problem { try law.fit(points, LawFitRequest()) }
      #expect(text.contains("\(count) rows for 3 free parameters: at least 4"), "\(text)")
    }
  }

  @Test("One model size, one ratio and collinear columns are refused with the parameters' names")
  func collinear() throws {
    let law = try weak()
    let cases = [
      (grid([[7], ratios]), "C and gamma_N"), (grid([sizes, [0.9]]), "C and A"),
      // Q_r rises with ln N: A and gamma_N undo each other.
      (sizes.map { [$0, 0.5 + 0.1 * log($0)] }, "C, A and gamma_N"),
      (sizes.map { [$0, 0.1 * log($0) + 0.1] }, "C, A and gamma_N"),
    ]
    for (rows, names) in cases {
      let points = try law.sample([0.005, 4.5, 0.5], rows: rows, noise: 0.1)
      let text = problem { try law.fit(points, LawFitRequest()) }
      #expect(text.contains("cannot tell"), "\(names): \(text)")
      #expect(names.contains(",") || text.contains(names), "\(names): \(text)")
    }
  }

  @Test("A bound does not hide that two parameters are nearly one, whichever it is")
  func nearlyCollinear() throws {
    let law = try weak()
    // ln N and Q_r rise together but for 1e-6, and the noise pulls gamma_N far away.
    let rows = [1.0, 2, 4, 8, 16].enumerated().map { place, size in
      [size, 0.5 + 0.1 * log2(size) + 1e-7 * Double(place * place % 3)]
    }
    for seed in 1...4 as ClosedRange<UInt64> {
      let points = try law.sample([0.05, 1, 0.5], rows: rows, noise: 0.1, seed: seed)
      for limit in [1.0, 5, 50, 500] {
        let bounds = ["gamma_N": NumberRange(low: -limit, high: limit)]
        let request = LawFitRequest(bounds: bounds, holdOut: HoldOut.none)
        let text = problem { try law.fit(points, request) }
        #expect(text.contains("cannot tell") && text.contains("gamma_N"), "\(limit): \(text)")
      }
    }
  }

  @Test("A target that does not vary has no R², and is told")
  func constant() throws {
    var rows = ["n,q_r,delta"]
    for size in sizes { for ratio in ratios { rows.append("\(size * 1e9),\(ratio),0.05") } }
    let data = try LawData(rows.joined(separator: "\n"), file: "points.csv")
    for space in [ResidualSpace.log, .linear] {
      let fit = try weak().fit(data, LawFitRequest(space: space))
      #expect(fit.quality.rSquared == nil && fit.quality.rSquaredLinear == nil, "\(fit.quality)")
      #expect(fit.warnings.contains { $0.hasPrefix("delta does not vary") }, "\(fit.warnings)")
    }
  }

  @Test("A loss in percent and groups of rows that the law does not tell apart are told")
  func suspectData() throws {
    func warnings(_ factor: Double, _ extra: (Int) -> String) throws -> [String] {
      var rows = ["n,q_r,delta,family,model,note"]
      for (place, row) in grid([sizes, ratios]).enumerated() {
        let delta = factor * 0.005 * exp(4.5 * row[1]) * pow(row[0], -0.5)
        rows.append("\(row[0] * 1e9),\(row[1]),\(delta),\(extra(place)),m\(row[0]),note \(place)")
      }
      let data = try LawData(rows.joined(separator: "\n"), file: "points.csv")
      return try weak().fit(data, LawFitRequest()).warnings
        + LossLaw(data).warnings
    }
    #expect(try warnings(1) { _ in "one" }.allSatisfy { !$0.contains("percent") })
    #expect(try warnings(1) { _ in "one" }.allSatisfy { !$0.contains("does not read") })
    let percent = try warnings(100) { _ in "one" }.filter { $0.contains("is it in percent?") }
    #expect(percent.count == 2, "of the fit and of the loss law: \(percent)")
    let pooled = try warnings(1) { $0 % 2 == 0 ? "one" : "two" }
      .filter { $0.contains("differ in family, which the law does not read") }
    #expect(pooled.count == 2, "of the fit and of the loss law: \(pooled)")
  }

  @Test("Fixing a parameter lets the others be determined, and changes no other meaning")
  func fixed() throws {
    let law = try weak()
    let points = try law.sample([0.005, 4.5, 0.5], rows: grid([[7], ratios]), noise: 0.01)
    let fit = try law.fit(points, LawFitRequest(fixed: ["gamma_N": 0.5]))
    #expect(fit["gamma_N"]?.isFixed == true && fit["gamma_N"]?.low == nil)
    #expect(relative(fit["A"]?.value ?? 0, 4.5) < 0.05)
    #expect(fit.warnings.contains { $0.hasPrefix("Every row has the same n") }, "\(fit.warnings)")
  }

  @Test("Numbers without a logarithm are refused, or left out and counted")
  func nonPositive() throws {
    let rows = [
      "n,q_r,delta", "5e8,0.5,0.04", "5e8,0.9,0.3", "7e9,0.5,-0.01", "7e9,0.9,0.1", "7e9,0.95,0",
      "1.4e10,0.5,0.01", "1.4e10,0.9,0.08",
    ]
    let data = try LawData(rows.joined(separator: "\n"), file: "points.csv")
    let refused = problem { try weak().fit(data, LawFitRequest()) }
    #expect(refused.hasPrefix("points.csv: line 4: column \"delta\": -0.01"), "\(refused)")
    let fit = try weak().fit(data, LawFitRequest(dropsNonPositive: true))
    #expect(fit.points.dropped == [4, 6])
    #expect(fit.warnings.contains { $0.hasPrefix("2 rows without a logarithm") }, "\(fit.warnings)")
    let linear = try weak().fit(data, LawFitRequest(space: .linear, holdOut: HoldOut.none))
    #expect(linear.points.targets.count == 7 && linear.quality.rSquared == nil)
    #expect(linear.quality.rSquaredLinear != nil)
  }

  @Test("NaN, infinity, text and wrong units are refused with line and column")
  func badNumbers() throws {
    for (row, place) in [
      ("nan,0.5,0.1", "column \"n\""), ("7e9,inf,0.1", "column \"q_r\""),
      ("7e9,0.5,nan", "column \"delta\""), ("7e9,,0.1", "column \"q_r\""),
      ("7,0.5,0.1", "column \"n\""), ("7e9,50,0.1", "column \"q_r\""),
      ("7e9,0.5,x", "column \"delta\""),
    ] {
      let text = "n,q_r,delta\n5e8,0.5,0.04\n\(row)\n"
      let found = problem {
        try weak().fit(try LawData(text, file: "points.csv"), LawFitRequest())
      }
      #expect(found.hasPrefix("points.csv: line 3: \(place)"), "\(row): \(found)")
    }
    let missing = problem {
      try strong().fit(try LawData("n,q_r,delta\n5e8,0.5,0.04\n", file: "p.csv"), LawFitRequest())
    }
    #expect(missing.contains("q_b"), "\(missing)")
  }

  @Test("A parameter at its bound has no interval and is told")
  func bounds() throws {
    let law = try weak()
    let points = try law.sample([0.005, 4.5, 0.5], rows: grid([sizes, ratios]), noise: 0.05)
    let bounds = ["gamma_N": NumberRange(low: 0.6, high: 2), "A": NumberRange(low: -.infinity)]
    let fit = try law.fit(points, LawFitRequest(bounds: bounds))
    #expect(abs((fit["gamma_N"]?.value ?? 0) - 0.6) < 1e-6, "\(fit.parameters)")
    #expect(fit["gamma_N"]?.isAtBound == true && fit["gamma_N"]?.low == nil)
    #expect(fit["A"]?.low != nil)
    #expect(fit.warnings.contains { $0.hasPrefix("gamma_N lies at its bound") })
    let outside = problem { try law.fit(points, LawFitRequest(fixed: ["C": -1])) }
    #expect(outside.contains("C = -1.0 is out of bounds"), "\(outside)")
    let unknown = problem { try law.fit(points, LawFitRequest(fixed: ["gamma": 1])) }
    #expect(unknown.contains("no parameter \"gamma\"") && unknown.contains("gamma_N"))
  }

  @Test("Points without noise give the law back")
  func noiseless() throws {
    let truth = [0.0005, 5, 0.6, 30, 0.7]
    let rows = grid([[0.5, 4, 32], [0.5, 0.95], [4, 16, 64, 256, 1024]])
    let points = try strong().sample(truth, rows: rows, noise: 0)
    let fit = try strong().fit(points, LawFitRequest(bootstrap: 50))
    for (parameter, wanted) in zip(fit.parameters, truth) {
      #expect(relative(parameter.value, wanted) < 1e-6, "\(parameter)")
    }
    #expect((fit.heldOut?.rmsLog ?? 1) < 1e-6)
  }

  @Test("Huber's loss shrugs off a gross error that moves least squares")
  func outlier() throws {
    let law = try weak()
    var points = try law.sample([0.005, 4.5, 0.5], rows: grid([sizes, ratios]), noise: 0.05)
    points.targets[3] *= 20
    let squares = try law.fit(points, LawFitRequest())
    let huber = try law.fit(points, LawFitRequest(loss: .huber(scale: nil)))
    let errors = [squares, huber].map { abs(($0["gamma_N"]?.value ?? 0) - 0.5) }
    #expect(errors[1] < 0.02 && errors[0] > 4 * errors[1], "\(errors)")
    #expect((huber["gamma_N"]?.low ?? 1) < 0.5 && (huber["gamma_N"]?.high ?? 0) > 0.5)
  }

  @Test("Held-out rows are those asked for, and what cannot be held out is refused")
  func holdOut() throws {
    let law = try weak()
    let points = try law.sample([0.005, 4.5, 0.5], rows: grid([sizes, ratios]), noise: 0.05)
    for (text, count) in [
      ("largest:n", 4), ("n=7e9", 4), ("q_r=0.5", 6), ("each:n", 24), ("largest:q_r", 6),
    ] {
      let wanted = HoldOut(text)
      #expect(wanted != nil, "\(text)")
      let request = LawFitRequest(holdOut: wanted)
      let error = try law.fit(points, request).heldOut
      #expect(error?.rows.count == count, "\(text): \(error?.name ?? "none")")
      #expect((error?.rmsLog ?? 1) < 0.2, "\(text)")
    }
    for text in ["", "largest", "each:", "n=", "n=x", "=3", "smallest:n"] {
      #expect(HoldOut(text) == nil, "\(text)")
    }
    for (text, part) in [("each:q_b", "reads no column"), ("n=8e9", "no row has that n")] {
      let found = problem { try law.fit(points, LawFitRequest(holdOut: HoldOut(text))) }
      #expect(found.contains(part), "\(found)")
    }
  }

  @Test("Laws that predict different things are not compared")
  func comparison() throws {
    let text = "n,q_r,delta\n5e8,0.5,0.04\n1e9,0.9,0.1\n2e9,0.5,0.02\n4e9,0.95,0.1\n9e9,0.9,0.03\n"
    let data = try LawData(text, file: "points.csv")
    let other = try LawCatalog.builtIn().laws.first { $0.target.column != "delta" }
    let found = problem {
      let result = try LawComparison([try weak(), try #require(other)], data, LawFitRequest())
      return try #require(result.entries[0].fit)
    }
    #expect(found.contains("they cannot be compared"), "\(found)")
  }
}

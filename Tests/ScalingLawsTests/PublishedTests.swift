import ScalingLaws
import Testing

/// Files of golden/laws.
func golden(_ name: String) throws -> LawData {
  let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
  return try LawData.read("/\(folder)/golden/laws/\(name)")
}

/// What the papers say about their own laws: spec/scaling-laws.md section 3.4.
@Suite("Laws against published numbers")
struct PublishedTests {
  @Test("critical tokens of floating-point training: 1730 T, 27.3 T and 0.393 T within 1 %")
  func criticalTokens() throws {
    let law = try LawCatalog.builtIn().law("capybara")
    for (e, m, expected) in [(8.0, 7.0, 1730e12), (4, 3, 27.3e12), (2, 1, 0.393e12)] {
      let observed = try law.derived(
        "d_crit", set: "paper", at: ["n": 1e9, "e": e, "m": m, "q_b": 128])
      #expect(
        abs(observed - expected) <= 0.01 * expected, "E\(e)M\(m): \(expected), \(observed)")
    }
  }

  @Test("Quartet's table 3 within 0.015")
  func quartet() throws {
    let law = try LawCatalog.builtIn().law("quartet")
    let data = try golden("quartet.csv").rows(where: "method", isIn: ["quartet"])
    let points = try data.points(for: law)
    #expect(points.targets.count == 5)
    for (row, expected) in zip(points.variables, points.targets) {
      let observed = law.value(parameters: try law.coefficients("quartet"), variables: row)
      #expect(abs(observed - expected) <= 0.015, "\(row): \(expected), \(observed)")
    }
  }

  @Test("ratios of W16A4 to W4A16 under quantisation-aware training within 3 %")
  func trainingRatios() throws {
    let law = try LawCatalog.builtIn().law("qat")
    for (tokensPerParameter, group, expected) in [
      (100.0, 32.0, 1.67), (1000, 32, 1.20), (1000, 256, 1.62),
    ] {
      let at = ["n": 595e6, "d": 595e6 * tokensPerParameter, "q_b": group]
      let observed =
        try law.prediction(set: "w16a4", at: at) / law.prediction(set: "w4a16", at: at)
      #expect(abs(observed - expected) <= 0.03 * expected, "\(at): \(expected), \(observed)")
    }
  }

  @Test("tokens to a given rise at 2 bits, table 1 of 2411.17691, within 6 %")
  func undertrained() throws {
    let law = try LawCatalog.builtIn().law("undertrained")
    let data = try golden("undertrained.csv").rows(where: "bits", isIn: ["2"])
    let (sizes, rises, tokens) = (
      try data.numbers("n"), try data.numbers("delta"), try data.numbers("d")
    )
    #expect(tokens.count == 16)
    for index in tokens.indices {
      // Where the law's rise, which grows with the tokens, meets the table's.
      var (low, high) = (0.1 * tokens[index], 10 * tokens[index])
      for _ in 0..<60 {
        let middle = (low * high).squareRoot()
        let rise = try law.prediction(
          set: "pythia", at: ["n": sizes[index], "d": middle, "bits": 2])
        if rise < rises[index] { low = middle } else { high = middle }
      }
      #expect(
        abs(low - tokens[index]) <= 0.06 * tokens[index],
        "N \(sizes[index]), delta \(rises[index]): \(tokens[index]), \(low)")
    }
  }

  @Test("blocks of 128 cost more than blocks of 16, for every model, format and method")
  func coarserBlocks() throws {
    let data = try golden("microscaling-ptq.csv")
    let keys = ["model", "format", "method"]
    var rises: [[String]: [Double: Double]] = [:]
    let names = try keys.map { try data.texts($0) }
    for (index, (block, delta)) in zip(try data.numbers("q_b"), try data.numbers("delta"))
      .enumerated()
    {
      rises[names.map { $0[index] }, default: [:]][block] = delta
    }
    #expect(rises.count == 36)
    for (key, byBlock) in rises {
      let (fine, coarse) = (try #require(byBlock[16]), try #require(byBlock[128]))
      #expect(fine < coarse, "\(key): \(fine) at 16, \(coarse) at 128")
    }
  }

  @Test("the best split of bits: exponent and mantissa bits add up, and E leads slightly")
  func bestSplit() throws {
    let law = try LawCatalog.builtIn().law("floating-point")
    for bits in [4.0, 6, 8, 16] {
      let at = ["n": 1e9, "d": 1e11, "e": 1, "m": bits - 2, "q_b": 128]
      let m = try law.derived("m_opt", set: "paper", at: at)
      let e = try law.derived("e_opt", set: "paper", at: at)
      #expect(abs(e + m + 1 - bits) <= 1e-12, "\(bits): \(e) + \(m)")
      #expect(abs(m - (2.9543 * bits / (3.1926 + 2.9543) - 0.5)) <= 1e-12)
    }
  }

  @Test("beyond the precision law's critical tokens the loss rises, before them it falls")
  func overtraining() throws {
    let law = try LawCatalog.builtIn().law("precision-loss")
    for bits in [3.0, 4, 6] {
      let critical = try law.derived(
        "d_crit", set: "gptq", at: ["n": 220e6, "p_post": bits])
      func loss(_ factor: Double) throws -> Double {
        try law.prediction(
          set: "gptq", at: ["n": 220e6, "d": critical * factor, "p_post": bits])
      }
      let (before, there, after) = (try loss(0.8), try loss(1), try loss(1.25))
      #expect(there < before && there < after, "\(bits) bits: \(before), \(there), \(after)")
    }
  }

  @Test("one bit less multiplies the precision law's rise by 5.44")
  func oneBitLess() throws {
    let law = try LawCatalog.builtIn().law("precision")
    func rise(_ bits: Double) throws -> Double {
      try law.prediction(set: "gptq", at: ["n": 220e6, "d": 26e9, "p_post": bits])
    }
    let ratio = try rise(3) / rise(4)
    #expect(abs(ratio - 5.44) <= 0.01, "observed \(ratio)")
  }
}

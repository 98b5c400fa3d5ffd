import ScalingLaws
import Testing

/// One prediction with a number found elsewhere.
struct KnownPrediction: Sendable {
  var law: String
  var set: String
  /// In the columns' units, by column.
  var at: [String: Double]
  var expected: Double
  /// Relative.
  var tolerance: Double
}

extension LawFamily {
  /// The set's numbers in the law's order.
  func coefficients(_ set: String) throws -> [Double] {
    let values = try coefficientSet(set).values
    return try parameters.map { try #require(values[$0.symbol], "\(name) \(set): \($0.symbol)") }
  }

  /// The formula's variables from columns; those that are not given are NaN.
  func row(_ columns: [String: Double]) -> [Double] {
    variables.map { (columns[$0.column] ?? .nan) / $0.factor }
  }

  /// A derived quantity of a set.
  func derived(_ name: String, set: String, at columns: [String: Double]) throws -> Double {
    let quantity = try #require(derived.first { $0.name == name })
    return value(of: quantity, parameters: try coefficients(set), variables: row(columns))
  }

  func prediction(set: String, at columns: [String: Double]) throws -> Double {
    value(parameters: try coefficients(set), variables: row(columns)) * target.factor
  }
}

@Suite("Law families")
struct FamilyTests {
  /// Computed by Python's math module from the equations as they stand in the papers.
  private static let known: [KnownPrediction] = [
    KnownPrediction(
      law: "weak", set: "qwen1.5-matmul", at: ["n": 7000000000.0, "q_r": 0.9],
      expected: 0.10810395169161088, tolerance: 1e-12),
    KnownPrediction(
      law: "Ratio-Law", set: "QWEN1.5-MATMUL", at: ["n": 14000000000.0, "q_r": 0.5],
      expected: 0.012809969694206102, tolerance: 1e-12),
    KnownPrediction(
      law: "strong", set: "qwen1.5-blocks", at: ["n": 7000000000.0, "q_r": 0.9, "q_b": 32.0],
      expected: 0.15569206001546776, tolerance: 1e-12),
    KnownPrediction(
      law: "size", set: "qwen3-nvfp4", at: ["n": 8000000000.0], expected: 0.07275810585526074,
      tolerance: 1e-12),
    KnownPrediction(
      law: "v1-ratio", set: "budget-5", at: ["q_r": 0.7], expected: 3765949422.0747743,
      tolerance: 1e-12),
    KnownPrediction(
      law: "v1-ratio", set: "budget-10", at: ["q_r": 0.9], expected: 9234994332.93288,
      tolerance: 1e-12),
    KnownPrediction(
      law: "v1-ratio", set: "budget-20", at: ["q_r": 0.7], expected: 136422307.80331418,
      tolerance: 1e-12),
    KnownPrediction(
      law: "v1-ratio", set: "budget-5", at: ["q_r": 0.7], expected: 3800000000.0, tolerance: 0.02),
    KnownPrediction(
      law: "v1-ratio", set: "budget-5", at: ["q_r": 0.9], expected: 38900000000.0, tolerance: 0.01),
    KnownPrediction(
      law: "v1-ratio", set: "budget-10", at: ["q_r": 0.7], expected: 970000000.0, tolerance: 0.01),
    KnownPrediction(
      law: "v1-ratio", set: "budget-10", at: ["q_r": 0.9], expected: 9200000000.0, tolerance: 0.01),
    KnownPrediction(
      law: "v1-ratio", set: "budget-20", at: ["q_r": 0.7], expected: 140000000.0, tolerance: 0.03),
    KnownPrediction(
      law: "v1-ratio", set: "budget-20", at: ["q_r": 0.9], expected: 1800000000.0, tolerance: 0.02),
    KnownPrediction(
      law: "v1-block", set: "qwen1.5-7b-90", at: ["q_b": 128.0], expected: 33.41597408081539,
      tolerance: 1e-12),
    KnownPrediction(
      law: "precision", set: "gptq", at: ["n": 220000000.0, "d": 26000000000.0, "p_post": 3.0],
      expected: 0.09558513879103081, tolerance: 1e-12),
    KnownPrediction(
      law: "precision", set: "gptq", at: ["n": 220000000.0, "d": 26000000000.0, "p_post": 3.0],
      expected: 0.096, tolerance: 0.005),
    KnownPrediction(
      law: "precision-loss", set: "gptq",
      at: ["n": 220000000.0, "d": 26000000000.0, "p_post": 3.0], expected: 3.2921902140867476,
      tolerance: 1e-12),
    KnownPrediction(
      law: "precision-training", set: "integers",
      at: ["n": 220000000.0, "d": 26000000000.0, "p_w": 8.0, "p_a": 6.0, "p_kv": 5.0],
      expected: 3.2051242992864903, tolerance: 1e-12),
    KnownPrediction(
      law: "qat", set: "w4a4", at: ["n": 595000000.0, "d": 100000000000.0, "q_b": 32.0],
      expected: 0.04408855213160978, tolerance: 1e-12),
    KnownPrediction(
      law: "qat", set: "w4a4", at: ["n": 595000000.0, "d": 100000000000.0, "q_b": 32.0],
      expected: 0.0441, tolerance: 0.002),
    KnownPrediction(
      law: "qat", set: "w4a4", at: ["n": 74000000.0, "d": 100000000000.0, "q_b": 32.0],
      expected: 0.0695, tolerance: 0.002),
    KnownPrediction(
      law: "qat", set: "w16a4-fc2-8", at: ["n": 297000000.0, "d": 50000000000.0, "q_b": 128.0],
      expected: 0.024022091348752495, tolerance: 1e-12),
    KnownPrediction(
      law: "floating-point", set: "paper",
      at: ["n": 679477248.0, "d": 50000000000.0, "e": 4.0, "m": 3.0, "q_b": 128.0],
      expected: 2.6742611056731707, tolerance: 1e-12),
    KnownPrediction(
      law: "undertrained", set: "pythia",
      at: ["n": 1000000000.0, "d": 100000000000.0, "bits": 3.0], expected: 0.2233862926431105,
      tolerance: 1e-12),
    KnownPrediction(
      law: "loss16", set: "pythia", at: ["n": 1000000000.0, "d": 100000000000.0],
      expected: 3.079527164422585, tolerance: 1e-12),
    KnownPrediction(
      law: "quartet", set: "luq-int4", at: ["n": 30000000.0, "d": 3000000000.0],
      expected: 3.6043172769896734, tolerance: 1e-12),
  ]

  @Test("every family gives the numbers of its equation, computed by another program")
  func values() throws {
    let catalog = try LawCatalog.builtIn()
    for row in Self.known {
      let observed = try catalog.law(row.law).prediction(set: row.set, at: row.at)
      #expect(
        abs(observed - row.expected) <= row.tolerance * abs(row.expected),
        "\(row.law) \(row.set) at \(row.at): expected \(row.expected), observed \(observed)")
    }
    let untested = Set(catalog.laws.filter { !$0.coefficientSets.isEmpty }.map(\.name))
      .subtracting(Self.known.map(\.law)).subtracting(["precision-unified", "task"])
    #expect(untested.isEmpty, "families with coefficients and no known number: \(untested)")
  }

  @Test("laws whose coefficients are not all published take the missing ones as given")
  func incompleteSets() throws {
    let catalog = try LawCatalog.builtIn()
    let unified = try catalog.law("precision-unified")
    let values = try unified.coefficientSet("integers").values.merging(
      ["C_w": 0.5, "C_a": 0.7, "C_kv": 0.9]) { $1 }
    let at = ["n": 220e6, "d": 26e9, "p_w": 8.0, "p_a": 6.0, "p_kv": 5.0, "p_post": 3.0]
    let observed = unified.value(
      parameters: unified.parameters.compactMap { values[$0.symbol] }, variables: unified.row(at))
    #expect(
      abs(observed - 0.06548591022405441) <= 1e-12,
      "unified: expected 0.06548591022405441, observed \(observed)")
    let task = try catalog.law("task")
    let general = try task.coefficientSet("general").values.merging(["A": 1.5]) { $1 }
    let row = task.row(["n": 8e9, "bits": 4, "c_b": 128, "q_b": 128])
    let parameters = task.parameters.compactMap { general[$0.symbol] }
    let loss = task.value(parameters: parameters, variables: row)
    #expect(
      abs(loss - 0.4544291048245584) <= 1e-12, "task: expected 0.4544291048245584, observed \(loss)"
    )
    let accuracy = try #require(task.derived.first)
    let share = task.value(of: accuracy, parameters: parameters, variables: row)
    #expect(
      abs(share - 0.63481027464193) <= 1e-12,
      "acc_adj: expected 0.63481027464193, observed \(share)")
  }

  @Test("the capacity law, for which nobody printed coefficients, with made-up ones")
  func capacity() throws {
    let law = try LawCatalog.builtIn().law("capacity")
    #expect(law.coefficientSets.isEmpty)
    let row = law.row(["n": 100e6, "d": 1e10, "gmse": 0.0132])
    let parameters = [2000, 0.45, 1500, 0.4, 1.9, 1.0, 0.35, 0.8]
    let observed = law.value(parameters: parameters, variables: row)
    #expect(
      abs(observed - 2.5949348615446506) <= 1e-12,
      "expected 2.5949348615446506, observed \(observed)")
    let rho = try #require(law.derived.first { $0.name == "rho" })
    let share = law.value(of: rho, parameters: parameters, variables: row)
    #expect(
      abs(share - 0.8346859797240178) <= 1e-13,
      "rho: expected 0.8346859797240178, observed \(share)")
  }

  @Test("gradients of every family agree with central differences")
  func gradients() throws {
    for law in try LawCatalog.builtIn().laws {
      // Inside every domain, away from zeros: half of the starts' upper end.
      let point = law.parameters.map { 0.5 * $0.start.low + 0.5 * $0.start.high + 0.01 }
      let row = law.variables.enumerated().map { place, variable in
        let high = min(variable.domain.high, 16)
        let low = max(variable.domain.low, 0.5)
        return variable.domain.low >= 1e5
          ? variable.domain.low * 1e4 / variable.factor
          : low + (high - low) * (0.5 + 0.1 * Double(place))
      }
      let (value, slopes) = law.gradient(parameters: point, variables: row)
      #expect(value.isFinite, "\(law.name): \(value)")
      for place in point.indices {
        let step = 1e-6 * max(1e-3, abs(point[place]))
        var (low, high) = (point, point)
        low[place] -= step
        high[place] += step
        let expected =
          (law.value(parameters: high, variables: row) - law.value(parameters: low, variables: row))
          / (2 * step)
        let room = 1e-5 * max(abs(expected), abs(value) * 1e-3 / max(1e-3, abs(point[place])))
        #expect(
          abs(slopes[place] - expected) <= room,
          "\(law.name) by \(law.parameters[place].symbol): \(expected), \(slopes[place])")
      }
    }
  }

  @Test("no numbers are a paper's unless someone has seen them there")
  func statuses() throws {
    for law in try LawCatalog.builtIn().laws {
      #expect(!law.source.isEmpty && !law.validity.isEmpty, "\(law.name)")
      for set in law.coefficientSets {
        #expect(!set.source.isEmpty, "\(law.name) \(set.name)")
        if ["weak", "strong", "size"].contains(law.name) {
          #expect(set.status == .ownFit, "\(law.name) \(set.name)")
        }
        if ["qat", "task"].contains(law.name) {
          #expect(set.status == .secondHand, "\(law.name) \(set.name)")
        }
      }
    }
  }
}

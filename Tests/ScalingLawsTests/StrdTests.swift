import Foundation
import ScalingLaws
import Testing

/// A nonlinear problem of NIST's Statistical Reference Datasets, golden/laws/strd.
private struct Problem: Decodable {
  var name: String
  var model: String
  var starts: [[Double]]
  var certified: [Double]
  var standardDeviations: [Double]
  var residualSumOfSquares: Double
  var x: [Double]
  var y: [Double]

  enum CodingKeys: String, CodingKey {
    case name, model, starts, certified, x, y
    case standardDeviations = "standard_deviations"
    case residualSumOfSquares = "residual_sum_of_squares"
  }

  /// The model as a law of a user's file, its one start at the numbers given.
  func law(from start: [Double]) throws -> LawFamily {
    let parameters = start.enumerated().map {
      "{ symbol: \"b\($0 + 1)\", meaning: \"-\", start: [\($1), \($1)] }"
    }
    let text = """
      { version: 1, laws: [{ name: "strd", title: "\(name)", expression: "\(model)",
        variables: [{ symbol: "x", column: "x", meaning: "predictor" }],
        parameters: [\(parameters.joined(separator: ", "))],
        target: { column: "y", meaning: "response" }, residuals: "linear",
        source: "NIST StRD", status: "verified" }] }
      """
    return try LawCatalog().adding(Data(text.utf8), file: name).law("strd")
  }
}

@Suite("NIST's nonlinear problems of higher difficulty") struct StrdTests {
  /// Parameters to 6 digits, their standard deviations to 4, the sum of squares to 9: from either of
  /// NIST's starts, without others.
  @Test("The certified values come out from both starts")
  func certified() throws {
    let problems = try FitFiles.decode([Problem].self, "strd/problems.json")
    #expect(problems.count == 8)
    for problem in problems {
      for start in problem.starts {
        let data = LawData(
          columns: [("x", problem.x), ("y", problem.y)], file: problem.name)
        let request = LawFitRequest(starts: 1, holdOut: HoldOut.none)
        let fit = try problem.law(from: start).fit(data, request)
        let place = "\(problem.name) from \(start)"
        let sum = fit.curve.residualSumOfSquares
        #expect(relative(sum, problem.residualSumOfSquares) < 1e-9, "\(place): sum \(sum)")
        for (found, wanted) in zip(fit.parameters, problem.certified) {
          #expect(
            relative(found.value, wanted) < 1e-6,
            "\(place): \(found.symbol) = \(found.value), certified \(wanted)")
        }
        for (found, wanted) in zip(fit.parameters, problem.standardDeviations) {
          #expect(
            relative(found.standardError ?? .nan, wanted) < 1e-4,
            "\(place): error of \(found.symbol) \(found.standardError ?? .nan), certified \(wanted)"
          )
        }
      }
    }
  }
}

@Suite("Student's t") struct StudentTTests {
  /// Percentiles 97.5 and 90 as in the tables of Abramowitz and Stegun, 26.10, with the digits of
  /// scipy.stats.t.ppf (scipy 1.17.1).
  @Test("Quantiles are those of the tables")
  func quantiles() {
    for (confidence, freedom, expected) in [
      (0.95, 1, 12.706204736174694), (0.95, 2, 4.302652729749462), (0.95, 3, 3.1824463052837078),
      (0.95, 4, 2.7764451051977934), (0.95, 27, 2.051830516480283), (0.95, 100, 1.983971518523552),
      (0.8, 1, 3.077683537175254), (0.8, 6, 1.4397557472651483), (0.8, 31, 1.3094635494946454),
    ] {
      let found = StudentT.quantile(confidence: confidence, freedom: freedom)
      #expect(relative(found, expected) < 1e-12, "\(confidence), \(freedom): \(found)")
    }
  }
}

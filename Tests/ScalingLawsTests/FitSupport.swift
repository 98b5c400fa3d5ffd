import Foundation
import NumberFormats
import ScalingLaws

/// Files that the tests of fitting share.
enum FitFiles {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "golden/laws")

  static func path(_ name: String) -> String { folder.appending(path: name).path() }

  static func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
  }
}

/// Normal numbers, the same on every machine as far as libm is.
struct NormalNumbers {
  private let seed: UInt64
  private var counter: UInt64 = 0

  init(seed: UInt64) { self.seed = seed }

  private mutating func share() -> Double {
    defer { counter += 1 }
    return (Double(philox4x32Word0(seed: seed, index: counter)) + 0.5) / 4_294_967_296
  }

  /// Mean 0, standard deviation 1 (Box and Muller).
  mutating func next() -> Double {
    let (radius, angle) = (share(), share())
    return (-2 * log(radius)).squareRoot() * cos(2 * .pi * angle)
  }
}

extension LawFamily {
  /// Points of the law with noise on the target's logarithm.
  ///
  /// - Parameter rows: the variables in the formula's units.
  func sample(
    _ parameters: [Double], rows: [[Double]], noise: Double, seed: UInt64 = 1
  ) throws -> LawPoints {
    var normal = NormalNumbers(seed: seed)
    var columns = variables.enumerated().map { place, variable in
      (name: variable.column, numbers: rows.map { $0[place] * variable.factor })
    }
    let observed = rows.map {
      value(parameters: parameters, variables: $0) * target.factor * exp(noise * normal.next())
    }
    columns.append((target.column, observed))
    return try LawData(columns: columns, file: "sample.csv").points(for: self)
  }
}

/// Every combination of the numbers, the last running fastest.
func grid(_ levels: [[Double]]) -> [[Double]] {
  levels.reduce([[]]) { rows, numbers in rows.flatMap { row in numbers.map { row + [$0] } } }
}

/// How far a number is off, in proportion.
func relative(_ value: Double, _ expected: Double) -> Double {
  abs(value - expected) / abs(expected)
}

extension LawFit {
  subscript(_ symbol: String) -> Parameter? { parameters.first { $0.symbol == symbol } }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The weak law of loss data at one format and one block size, δ = C·e^(A·Q_r)·N^(−γ_N), N in 1e9.
///
/// Where all data have one Q_r, C and A cannot be told apart: A is then unknown, C stands for
/// C·e^(A·Q_r), and only that Q_r can be planned for.
public struct LossLaw: Sendable {
  /// C, gamma_N, and A where it is known.
  public let fit: CurveFit
  /// Of the data: model sizes in 1e9, and ratios.
  public let sizes: ClosedRange<Double>
  public let ratios: ClosedRange<Double>
  /// Of ln δ; nil where all δ are one.
  public let rSquared: Double?
  /// Lines left out because δ is not above 0.
  public let dropped: [Int]
  public let file: String
  /// What limits the result, in sentences.
  public let warnings: [String]

  public var knowsRatio: Bool { fit.parameters.count == 3 }
  /// A; nil where all data have one Q_r.
  public var ratioExponent: Double? { knowsRatio ? fit.parameters[2].value : nil }

  /// Reads columns n, q_r and delta and fits ln δ by least squares; rows with δ of 0 or below are dropped.
  ///
  /// - Parameters:
  ///   - block: takes only rows of this q_b; needed where the column holds several.
  ///   - ratio: the Q_r of data without such a column, 0 to 1.
  /// - Throws: `badData` for one model size, too few rows, several block sizes.
  public init(
    _ data: LawData, block: Double? = nil, ratio given: Double? = nil, seed: UInt64 = 1,
    confidence: Double = 0.95
  ) throws(LawError) {
    let data = try Self.atOneBlock(data, block)
    let (n, delta) = (try data.numbers("n"), try data.numbers("delta"))
    let ratio: [Double]
    if let given, !data.contains("q_r") {
      ratio = n.map { _ in given }
    } else {
      ratio = try data.numbers("q_r")
    }
    for (row, line) in data.lines.enumerated() {
      guard Self.modelSizes.contains(n[row]) else {
        throw .badData(
          data.file, line: line, column: "n",
          "\(plainText(n[row])) cannot be the parameters of the model", expected: "1e5 to 1e15")
      }
      guard (0...1).contains(ratio[row]) else {
        throw .badData(data.file, line: line, column: "q_r", "\(ratio[row])", expected: "0 to 1")
      }
    }
    let kept = delta.indices.filter { delta[$0] > 0 }
    dropped = delta.indices.filter { delta[$0] <= 0 }.map { data.lines[$0] }
    let billions = kept.map { n[$0] / 1e9 }
    let ratios = kept.map { ratio[$0] }
    guard let (sizes, span) = Self.ranges(billions, ratios), sizes.lowerBound < sizes.upperBound
    else {
      throw .badData(
        data.file, column: "n", "one model size", expected: "two or more, or gamma_N is unknown")
    }
    self.sizes = sizes
    self.ratios = span
    file = data.file
    let knowsRatio = span.lowerBound < span.upperBound
    let observed = kept.map { delta[$0] }
    let pooled = data.pooledColumns(kept, reading: ["n", "q_r", "q_b", "delta"])
    warnings =
      LossUnit.warnings(largest: observed.max() ?? 0)
      + (pooled.isEmpty ? [] : [LawData.pooledWarning(pooled, option: "--loss-where")])
    let curve = Self.curve(billions, ratios, observed, knowsRatio: knowsRatio)
    do {
      fit = try curve.fit(space: .log, seed: seed, confidence: confidence)
    } catch {
      throw .badData(data.file, "the weak law cannot be fitted: \(error)")
    }
    rSquared = FitQuality(fit, observed: observed).rSquared
  }

  /// Parameters that a model may have, as the table of laws has them.
  public static let modelSizes = 1e5...1e15

  /// The rows of one block size, where the data tell them.
  private static func atOneBlock(_ data: LawData, _ block: Double?) throws(LawError) -> LawData {
    guard data.contains("q_b") else { return data }
    let blocks = try data.numbers("q_b")
    guard let block else {
      guard Set(blocks).count == 1 else {
        throw .badData(
          data.file, column: "q_b", "several block sizes", expected: "one: say which is wanted")
      }
      return data
    }
    guard blocks.contains(block) else {
      let found = Set(blocks).sorted().map(plainText).joined(separator: ", ")
      throw .badData(
        data.file, column: "q_b", "no row has q_b = \(plainText(block)), the loss format's block",
        expected: "it among those found: \(found)")
    }
    return try data.keeping { blocks[$0] == block }
  }

  private static func ranges(
    _ n: [Double], _ ratios: [Double]
  ) -> (ClosedRange<Double>, ClosedRange<Double>)? {
    guard let a = n.min(), let b = n.max(), let c = ratios.min(), let d = ratios.max() else {
      return nil
    }
    return (a...b, c...d)
  }

  private static func curve(
    _ n: [Double], _ ratios: [Double], _ delta: [Double], knowsRatio: Bool
  ) -> Curve {
    var parameters = [
      FitParameter("C", lower: 0, start: 1e-4...1, isFactor: true),
      FitParameter("gamma_N", start: 0...1),
    ]
    if knowsRatio { parameters.append(FitParameter("A", start: 0...10)) }
    return Curve(parameters: parameters, observed: delta) { values, row in
      let exponent = knowsRatio ? values[2] * ratios[row] : 0
      let shape = exp(exponent) * pow(n[row], -values[1])
      let value = values[0] * shape
      let slopes = [shape, -value * log(n[row])]
      return (value, knowsRatio ? slopes + [value * ratios[row]] : slopes)
    }
  }

  /// ln δ for a model of `n` parameters at a ratio, and half the width of its confidence interval (of the
  /// law, not of a single model about it).
  ///
  /// - Parameter ratio: not read where A is unknown.
  public func logDelta(n: Double, ratio: Double) -> (value: Double, halfWidth: Double) {
    let values = fit.values
    let size = log(n / 1e9)
    let value = log(values[0]) - values[1] * size + (knowsRatio ? values[2] * ratio : 0)
    var slopes = [1 / values[0], -size]
    if knowsRatio { slopes.append(ratio) }
    var variance = 0.0
    for (i, a) in slopes.enumerated() {
      for (j, b) in slopes.enumerated() { variance += a * b * fit.covariance[i][j] }
    }
    let t = StudentT.quantile(confidence: fit.confidence, freedom: fit.freedom)
    return (value, t * max(0, variance).squareRoot())
  }
}

/// The unit of a loss.
enum LossUnit {
  /// Nats above which a rise of the loss is hardly one: perplexity has risen 150-fold by then.
  static let implausible = 5.0

  static func warnings(largest: Double) -> [String] {
    guard largest > implausible else { return [] }
    let rounded = plainText((largest * 100).rounded() / 100)
    return ["delta goes up to \(rounded), which is much for nats: is it in percent?"]
  }
}

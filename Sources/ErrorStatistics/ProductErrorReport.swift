#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The error of a matmul against the product of its unquantised operands.
///
/// Means run over the outputs whose exact and observed values are finite. A quantity without value is
/// nil.
public struct ProductErrorReport: Sendable, Equatable {
  /// One part of the error, or all of it.
  public struct Part: Sendable, Equatable {
    public var part: ProductErrorPart
    /// Mean of the part's error, in units of the output; those of the parts sum to the total's.
    public var meanError: Double?
    /// Mean of its square.
    public var mse: Double?
    /// Its sum of squares over the exact outputs' sum of squares.
    public var nmse: Double?
    /// −10·log10(nmse), in decibels.
    public var sqnrDecibels: Double?
    public var maxAbsoluteError: Double?
    /// Mean of (part · total): the parts' contributions sum to the total's mse.
    public var contribution: Double?
    /// The contribution over the total's mse; the shares of the parts sum to 1.
    public var share: Double?
  }

  /// The total error of one row or column.
  public struct Line: Sendable, Equatable {
    /// In the whole product.
    public var index: Int
    public var meanError: Double?
    public var mse: Double?
    public var nmse: Double?
    public var sqnrDecibels: Double?
    public var maxAbsoluteError: Double?
  }

  /// Outputs with 2^exponent ≤ |error| < 2^(exponent + 1).
  public struct Bin: Sendable, Equatable {
    public var exponent: Int
    public var count: Int
  }

  /// Outputs computed.
  public let count: Int
  /// Outputs whose exact or observed value is NaN or infinite: left out of everything below.
  public let nonFinite: Int
  /// Of those, the ones that the operands make so: the rest are the unit's.
  public let nonFiniteExact: Int
  /// The first of them, by row and column.
  public let firstNonFinite: ProductOutput?
  /// Outputs without any error.
  public let exactOutputs: Int
  /// Root of the mean square of the exact outputs.
  public let rms: Double?
  public let total: Part
  /// Weight, activation, interaction, accumulation.
  public let parts: [Part]
  /// Ascending.
  public let rows: [Line]
  public let columns: [Line]
  /// Of the total error, ascending; `exactOutputs` are in no bin.
  public let histogram: [Bin]
  /// Largest |error| first.
  public let worst: [ProductOutput]

  public init(_ sums: ProductErrorSums) {
    let finite = sums.count - sums.nonFinite
    let squares = sums.exactSquared.value
    count = sums.count
    nonFinite = sums.nonFinite
    nonFiniteExact = sums.nonFiniteExact
    firstNonFinite = sums.firstNonFinite
    exactOutputs = sums.exactOutputs
    rms = finite > 0 ? (squares / Double(finite)).squareRoot() : nil
    let totalSquared = sums.parts[ProductErrorPart.allCases.count - 1].squared.value
    let all = zip(ProductErrorPart.allCases, sums.parts).map { part, sum in
      let nmse = Self.ratio(sum.squared.value, squares)
      return Part(
        part: part, meanError: Self.mean(sum.error.value, finite),
        mse: Self.mean(sum.squared.value, finite), nmse: nmse,
        sqnrDecibels: nmse.map { 0 - 10 * log10($0) },
        maxAbsoluteError: finite > 0 ? sum.largest : nil,
        contribution: Self.mean(sum.withTotal.value, finite),
        share: totalSquared > 0 ? sum.withTotal.value / totalSquared : nil)
    }
    total = all[all.count - 1]
    parts = Array(all.dropLast())
    rows = Self.lines(sums.rows)
    columns = Self.lines(sums.columns)
    histogram = sums.exponents.sorted { $0.key < $1.key }.map { Bin(exponent: $0, count: $1) }
    worst = sums.worst
  }

  private static func lines(_ sums: [Int: ProductErrorSums.Line]) -> [Line] {
    sums.sorted { $0.key < $1.key }.map { index, sum in
      let nmse = ratio(sum.squared.value, sum.exactSquared.value)
      return Line(
        index: index, meanError: mean(sum.error.value, sum.count),
        mse: mean(sum.squared.value, sum.count), nmse: nmse,
        sqnrDecibels: nmse.map { 0 - 10 * log10($0) },
        maxAbsoluteError: sum.count > 0 ? sum.largest : nil)
    }
  }

  private static func mean(_ sum: Double, _ count: Int) -> Double? {
    count > 0 ? sum / Double(count) : nil
  }

  private static func ratio(_ a: Double, _ b: Double) -> Double? { a == 0 && b == 0 ? nil : a / b }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How large Q_b and Q_r may be so that the loss stays within a budget.
///
/// The loss of a format F is that of the format and block size of the loss data, times the ratio of the
/// two measured errors: δ = δ_ref(N, Q_r)·NMSE_F(Q_b)/NMSE_ref. That is the linearity theorem (HIGGS, arXiv
/// 2411.17525): the loss follows the squared error, whatever the quantiser; and it takes the ratio measured on
/// one checkpoint for that of every model size. Intervals are those of the loss law; the measured
/// errors count as exact.
public struct BudgetPlan: Sendable {
  public var loss: LossLaw
  /// The measured NMSE of the loss data's own format and block size, above 0.
  public var referenceError: Double
  /// The largest δ wanted, in the loss data's unit, above 0.
  public var budget: Double
  /// Bits of a weight that is not quantised.
  public var highBits: Double

  public init(
    loss: LossLaw, referenceError: Double, budget: Double, highBits: Double = 16
  ) {
    self.loss = loss
    self.referenceError = referenceError
    self.budget = budget
    self.highBits = highBits
  }

  /// An estimate, with the same under the two ends of the loss law's interval: `low` is the careful end.
  public struct Estimate<Value: Sendable & Hashable>: Sendable, Hashable {
    public var value: Value
    public var low: Value
    public var high: Value
  }

  /// What one format allows at one model size.
  public struct Row: Sendable {
    public var n: Double
    public var format: String
    /// The largest Q_b with every weight quantised (with the loss data's one Q_r where A is unknown).
    public var block: Estimate<LargestBlock>
    /// Bits per weight at that block.
    public var blockBits: Double?
    /// The largest Q_r at the format's own block, 0 to 1; nil where A or that block is unknown. 0 means that
    /// not even the law's value at Q_r = 0 is within the budget.
    public var ratio: Estimate<Double>?
    /// Bits per weight at that ratio, on average over both precisions.
    public var ratioBits: Double?
    /// The measured block size whose largest Q_r takes the fewest bits per weight.
    public var best: Best?
  }

  /// A block size with its largest ratio.
  public struct Best: Sendable, Hashable {
    public var block: String
    public var ratio: Double
    public var bits: Double
  }

  /// δ of a format at a block size; nil outside the measured block sizes.
  public func delta(
    _ error: PlannedError, n: Double, ratio: Double, blockSize: Double
  ) -> Estimate<Double>? {
    guard let nmse = error.error(at: blockSize) else { return nil }
    let (value, half) = loss.logDelta(n: n, ratio: ratio)
    let factor = nmse / referenceError
    return Estimate(
      value: factor * exp(value), low: factor * exp(value - half), high: factor * exp(value + half))
  }

  /// The largest Q_b and Q_r of a format.
  ///
  /// - Parameter ownBlock: the format's own block, at which Q_r is planned.
  public func row(_ error: PlannedError, n: Double, ownBlock: String) -> Row {
    let curve = error.curve
    let block = estimate { side in
      error.largestBlock(within: self.errorLimit(n: n, ratio: 1, side))
    }
    var row = Row(n: n, format: curve.format, block: block)
    row.blockBits = block.value.blockSize.flatMap { curve.bitsPerElement(at: $0) }
    if let own = curve.point(block: ownBlock), loss.knowsRatio {
      let ratio = estimate { self.largestRatio(n: n, error: own.error, $0) }
      row.ratio = ratio
      row.ratioBits = bits(own, ratio.value)
    }
    if loss.knowsRatio {
      row.best = curve.points.map { point in
        let ratio = largestRatio(n: n, error: point.error, 0)
        return Best(block: point.block, ratio: ratio, bits: bits(point, ratio))
      }.min { $0.bits < $1.bits }
    }
    return row
  }

  private func bits(_ point: ErrorCurve.Point, _ ratio: Double) -> Double {
    ratio * point.bitsPerElement + (1 - ratio) * highBits
  }

  /// - Parameter value: given 0 for the law itself, 1 for its upper end (careful), −1 for its lower.
  private func estimate<Value>(_ value: (Double) -> Value) -> Estimate<Value> {
    Estimate(value: value(0), low: value(1), high: value(-1))
  }

  /// The largest NMSE within the budget.
  private func errorLimit(n: Double, ratio: Double, _ side: Double) -> Double {
    let (value, half) = loss.logDelta(n: n, ratio: ratio)
    return referenceError * budget / exp(value + side * half)
  }

  /// The largest ratio within the budget at an error, to 1e-9; 0 where none is.
  private func largestRatio(n: Double, error: Double, _ side: Double) -> Double {
    let isWithin = { (ratio: Double) in error <= self.errorLimit(n: n, ratio: ratio, side) }
    if isWithin(1) { return 1 }
    guard isWithin(0) else { return 0 }
    var (low, high) = (0.0, 1.0)
    while high - low > 1e-9 {
      let middle = (low + high) / 2
      if isWithin(middle) { low = middle } else { high = middle }
    }
    return low
  }
}

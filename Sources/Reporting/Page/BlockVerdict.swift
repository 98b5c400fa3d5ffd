import ScalingLaws

/// What a format allows at one model size: the answer to whether a small Q_b is needed.
public struct BlockVerdict: Sendable {
  public enum Need: Sendable, Hashable {
    /// Larger blocks are within the budget too.
    case notNeeded
    /// Only small ones are.
    case needed
    /// No measured block is.
    case noneSuffices
    /// All measured blocks are, and none of them is larger than what counts as small.
    case unmeasured
  }
  public var n: Double
  public var format: String
  /// With every weight quantised, and at both ends of the loss law's interval.
  public var largest: BudgetPlan.Estimate<LargestBlock>
  public var need: Need
  /// Whether both ends of the interval give the same answer, and a measured block bears it out.
  public var isCertain: Bool
  /// Whether the error falls as blocks grow: a small one is then not only not needed, it is worse.
  public var isSmallWorse: Bool
  /// The largest measured block within the budget.
  public var chosen: ErrorSeries.Point?
  /// The measured block that counts as small, against which savings are told.
  public var small: ErrorSeries.Point
  /// δ at the chosen block, or at the best measured one where none suffices, with its interval.
  public var delta: BudgetPlan.Estimate<Double>?
  /// NAND2 equivalents per multiply-accumulate at both blocks.
  public var chosenCost: PageCost?
  public var smallCost: PageCost?

  /// Bits per element that the chosen block saves; negative where it costs more.
  public var savedBits: Double? { chosen.map { small.bitsPerElement - $0.bitsPerElement } }
  /// Gates likewise, as a share of those at the small block.
  public var savedGates: Double? {
    guard let chosenCost, let smallCost, smallCost.gates > 0 else { return nil }
    return 1 - chosenCost.gates / smallCost.gates
  }

  static func need(_ block: LargestBlock, small: Double) -> Need {
    switch block {
    case .none: .noneSuffices
    case .allMeasured(let size): size > small * (1 + 1e-9) ? .notNeeded : .unmeasured
    case .at(let size): size > small * (1 + 1e-9) ? .notNeeded : .needed
    }
  }
}

/// Gates of a format with a block, per multiply-accumulate.
public struct PageCost: Sendable, Hashable {
  /// NAND2 equivalents.
  public var gates: Double
  /// How far off they may be, as a share.
  public var relativeError: Double?
  /// What the estimate does not rest on; empty where synthesis results lie on both sides.
  public var missing: String
  /// Whether elements are a codebook's, whose values the model multiplies exactly: nobody would build
  /// that.
  public var isOfCodebook: Bool

  public init(
    gates: Double, relativeError: Double?, missing: String = "", isOfCodebook: Bool = false
  ) {
    self.gates = gates
    self.relativeError = relativeError
    self.missing = missing
    self.isOfCodebook = isOfCodebook
  }
}

/// What a page is asked for.
public struct PageRequest: Sendable {
  /// The loss law; nil where no loss is to be predicted.
  public var loss: LossLaw?
  /// Of the loss data.
  public var lossFormat: String
  public var lossBlock: String
  /// The largest δ wanted.
  public var budget: Double
  /// Model sizes in parameters, ascending.
  public var sizes: [Double]
  /// Blocks of at most this many elements count as small.
  public var small: Double
  /// Gates of a format with a block; nil where unknown.
  public var cost: @Sendable (_ format: String, _ block: String) -> PageCost?
  /// How scale codes of a format read; nil where it is unknown.
  public var scale: @Sendable (_ format: String) -> ScaleCodes?

  public init(
    loss: LossLaw?, lossFormat: String, lossBlock: String, budget: Double, sizes: [Double],
    small: Double = 16,
    cost: @escaping @Sendable (_ format: String, _ block: String) -> PageCost? = { _, _ in nil },
    scale: @escaping @Sendable (_ format: String) -> ScaleCodes? = { _ in nil }
  ) {
    self.loss = loss
    self.lossFormat = lossFormat
    self.lossBlock = lossBlock
    self.budget = budget
    self.sizes = sizes.sorted()
    self.small = small
    self.cost = cost
    self.scale = scale
  }
}

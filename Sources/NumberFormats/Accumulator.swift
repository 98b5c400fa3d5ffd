/// One row of `formats/accumulators.json5`: how a matrix unit adds products.
///
/// The parameters are those of spec/accumulation-and-vectors.md A.6; the rules where the sources
/// are silent (any Q_b, scales that a unit does not know, tensor scales) are A.6b.
public struct Accumulator: Sendable, Hashable {
  /// Which element formats the unit multiplies.
  public enum Operands: Sendable, Hashable {
    case any
    /// Integer elements of at most this many bits.
    case integers(bits: Int)
    /// Canonical element names; the two operands may differ.
    case named([String])
  }

  /// Canonical lower-case name (`hopper-fp8`).
  public var name: String
  public var aliases: [String]
  /// Document and section, or repository, that the parameters come from.
  public var source: String
  /// What the row was checked against, or `no`.
  public var checked: String
  /// What a reader must know before relying on the row, such as a conflict of sources.
  public var note: String
  public var operands: Operands
  /// Scale formats that the unit itself applies, by canonical name. Empty: the unit knows no scales,
  /// and A.6b's run rule applies them.
  public var scales: [String]
  public var datapath: Datapath
  public var output: Output
  /// N_C: partial sums restart from 0 after at most this many terms and are added in FP32.
  public var promoteEvery: Int?

  public init(
    name: String, aliases: [String] = [], source: String = "", checked: String = "no",
    note: String = "", operands: Operands, scales: [String] = [], datapath: Datapath,
    output: Output, promoteEvery: Int? = nil
  ) {
    self.name = name
    self.aliases = aliases
    self.source = source
    self.checked = checked
    self.note = note
    self.operands = operands
    self.scales = scales
    self.datapath = datapath
    self.output = output
    self.promoteEvery = promoteEvery
  }

  /// How products become a sum.
  public enum Datapath: Sendable, Hashable {
    /// c + T_A·T_B·Σ a·b·s_A·s_B over all of K, rounded once.
    case exact
    /// Every product, and every sum of two, is a float32 rounded by tiesToEven.
    case float32(Float32Steps)
    /// Several products are added as fixed point after alignment, then rounded: one fused step.
    case fused(FusedStep)
    /// Integer products in a two's complement register.
    case integer(IntegerRegister)
    /// Products cut to a grid and added in a fixed-point register.
    case fixed(FixedPointRegister)
  }

  /// Whether the unit applies block scales itself, rather than A.6b's run rule.
  public var appliesScales: Bool {
    switch datapath {
    case .exact, .fixed: true
    case .float32(let steps): steps.scalesProducts
    case .fused(let step): step.scaling != .none
    case .integer: false
    }
  }

  /// Whether codes of `element` are multiplied as they stand.
  public func takes(_ element: ElementFormat) -> Bool {
    switch operands {
    case .any: return true
    case .integers(let bits):
      if case .integer(let layout) = element.kind { return layout.bits <= bits }
      return false
    case .named(let names): return names.contains(element.name)
    }
  }

  /// Whether block scales of `format` can be applied.
  public func takes(_ format: ScaleFormat) -> Bool {
    scales.isEmpty || scales.contains(format.name)
  }
}

extension Accumulator {
  /// Where a sum leaves the datapath.
  public struct Output: Sendable, Hashable {
    public enum Format: Sendable, Hashable {
      /// Eight exponent bits and this many mantissa bits, stored as float32: 23 is FP32, 13 is
      /// E8M13, 7 is BF16.
      case float32(mantissaBits: Int)
      case float16
      case int32
      /// A register's pattern, sign-extended.
      case int64
    }
    public enum Overflow: String, Sendable, Hashable, Codable { case infinity, largestFinite }

    public var format: Format
    /// Any but stochastic. Under `towardZero` a result of at least 2^(emax + 1) still overflows.
    public var rounding: Rounding
    public var overflow: Overflow
    /// Whether results below the smallest normal number become a zero of their sign.
    public var flushesSubnormals: Bool
    /// The only NaN pattern the unit writes.
    public var nan: UInt32

    public init(
      format: Format, rounding: Rounding = .tiesToEven, overflow: Overflow = .infinity,
      flushesSubnormals: Bool = false, nan: UInt32
    ) {
      self.format = format
      self.rounding = rounding
      self.overflow = overflow
      self.flushesSubnormals = flushesSubnormals
      self.nan = nan
    }
  }
}

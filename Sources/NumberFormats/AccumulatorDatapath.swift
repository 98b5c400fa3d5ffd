/// Float32 arithmetic, one rounded operation at a time.
public struct Float32Steps: Sendable, Hashable {
  public enum Order: Sendable, Hashable {
    /// acc = fl(acc + v), k ascending, starting from c.
    case sequential
    /// A tree over adjacent pairs, an odd value carried up; then fl(c + tree).
    case pairwise
    /// `count` chains over k mod count, each starting from +0; their sums as a pairwise tree; then
    /// fl(c + tree).
    case chains(count: Int)
  }
  /// What happens to subnormal inputs.
  public enum Subnormals: String, Sendable, Hashable, Codable {
    case keep
    /// +0, whatever the sign, and so does a zero (CDNA2, as MMA-Sim has it).
    case flushToPositiveZero
    /// A zero of the same sign (x86 DAZ).
    case flushToSignedZero
  }

  /// Terms per step: each step adds its own sum to c, and its result is the next step's c. Nil: all
  /// of K, or of a run, is one step.
  public var step: Int?
  public var order: Order
  /// Whether each chain uses fused multiply-add, fl(acc + a·b), instead of rounding the product.
  public var fusedMultiplyAdd: Bool
  /// Whether a scaled product a·b·s_A·s_B is rounded once; else A.6b's run rule applies scales.
  public var scalesProducts: Bool
  /// Subnormal elements, and a subnormal c.
  public var inputSubnormals: Subnormals
  /// Whether every subnormal product, sum or fused result becomes a zero of its sign.
  public var flushesResults: Bool

  public init(
    step: Int? = nil, order: Order, fusedMultiplyAdd: Bool = false, scalesProducts: Bool = false,
    inputSubnormals: Subnormals = .keep, flushesResults: Bool = false
  ) {
    self.step = step
    self.order = order
    self.fusedMultiplyAdd = fusedMultiplyAdd
    self.scalesProducts = scalesProducts
    self.inputSubnormals = inputSubnormals
    self.flushesResults = flushesResults
  }
}

/// One fused step of a matrix unit: `terms` products and c, aligned to a common exponent, cut to a
/// grid, added exactly and rounded once (A.2). The rounded result is the next step's c.
///
/// A term is s·2^e. A normal operand has 1 ≤ |s| < 2; a subnormal one keeps its format's smallest
/// exponent; a product is s_a·s_b with e_a + e_b and is not normalised again.
public struct FusedStep: Sendable, Hashable {
  public enum Scaling: String, Sendable, Hashable, Codable {
    /// The unit knows no scales: A.6b's run rule.
    case none
    /// Scales multiply every product, their exponents joining the product's (ST-FDPA).
    case products
    /// Exact sums of up to `group` products within one block of both operands are multiplied by the
    /// scales' significands and align by the scales' exponents alone (GST-FDPA).
    case groups
  }

  /// L: products in a step; for grouped units the most k that a step holds. Lanes beyond K are +0.
  public var terms: Int
  /// G: products of an exact group; 1 where every product is a term of its own.
  public var group: Int
  public var scaling: Scaling
  /// Nil: the sum is exact, and neither grid nor zero exponent matters.
  public var alignment: Alignment?
  public var join: Join
  /// Whether products at even and odd lanes are aligned and added separately before they meet
  /// (CDNA3 FP8).
  public var splitsEvenOdd: Bool
  /// Whether a product of magnitude 2^128 or more is infinite (CDNA3).
  public var infiniteProducts: Bool

  public init(
    terms: Int, group: Int = 1, scaling: Scaling = .none, alignment: Alignment?,
    join: Join = .fused, splitsEvenOdd: Bool = false, infiniteProducts: Bool = false
  ) {
    self.terms = terms
    self.group = group
    self.scaling = scaling
    self.alignment = alignment
    self.join = join
    self.splitsEvenOdd = splitsEvenOdd
    self.infiniteProducts = infiniteProducts
  }

  /// The grid of the aligned sum: multiples of 2^(e_max − fraction).
  public struct Alignment: Sendable, Hashable {
    /// F
    public var fraction: Int
    /// How a term falls onto the grid: towardZero cuts its magnitude, towardNegative floors it,
    /// toOdd sets the last bit where anything was cut ("jam").
    public var rounding: Rounding
    /// The exponent of a term that is exactly zero; nil: zeros do not take part in e_max. Without
    /// any exponent in e_max the sum is +0.
    public var zeroExponent: Int?

    public init(fraction: Int, rounding: Rounding = .towardZero, zeroExponent: Int? = nil) {
      self.fraction = fraction
      self.rounding = rounding
      self.zeroExponent = zeroExponent
    }
  }

  /// How c meets the products.
  public enum Join: Sendable, Hashable {
    /// As one more term of the fused sum.
    case fused
    /// After the products' own aligned sum, at the larger of the two exponents (CDNA3).
    case late(LateJoin)
    /// The products' sum is rounded to FP32 by this mode, then added to c in FP32 by the same mode
    /// (RISC-V bulk normalisation).
    case add(Rounding)
  }

  /// With E = max(e_dot, e_c), where a c of 0 has e_c = −126: the products' sum is floored to
  /// multiples of 2^(E − sumFraction), c to multiples of 2^(E − addendFraction), and the two are
  /// added exactly.
  public struct LateJoin: Sendable, Hashable {
    public var sumFraction: Int
    public var addendFraction: Int
    /// c counts as 0 where e_c < E − this; nil: never.
    public var dropsBelow: Int?
    /// The sum is floored to this many bits below its own leading bit, or below 2^−126 where that is
    /// larger, before it is rounded; nil: not.
    public var resultFraction: Int?

    public init(
      sumFraction: Int, addendFraction: Int, dropsBelow: Int? = nil, resultFraction: Int? = nil
    ) {
      self.sumFraction = sumFraction
      self.addendFraction = addendFraction
      self.dropsBelow = dropsBelow
      self.resultFraction = resultFraction
    }
  }
}

/// What a register does with a sum beyond its range.
public enum RegisterOverflow: String, Sendable, Hashable, Codable {
  /// Modulo 2^width.
  case wrap
  /// The nearest end of the range.
  case saturate
}

/// Integer codes multiplied and added exactly; the register's unit is the product of the operands'
/// units (for MXINT8 2^-12).
public struct IntegerRegister: Sendable, Hashable {
  /// Width in bits, 2 to 64.
  public var width: Int
  public var overflow: RegisterOverflow
  /// Terms after which the overflow rule is applied; nil: once, to c plus the exact sum.
  public var step: Int?

  public init(width: Int = 32, overflow: RegisterOverflow, step: Int? = nil) {
    self.width = width
    self.overflow = overflow
    self.step = step
  }
}

/// An architect's own adder: a two's complement register of `width` bits whose last bit weighs
/// 2^lsb. Exact sums of `terms` scaled products are rounded to multiples of 2^lsb, then added, k
/// ascending, the overflow rule applied to each sum. NaN and infinity are errors.
public struct FixedPointRegister: Sendable, Hashable {
  /// 2 to 64.
  public var width: Int
  /// −1000 to 1000.
  public var lsb: Int
  public var overflow: RegisterOverflow
  /// Products added exactly before they are cut, at least 1.
  public var terms: Int
  public var rounding: Rounding

  public init(
    width: Int, lsb: Int, overflow: RegisterOverflow, terms: Int = 1,
    rounding: Rounding = .towardZero
  ) {
    self.width = width
    self.lsb = lsb
    self.overflow = overflow
    self.terms = terms
    self.rounding = rounding
  }
}

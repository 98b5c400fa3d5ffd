/// What one output's sum went through, step by step: what a designer needs at the first mismatch.
public struct MatmulTrace: Sendable, Hashable {
  /// A real number significand · 2^exponent, the significand in decimal since it may exceed 64 bits
  /// (`-0` for a negative zero). Where `special` is `nan`, `+inf` or `-inf` it is that instead.
  public struct Value: Sendable, Hashable {
    public var significand: String
    public var exponent: Int
    public var special: String?

    public init(significand: String, exponent: Int, special: String? = nil) {
      self.significand = significand
      self.exponent = exponent
      self.special = special
    }
  }

  /// One term of a step.
  public struct Term: Sendable, Hashable {
    /// The k that the term covers; empty for c.
    public var k: Range<Int>
    /// The term before alignment.
    public var value: Value
    /// The exponent it aligned by; nil where the step has no alignment or the term took no part.
    public var exponent: Int?
    /// What was added: its significand is in units of the step's grid.
    public var aligned: Value

    public init(k: Range<Int>, value: Value, exponent: Int?, aligned: Value) {
      self.k = k
      self.value = value
      self.exponent = exponent
      self.aligned = aligned
    }
  }

  /// One rounding of the accumulator, or a sum that is not rounded yet.
  ///
  /// | kind | what it is |
  /// |---|---|
  /// | fused | products and c, aligned, added and rounded |
  /// | products | the aligned sum of products alone, before c joins |
  /// | join | that sum and c, floored below the larger exponent, added and rounded |
  /// | product, add, fma | one float32 operation |
  /// | integer, fixed | a register's step, the overflow rule applied |
  /// | scale, promote | fl(P · fl(s_A·s_B)) and the float32 addition to the accumulator (A.6b) |
  /// | tensorScale | fl(D · fl(T_A·T_B)) |
  /// | output | D rounded to FP16 at the end |
  public struct Step: Sendable, Hashable {
    public var kind: String
    public var k: Range<Int>
    public var maximumExponent: Int?
    public var terms: [Term]
    /// The sum before rounding.
    public var sum: Value
    /// The pattern after rounding, of the step's own format; nil where nothing was rounded.
    public var result: Int64?

    public init(
      kind: String, k: Range<Int>, maximumExponent: Int? = nil, terms: [Term], sum: Value,
      result: Int64?
    ) {
      self.kind = kind
      self.k = k
      self.maximumExponent = maximumExponent
      self.terms = terms
      self.sum = sum
      self.result = result
    }
  }

  public var steps: [Step]
  /// D's pattern.
  public var result: Int64

  public init(steps: [Step], result: Int64) {
    self.steps = steps
    self.result = result
  }
}

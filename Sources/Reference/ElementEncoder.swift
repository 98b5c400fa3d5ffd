import NumberFormats

/// Encodes quotients x/d to an element format (spec/exact.md, step 5 and "Encoding one element").
struct ElementEncoder: ~Copyable {
  let element: ElementFormat
  let rounding: Rounding
  let overflow: Overflow
  let nan: NaNPolicy
  private let magnitude: Real
  private let value: Real
  private var neighbours: Neighbours

  init(
    _ element: ElementFormat, rounding: Rounding, overflow: Overflow = .saturate,
    nan: NaNPolicy = .canonical
  ) {
    self.element = element
    self.rounding = rounding
    self.overflow = overflow
    self.nan = nan
    magnitude = Real()
    value = Real()
    if case .codebook = element.kind {
      neighbours = Neighbours(precision: Real.wide)
    } else {
      neighbours = Neighbours()
    }
  }

  /// The code of x/d for d > 0; nil for NaN where the format has none.
  mutating func encode(_ x: Float, over d: borrowing Real, random: UInt32) -> UInt32? {
    let negative = x.sign == .minus
    if x.isNaN { return nanCode(negative: negative) }
    if x.isInfinite { return infinite(negative: negative) }
    switch element.kind {
    case .float(let layout):
      if x == 0 { return zeroCode(negative: negative) }
      magnitude.set(abs(x))
      neighbours.find(magnitude, over: d, in: layout)
    case .integer(let layout):
      if x == 0 { return zeroCode(negative: negative) }
      magnitude.set(abs(x))
      neighbours.find(magnitude, over: d, in: layout)
    case .codebook(let values):
      magnitude.set(x)
      neighbours.find(magnitude, over: d, in: values, value: value)
      return UInt32(neighbours.round(rounding, negative: x < 0, random: random))
    }
    let rounded = neighbours.round(rounding, negative: negative, random: random)
    return finish(rounded, negative: negative)
  }

  /// The code of a finite quotient that was rounded to a magnitude of a float or integer format,
  /// counted on past the largest finite one.
  mutating func finish(_ rounded: Int, negative: Bool) -> UInt32? {
    switch element.kind {
    case .float(let layout):
      if negative && layout.signBits == 0 { return 0 }
      if rounded > Int(layout.largestFiniteMagnitudeCode) { return overflowed(negative: negative) }
      if rounded == 0 { return zeroCode(negative: negative) }
      return pattern(UInt32(rounded), negative: negative, layout)
    case .integer(let layout):
      if rounded == 0 { return zeroCode(negative: negative) }
      return pattern(min(rounded, layout.largestMagnitude(negative: negative)), negative, layout)
    case .codebook: return UInt32(rounded)
    }
  }

  /// The code of zero: with its sign where the format has two zeros. A format without zero gives
  /// its smallest number, a codebook what it has nearest to zero under the rounding.
  mutating func zeroCode(negative: Bool, random: UInt32 = 0) -> UInt32? {
    switch element.kind {
    case .float(let layout):
      return layout.nonFinite == .negativeZeroNaN ? 0 : pattern(0, negative: negative, layout)
    case .integer(let layout):
      return layout.encoding == .signMagnitude ? pattern(0, negative, layout) : 0
    case .codebook:
      let one = Real(1)
      return encode(0, over: one, random: random)
    }
  }

  /// What an infinite quotient becomes.
  func infinite(negative: Bool) -> UInt32? {
    overflow == .saturate ? largestCode(negative: negative) : nonFiniteCode(negative: negative)
  }

  /// What a finite quotient that rounds beyond the largest finite value becomes.
  private func overflowed(negative: Bool) -> UInt32? {
    overflow == .saturate || rounding.stopsAtLargest(negative: negative)
      ? largestCode(negative: negative) : nonFiniteCode(negative: negative)
  }

  /// Infinity, NaN where there is no infinity, the largest finite value where there is neither.
  private func nonFiniteCode(negative: Bool) -> UInt32? {
    guard case .float(let layout) = element.kind, layout.nonFinite != .none else {
      return largestCode(negative: negative)
    }
    if let infinity = layout.infinityMagnitudeCode {
      return pattern(infinity, negative: negative, layout)
    }
    return nanCode(negative: negative)
  }

  /// The finite value furthest from zero with that sign.
  func largestCode(negative: Bool) -> UInt32 {
    switch element.kind {
    case .float(let layout):
      negative && layout.signBits == 0
        ? 0 : pattern(layout.largestFiniteMagnitudeCode, negative: negative, layout)
    case .integer(let layout):
      pattern(layout.largestMagnitude(negative: negative), negative, layout)
    case .codebook(let values): negative ? 0 : UInt32(values.count - 1)
    }
  }

  /// The NaN of the policy; the canonical one where ml_dtypes lacks the type.
  func nanCode(negative: Bool) -> UInt32? {
    if nan == .mlDtypes, let codes = element.mlDtypesNaN {
      return negative ? codes.negative : codes.positive
    }
    return element.canonicalNaN
  }

  private func pattern(_ magnitude: UInt32, negative: Bool, _ layout: FloatLayout) -> UInt32 {
    negative && layout.signBits == 1 ? magnitude | (layout.magnitudeMask + 1) : magnitude
  }

  private func pattern(_ units: Int, _ negative: Bool, _ layout: IntegerLayout) -> UInt32 {
    let sign = UInt32(1) << UInt32(layout.bits - 1)
    switch layout.encoding {
    case .signMagnitude: return negative ? UInt32(units) | sign : UInt32(units)
    case .twosComplement:
      return negative ? (2 * sign - UInt32(units)) & (2 * sign - 1) : UInt32(units)
    }
  }
}

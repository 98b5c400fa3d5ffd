import NumberFormats

/// Finds the two neighbours of a quotient x/d in a format, by exact arithmetic only: the numbers of
/// the format are multiplied by d, and x is never divided where a bit could hang on it.
///
/// After `find`, `near` is the neighbour nearer to zero, `far` the next one away from it, `rest` is
/// |x − near·d| and `step` is |far − near|·d, so that the fraction of the way is rest/step in [0, 1).
struct Neighbours: ~Copyable {
  /// The magnitude code of a float or integer, counted on past the largest finite number; the
  /// index in a codebook.
  var near = 0
  var far = 1
  let rest: Real
  let step: Real
  private let product: Real
  private let quotient: Real

  init(precision: Int = Real.working) {
    rest = Real(precision: precision)
    step = Real(precision: precision)
    product = Real(precision: precision)
    quotient = Real(precision: Real.working)
  }

  /// Among the magnitudes of a float format continued without an upper end, for x > 0 and d > 0.
  ///
  /// In the binade of exponent e the numbers are the multiples of 2^(e − m); below the smallest
  /// normal exponent the spacing stays. In a format without zero all that is below the smallest
  /// number counts as that number.
  mutating func find(_ x: borrowing Real, over d: borrowing Real, in layout: FloatLayout) {
    let mantissaBits = layout.mantissaBits
    let smallest = layout.smallestExponent
    quotient.setTruncatedQuotient(x, d)
    if quotient.exponent < smallest, !layout.zeroExponentIsSubnormal {
      return setExact(0)
    }
    let exponent = max(quotient.exponent, smallest)
    let multiple = findMultiple(x, over: d, spacing: exponent - mantissaBits)
    let hidden = layout.zeroExponentIsSubnormal ? 0 : 1 << mantissaBits
    near = (exponent - smallest) << mantissaBits + multiple - hidden
    far = near + 1
  }

  /// Among the multiples of 2^(−fractionBits), for x > 0 and d > 0. A quotient far beyond every
  /// integer format counts as 2^40 units.
  mutating func find(_ x: borrowing Real, over d: borrowing Real, in layout: IntegerLayout) {
    quotient.setTruncatedQuotient(x, d)
    if quotient.exponent + layout.fractionBits >= 40 { return setExact(1 << 40) }
    near = findMultiple(x, over: d, spacing: -layout.fractionBits)
    far = near + 1
  }

  /// Among a codebook's values, for x of either sign and d > 0; beyond the ends, the end itself.
  ///
  /// Where zero lies strictly between the two values, the lower one counts as the nearer for
  /// x ≥ 0, the upper one for x < 0.
  mutating func find(
    _ x: borrowing Real, over d: borrowing Real, in values: [Float], value: borrowing Real
  ) {
    var lower = 0
    var upper = values.count
    while lower < upper {
      let middle = (lower + upper) / 2
      value.set(values[middle])
      product.setProduct(value, d)
      if product.compare(x) <= 0 { lower = middle + 1 } else { upper = middle }
    }
    if upper == 0 || upper == values.count { return setExact(max(0, upper - 1)) }
    let below = values[upper - 1]
    value.set(below)
    product.setProduct(value, d)
    if product.compare(x) == 0 { return setExact(upper - 1) }
    let above = values[upper]
    let towardLower = below >= 0 || (above > 0 && (x.isZero || !x.isNegative))
    near = towardLower ? upper - 1 : upper
    far = towardLower ? upper : upper - 1
    value.set(values[near])
    product.setProduct(value, d)
    rest.setDifference(x, product)
    rest.setMagnitude(of: rest)
    step.set(above)
    value.set(below)
    step.setDifference(step, value)
    step.setProduct(step, d)
  }

  /// The largest k with k·2^spacing·d ≤ x; leaves `rest` and `step`.
  private func findMultiple(
    _ x: borrowing Real, over d: borrowing Real, spacing: Int
  ) -> Int {
    product.setScaled(quotient, exponent: -spacing)
    let multiple = product.integerPart
    step.setScaled(d, exponent: spacing)
    product.setProduct(step, multiple)
    rest.setDifference(x, product)
    precondition(!rest.isNegative || rest.isZero, "the multiple below was not below")
    precondition(rest.compare(step) < 0, "the multiple below was not the last one below")
    return Int(multiple)
  }

  private mutating func setExact(_ index: Int) {
    near = index
    far = index + 1
    rest.set(0)
    step.set(1)
  }

  /// Whether the quotient is a number of the format.
  var isExact: Bool { rest.isZero }

  /// −1, 0 or 1 as the quotient is below, on or above the middle of its neighbours (in magnitude).
  func compareWithMiddle() -> Int {
    product.setScaled(rest, exponent: 1)
    return product.compare(step)
  }

  /// ⌊f·2^bits⌋ for the fraction f of the way from `near` to `far`.
  func fraction(bits: Int) -> UInt {
    product.setScaled(rest, exponent: bits)
    quotient.setTruncatedQuotient(product, step)
    return quotient.integerPart
  }

  /// The neighbour that `rounding` takes (see the table in `Rounding`).
  ///
  /// - Parameters:
  ///   - negative: whether the number is on the negative side, so that away from zero is down.
  ///   - random: the bits of stochastic rounding.
  func round(_ rounding: Rounding, negative: Bool, random: UInt32) -> Int {
    if isExact { return near }
    let nearIsEven = near & 1 == 0
    let takeFar: Bool
    switch rounding {
    case .tiesToEven:
      let side = compareWithMiddle()
      takeFar = side > 0 || (side == 0 && !nearIsEven)
    case .tiesToAway: takeFar = compareWithMiddle() >= 0
    case .tiesTowardZero: takeFar = compareWithMiddle() > 0
    case .towardZero: takeFar = false
    case .towardPositive: takeFar = !negative
    case .towardNegative: takeFar = negative
    case .toOdd: takeFar = nearIsEven
    case .stochastic(let bits):
      takeFar = fraction(bits: bits) + UInt(random) >= UInt(1) << UInt(bits)
    }
    return takeFar ? far : near
  }
}

extension Rounding {
  /// Whether an overflowing number of that sign stops at the largest finite value rather than
  /// becoming infinite (IEEE 754-2019 section 7.4): the roundings that move it toward zero, and
  /// `toOdd`.
  func stopsAtLargest(negative: Bool) -> Bool {
    switch self {
    case .towardZero, .toOdd: true
    case .towardPositive: negative
    case .towardNegative: !negative
    case .tiesToEven, .tiesToAway, .tiesTowardZero, .stochastic: false
    }
  }
}

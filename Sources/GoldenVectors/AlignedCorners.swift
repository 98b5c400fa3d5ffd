import NumberFormats

// What of an aligner's corners a unit's inputs reach.

/// An operand that keeps its format's smallest exponent when it is subnormal.
enum SubnormalOperand: Sendable {
  case element, scale, addend
}

extension VectorSpec {
  /// The unit's step and its aligner; nil where sums are exact or made of float32 operations.
  var aligned: (step: FusedStep, alignment: FusedStep.Alignment)? {
    guard operation == .dot || operation == .mma, depth > 1,
      case .fused(let step) = accumulator.datapath, step.terms > 1, let alignment = step.alignment
    else { return nil }
    return (step, alignment)
  }

  /// Whether the unit sums runs without c, scales being applied behind it.
  var sumsRuns: Bool {
    guard let step = aligned?.step else { return false }
    return isScaled && step.scaling == .none
  }

  /// Whether scales enter the aligner.
  var alignsScales: Bool {
    guard let step = aligned?.step else { return false }
    return isScaled && step.scaling != .none
  }

  /// Whether c is a term of the aligned sum.
  var alignsAddend: Bool {
    guard let step = aligned?.step else { return false }
    return operation == .mma && step.join == .fused && !sumsRuns && accumulator.promoteEvery == nil
  }

  /// Which subnormal operands can be the term of the largest exponent, so that bits that are kept
  /// tell its own exponent from a normalised one.
  func subnormalOperands(_ codes: ElementCodes) -> [SubnormalOperand] {
    guard let (step, alignment) = aligned else { return [] }
    let powers = codes.productPowers
    var kinds: [SubnormalOperand] = []
    if step.scaling != .groups, let least = codes.smallestNormalExponent {
      let grid = least + codes.exponents.upperBound - alignment.fraction
      if powers.lowerBound < grid || alignsAddend && grid > smallestExponent {
        kinds.append(.element)
      }
    }
    let scale = ScaleCodes(quantization.format.scale)
    if alignsScales, alignsAddend, scale.subnormalCount > 0 { kinds.append(.scale) }
    // Only a cut towards zero shows one bit far below a subnormal sum.
    let lowest = powers.lowerBound + (alignsScales ? 2 * scale.exponents.lowerBound : 0)
    if alignsAddend, expected.width == 32, outputMantissa > 0,
      accumulator.output.rounding == .towardZero,
      lowest < -126 - alignment.fraction
    {
      kinds.append(.addend)
    }
    return kinds
  }

  /// Whether terms beside a zero can have a smaller exponent than it, and bits on both sides of its
  /// grid that show in the result.
  func reachesZeroExponent(_ codes: ElementCodes) -> Bool {
    guard let (step, alignment) = aligned, let zero = alignment.zeroExponent, step.join == .fused,
      smallestExponent + 2 <= zero
    else { return false }
    let powers = codes.productPowers
    let bit = zero - alignment.fraction - 1
    guard alignsScales else {
      return powers.lowerBound <= bit && powers.upperBound > smallestExponent
    }
    let scale = ScaleCodes(quantization.format.scale)
    return powers.lowerBound + 2 * scale.exponents.lowerBound <= bit
      && (smallestExponent - bit < powers.count || lanes < min(depth, step.terms))
  }
}

extension ElementCodes {
  private var subnormalLayout: FloatLayout? {
    guard case .float(let layout) = element.kind, layout.zeroExponentIsSubnormal,
      layout.mantissaBits > 0
    else { return nil }
    return layout
  }

  /// The exponent that subnormal codes keep; nil where there are none.
  var smallestNormalExponent: Int? { subnormalLayout.map { 1 - $0.bias } }

  /// How many subnormal codes `subnormal` walks through: all, of wide elements one of each exponent.
  var subnormalSteps: Int {
    guard let layout = subnormalLayout else { return 1 }
    return layout.mantissaBits > 4 ? layout.mantissaBits : (1 << layout.mantissaBits) - 1
  }

  /// A positive subnormal code.
  func subnormal(_ turn: Int, _ words: inout CaseRandom) -> UInt32 {
    guard let layout = subnormalLayout else { return smallest }
    let place = turn % subnormalSteps
    if layout.mantissaBits > 4 { return code(exponent: -layout.bias - place, &words) }
    return positive[min(place, positive.count - 1)]
  }

  /// What a code that is not zero aligns by.
  func alignmentExponent(_ code: UInt32) -> Int {
    let own = ownExponent(code)
    return max(own, smallestNormalExponent ?? own)
  }

  /// The exponent of a code's leading bit.
  func ownExponent(_ code: UInt32) -> Int { Int(value(code).exponent) }
}

extension ScaleCodes {
  /// How many subnormal codes there are: 1 and those that follow it.
  var subnormalCount: Int { hasZero ? (1 << format.layout.mantissaBits) - 1 : 0 }

  /// What a code that is not zero aligns by.
  func alignmentExponent(_ code: UInt32) -> Int {
    let own = ownExponent(code)
    return hasZero ? max(own, exponents.lowerBound) : own
  }

  func ownExponent(_ code: UInt32) -> Int { Int(value(code).exponent) }
}

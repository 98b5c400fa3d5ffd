/// What a golden vector exercises: its operands go in, the reference's result is expected.
public enum VectorOperation: String, Sendable, Hashable, CaseIterable, Codable {
  /// An element's code to its float32 value.
  case decode
  /// A float32 value to an element's code, saturating, without a block.
  case encode
  /// A block's largest magnitude (float32) to its scale code.
  case scale
  /// A block of float32 values to codes and a scale.
  case quantize
  /// A block of codes and a scale to float32 values.
  case dequantize
  /// Two codes to their product in the accumulator's output.
  case product
  /// Two blocks of codes with their scales to their dot product; c is 0.
  case dot
  /// One step of a matrix unit: its number of terms, and c.
  case mma
  /// A tile of D = A·B + C: M × N outputs, the unit's steps chained along K, a scale for each block
  /// of a row of A and of a column of B.
  case matmul

  /// Whether products are summed.
  public var isSum: Bool {
    switch self {
    case .product, .dot, .mma, .matmul: true
    case .decode, .encode, .scale, .quantize, .dequantize: false
    }
  }
}

/// A class of cases (spec/accumulation-and-vectors.md B.5), each requestable alone.
public enum CaseClass: String, Sendable, Hashable, CaseIterable, Codable {
  /// Every word of inputs, where there are at most 2^16.
  case exhaustive
  /// Blocks, operands or c of zeros.
  case zeros
  /// Zeros of both signs.
  case signedZeros = "signed-zeros"
  /// A NaN or infinity walking over the lanes, beside zeros and opposite infinities too.
  case nanInfPerLane = "nan-inf-per-lane"
  /// A NaN scale, over zeros too.
  case nanScales = "nan-scales"
  /// Largest magnitudes in every lane: the longest carries.
  case maxMagnitude = "max-magnitude"
  /// Sums that cancel to zero or to their last bit.
  case cancellation
  /// Two terms at each distance from 0 to F + 3 binades, of both signs.
  case alignmentLadder = "alignment-ladder"
  /// A large term and tails far below it.
  case stickyTails = "sticky-tails"
  /// Results halfway between two neighbours, and just beside.
  case ties
  /// Around the largest finite result.
  case overflow
  /// Around the smallest result.
  case underflow
  /// Results in the subnormal range.
  case subnormalOutput = "subnormal-output"
  /// c far above the products.
  case cDominates = "c-dominates"
  /// c far below the products.
  case cVanishes = "c-vanishes"
  /// Fewer elements than lanes: the lanes behind them hold +0.
  case tailBlocks = "tail-blocks"
  /// One lane differs from zero: which bits it lies in.
  case walkingElement = "walking-element"
  /// The same terms in two orders, a case each.
  case permuted
  /// Integer and fixed registers at the ends of their range.
  case wrapSaturate = "wrap-saturate"
  /// Every code of each operand's elements, alone in its block; of wide elements a sample with every
  /// exponent.
  case elementCodes = "element-codes"
  /// Every code of each scale, with the bits that reading ignores both clear and set; then pairs.
  case scaleCodes = "scale-codes"
  /// c of every kind: zeros, subnormals, ends of the range, infinities, NaNs of all payloads.
  case specialC = "special-c"
  /// A rounding that carries through every number of bits, into the exponent too.
  case roundingCarries = "rounding-carries"
  /// Subnormal elements, scales or c as the term that the others are aligned to, by the smallest
  /// exponent of their format, with bits that a normalised exponent would keep.
  case subnormalOperands = "subnormal-operands"
  /// Zeros beside terms of exponents below that of a zero, with bits on both sides of its grid.
  case zeroExponent = "zero-exponent"
  /// Weighted random operands; at least half of the results are informative.
  case random
  /// Operands taken from files: a case for each output.
  case operands
}

/// How many cases a class gets.
public enum VectorLevel: String, Sendable, Hashable, CaseIterable, Codable {
  case smoke, nightly, exhaustive

  /// Cases of each directed class.
  var directed: Int {
    switch self {
    case .smoke: 64
    case .nightly: 1024
    case .exhaustive: 8192
    }
  }
  /// Cases of the random class.
  var random: Int {
    switch self {
    case .smoke: 512
    case .nightly: 16384
    case .exhaustive: 131_072
    }
  }
  /// The largest space that is exhausted without being asked for.
  var exhausted: Int { self == .smoke ? 1 << 10 : 1 << 16 }
}

/// Why vectors cannot be written.
public enum VectorsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The request makes no sense.
  case usage(String)
  /// The engines differ; nothing was written.
  case difference(String)
  /// Generated operands that an engine refuses.
  case refused(String)
  /// The caller asked for an end.
  case stopped

  public var exitCode: Int32 {
    switch self {
    case .usage: 64
    case .difference: 1
    case .refused: 65
    case .stopped: 130
    }
  }

  public var description: String {
    switch self {
    case .usage(let text), .difference(let text), .refused(let text): text
    case .stopped: "stopped; nothing is written"
    }
  }
}

import NumberFormats

/// What a multiplier and an exact adder tree have to know of an element format.
///
/// Every finite value is an integer on the grid of the format's smallest step; a product of two is an
/// integer on that step's square. Source: spec/accumulation-and-vectors.md, A.7 and C.2.
public struct ElementGeometry: Sendable, Hashable {
  /// Bits that each operand brings to the multiplier: the significand with its hidden bit, all bits
  /// of a two's complement integer, the magnitude of any other.
  public var significandBits: Int
  /// Width of the exponent field; 0 where there is none.
  public var exponentBits: Int
  /// By how many places a product of significands may have to move on the grid; 0 for integers.
  public var largestShift: Int
  /// Whether the sign is a weight of the top bit, and not a bit of its own.
  public var isTwosComplement: Bool
  /// Entries of a table that turns a code into its value on the grid; 0 for all but codebooks.
  public var tableEntries: Int
  /// The largest magnitude on the grid is `largestSignificand` · 2^`largestExponent`.
  var largestSignificand: UInt64
  var largestExponent: Int

  public init(_ element: ElementFormat) {
    switch element.kind {
    case .float(let layout): self.init(layout)
    case .integer(let layout): self.init(layout)
    case .codebook(let values): self.init(codebook: values)
    }
  }

  private init(_ layout: FloatLayout) {
    let largest = layout.largestFiniteMagnitudeCode
    let field = Int(largest >> UInt32(layout.mantissaBits))
    let hidden = UInt32(1) << UInt32(layout.mantissaBits)
    significandBits = layout.mantissaBits + 1
    exponentBits = layout.exponentBits
    largestShift = 2 * max(field - 1, 0)
    isTwosComplement = false
    tableEntries = 0
    largestSignificand = UInt64((largest & (hidden - 1)) | (field > 0 ? hidden : 0))
    largestExponent = max(field - 1, 0)
  }

  /// −2^(bits−1) counts: it decodes even where quantising avoids it.
  private init(_ layout: IntegerLayout) {
    isTwosComplement = layout.encoding == .twosComplement
    significandBits = isTwosComplement ? layout.bits : layout.bits - 1
    exponentBits = 0
    largestShift = 0
    tableEntries = 0
    let bound = UInt64(1) << UInt64(layout.bits - 1)
    largestSignificand = isTwosComplement ? 1 : bound - 1
    largestExponent = isTwosComplement ? layout.bits - 1 : 0
  }

  private init(codebook values: [Float]) {
    // Every float32 is a normal float64, so that a significand has its hidden bit.
    let magnitudes = values.filter { $0 != 0 }.map { Double($0.magnitude) }
    let step = magnitudes.map(Self.lowestBit).min() ?? 0
    let largest = magnitudes.max() ?? 1
    let lowest = Self.lowestBit(largest)
    let significand = largest.significandBitPattern | 1 << UInt64(Double.significandBitCount)
    largestSignificand = significand >> UInt64(significand.trailingZeroBitCount)
    largestExponent = lowest - step
    significandBits = Int(largest.exponent) - step + 1
    exponentBits = 0
    largestShift = 0
    isTwosComplement = false
    tableEntries = values.count
  }

  /// Exponent of the lowest set bit of a normal number.
  private static func lowestBit(_ value: Double) -> Int {
    let pattern = value.significandBitPattern
    let zeros = min(pattern.trailingZeroBitCount, Double.significandBitCount)
    return Int(value.exponent) - Double.significandBitCount + zeros
  }

  /// Bits of the adders of the multiplier: one row of p bits for each significand bit but the first.
  ///
  /// Rows of two's complement factors carry their signs further. The third term is what that costs in
  /// Yosys 0.23, seen on multipliers of 4 and 8 bits alone: 1.5 and 13 adders.
  var multiplierBits: Int {
    let bits = significandBits
    return bits * (bits - 1) + (isTwosComplement ? (bits - 1) * (bits - 2) / 3 : 0)
  }

  /// Bits of one signed product on its grid.
  public var productBits: Int { exactSumBits(terms: 1) }

  /// The fewest bits of a signed integer that holds every sum of this many products, so that an
  /// adder of that width is exact.
  ///
  /// - Parameter terms: 1 or more.
  public func exactSumBits(terms: Int) -> Int {
    let square = largestSignificand * largestSignificand
    let (high, low) = UInt64(terms).multipliedFullWidth(by: square)
    let bits =
      high == 0
      ? UInt64.bitWidth - low.leadingZeroBitCount
      : 2 * UInt64.bitWidth - high.leadingZeroBitCount
    return bits + 2 * largestExponent + 1
  }
}

import NumberFormats

/// A unit that multiplies two blocks of Q_b elements, adds the products exactly (or with each product
/// cut below), multiplies by both scales and joins the result with an FP32 number in one rounding.
///
/// This is tools/rtl/device/bs_dot.v with its parameters, extended to every element and scale.
/// Source of the breakdown: arXiv 2510.25602 appendix C and spec/accumulation-and-vectors.md C.2, C.3;
/// the differences are that the sum is exact (C.2 cuts it at 24 bits) and that widths are counted
/// stage by stage.
public struct DotUnit: Sendable, Hashable {
  public var element: ElementGeometry
  public var scale: FloatLayout
  /// Q_b, 1 or more.
  public var blockSize: Int
  /// Products that the unit takes at once; a larger block takes several steps.
  public var lanes: Int
  /// Low bits that each product loses before the sum; 0 where the sum is exact.
  public var droppedBits: Int

  /// - Parameters:
  ///   - blockSize: 1 or more.
  ///   - lanes: 1 or more; no more than the block are used.
  ///   - droppedBits: 0 or more, fewer than the product's bits less one.
  public init(
    element: ElementGeometry, scale: FloatLayout, blockSize: Int, lanes: Int = .max,
    droppedBits: Int = 0
  ) {
    self.element = element
    self.scale = scale
    self.blockSize = blockSize
    self.lanes = min(lanes, blockSize)
    self.droppedBits = droppedBits
  }

  /// Bits of a signed product as it enters the sum.
  public var termBits: Int { element.productBits - droppedBits }
  /// Bits of the signed accumulator that holds the sum of a whole block.
  public var accumulatorBits: Int { element.exactSumBits(terms: blockSize) - droppedBits }
  /// One lane: decode, multiply, place on the grid.
  public var lane: StructureCount {
    var count = StructureCount()
    count[.multiplier] = element.multiplierBits
    count[.shifter] = shiftedBits + 2 * tableBits
    count[.adder] = element.exponentBits > 0 ? element.exponentBits + 1 : 0
    return count
  }

  /// Multiplexers of a table with an entry for each code.
  private var tableBits: Int {
    element.tableEntries > 0 ? (element.tableEntries - 1) * element.significandBits : 0
  }

  /// Bits of all stages of the shifter, small shifts first. A stage is as wide as the bits that can be
  /// set after it, less those below that later stages cannot lift above the dropped ones.
  private var shiftedBits: Int {
    let stages = bitLength(element.largestShift)
    return (0..<stages).reduce(0) { total, stage in
      let reached = min(
        2 * element.significandBits + (1 << (stage + 1)) - 1, element.productBits - 1)
      let unneeded = max(0, droppedBits - ((1 << stages) - (1 << (stage + 1))))
      return total + max(0, reached - unneeded)
    }
  }

  /// The tree that adds the lanes, and the adder that adds up the steps of a larger block.
  public var adderTree: StructureCount {
    var count = Self.adderTree(terms: lanes, width: termBits)
    if blockSize > lanes { count[.adder] += accumulatorBits }
    return count
  }

  /// A balanced tree that adds signed numbers of `width` bits without loss, each adder as wide as its
  /// number of terms needs.
  static func adderTree(terms: Int, width: Int) -> StructureCount {
    func bits(_ terms: Int) -> Int {
      guard terms > 1 else { return 0 }
      let half = terms / 2
      let other = terms - half
      let low = bits(half)
      return width + bitLength(terms - 1) + low + (other == half ? low : bits(other))
    }
    var count = StructureCount()
    count[.adder] = bits(terms)
    return count
  }

  /// Multiplying both scales and the sum by the result.
  public var scaling: StructureCount {
    Self.scaleProduct(scale) + Self.scaling(accumulatorBits, by: scale)
  }

  /// Adding the scales' exponents and multiplying their significands.
  static func scaleProduct(_ scale: FloatLayout) -> StructureCount {
    var count = StructureCount()
    count[.adder] = scale.exponentBits
    let significand = scale.mantissaBits + 1
    count[.multiplier] = significand * (significand - 1)
    return count
  }

  /// Bits of the product of both scales' significands; one wider than FP32's significand is rounded
  /// to that. 0 for powers of two, which multiply nothing.
  static func significandBits(_ scale: FloatLayout) -> Int {
    scale.mantissaBits == 0 ? 0 : min(2 * (scale.mantissaBits + 1), 24)
  }

  /// Multiplying a sum of `bits` by the product of the scales' significands.
  static func scaling(_ bits: Int, by scale: FloatLayout) -> StructureCount {
    var count = StructureCount()
    count[.multiplier] = bits * max(0, significandBits(scale) - 1)
    return count
  }

  /// Joining the scaled sum with an FP32 number, exactly, and rounding once to FP32.
  public var accumulator: StructureCount {
    Self.accumulator(accumulatorBits, scale: scale)
  }

  static func accumulator(_ bits: Int, scale: FloatLayout) -> StructureCount {
    // The word holds either addend whole. Three bits for rounding, then a carry; four shifters:
    // normalise the term, align the smaller addend, normalise the sum, denormalise the result.
    let word = max(24, bits + significandBits(scale))
    var count = StructureCount()
    count[.shifter] = [word, word + 3, word + 4, word + 4].reduce(0) {
      $0 + $1 * bitLength($1 - 1)
    }
    count[.joinWord] = word
    count[.join] = 1
    return count
  }

  /// The whole unit.
  public var total: StructureCount { lanes * lane + adderTree + scaling + accumulator }
}

/// Binary digits of a number that is not negative; 0 for 0.
func bitLength(_ value: Int) -> Int { Int.bitWidth - value.leadingZeroBitCount }

import NumberFormats

/// The distribution of the blocks' crest factors, amax/rms, where amax is the largest |x| of a block
/// and rms the root of the mean of its x². The factor is without unit and lies between 1 and the root
/// of the block's length.
///
/// It is a histogram with fixed bins, so merging is exact and free of order: every octave of the factor
/// is cut into 4,096 bins of equal width, from 1 up to 2^16 (larger factors land in the last bin). A
/// quantile that is not the least or the greatest is off by at most half a bin: 1/8,192 of its value.
/// Least and greatest are exact.
///
/// Blocks that are all zero, or hold a NaN or an infinity, have no crest factor; they are only counted.
public struct CrestHistogram: Sendable, Equatable {
  /// The probabilities that reports list: least, 1 %, quartiles, 99 %, greatest.
  public static let reportedProbabilities = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1]

  private static let binBits = 12
  private static let octaves = 16

  /// Blocks with a crest factor.
  public private(set) var count = 0
  /// Blocks without: all zero, or with a NaN or an infinity.
  public private(set) var undefinedCount = 0
  /// The least crest factor, nil without blocks.
  public private(set) var least: Double?
  /// The greatest crest factor, nil without blocks.
  public private(set) var greatest: Double?

  /// One count per bin, as far as the highest octave in use.
  private var bins: [Int] = []

  /// A histogram without blocks.
  public init() {}

  /// Adds one block.
  ///
  /// - Parameters:
  ///   - amax: The largest |x|.
  ///   - sumSquares: Σx², NaN or infinite where an x is.
  ///   - length: Elements in the block, at least 1.
  public mutating func add(amax: Float, sumSquares: Double, length: Int) {
    guard amax > 0, sumSquares > 0, sumSquares.isFinite, length > 0 else {
      undefinedCount += 1
      return
    }
    // Equal magnitudes have factor 1; rounding must not take it below.
    let crest = max(1, Double(amax) / (sumSquares / Double(length)).squareRoot())
    least = min(least ?? crest, crest)
    greatest = max(greatest ?? crest, crest)
    count += 1
    let bin = Self.bin(of: crest)
    if bin >= bins.count {
      let octave = bin >> Self.binBits
      bins += repeatElement(0, count: (octave + 1) << Self.binBits - bins.count)
    }
    bins[bin] += 1
  }

  /// Adds the blocks of one row of blocks.
  public mutating func add(_ moments: BlockMoments) {
    for i in moments.amax.indices {
      add(
        amax: moments.amax[i], sumSquares: moments.sumSquares[i], length: moments.length(of: i))
    }
  }

  /// Adds every block of a grid, a tensor's or a slab's.
  ///
  /// - Parameters:
  ///   - x: The grid's elements, row-major.
  ///   - grid: How they are cut into blocks.
  ///   - maxima: The bits of the largest |x| of each block, NaN's above infinity's; nil: to be found.
  ///     The histogram is the same.
  ///   - target: The instruction set.
  public mutating func add(
    x: UnsafeBufferPointer<Float>, grid: BlockGrid, maxima: UnsafeBufferPointer<UInt32>? = nil,
    target: KernelTarget = .automatic
  ) {
    precondition(x.count == grid.elementCount)
    if let maxima { precondition(maxima.count == grid.blockCount) }
    guard !x.isEmpty else { return }
    var firstBlock = 0
    for matrix in 0..<grid.outer {
      for row in stride(from: 0, to: grid.rows, by: grid.tileRows) {
        let rows = min(grid.tileRows, grid.rows - row)
        let start = (matrix * grid.rows + row) * grid.columns
        let part = UnsafeBufferPointer(rebasing: x[start..<(start + rows * grid.columns)])
        let blocks = firstBlock..<(firstBlock + grid.blockColumns)
        add(
          BlockMoments(
            x: part, rows: rows, tileColumns: grid.tileColumns,
            maxima: maxima.map { UnsafeBufferPointer(rebasing: $0[blocks]) }, target: target))
        firstBlock = blocks.upperBound
      }
    }
  }

  /// Adds the blocks of another histogram; the result does not depend on the order.
  public mutating func merge(_ other: CrestHistogram) {
    count += other.count
    undefinedCount += other.undefinedCount
    if let value = other.least { least = min(least ?? value, value) }
    if let value = other.greatest { greatest = max(greatest ?? value, value) }
    if bins.count < other.bins.count {
      bins += repeatElement(0, count: other.bins.count - bins.count)
    }
    for i in other.bins.indices { bins[i] += other.bins[i] }
  }

  /// The crest factor below which a share of the blocks lies, interpolated linearly between the
  /// neighbours in order at position p·(count − 1) (type 7 of Hyndman and Fan, NumPy's default).
  ///
  /// - Parameter probability: 0 to 1; 0 gives the least, 1 the greatest.
  /// - Returns: nil without blocks.
  public func quantile(_ probability: Double) -> Double? {
    guard let least, let greatest else { return nil }
    let position = min(max(probability, 0), 1) * Double(count - 1)
    let rank = Int(position)
    let low = ordered(rank, least, greatest)
    let fraction = position - Double(rank)
    if fraction == 0 { return low }
    return low + fraction * (ordered(rank + 1, least, greatest) - low)
  }

  /// The block at a rank from 0 in ascending order: the middle of its bin, or exact at the two ends.
  private func ordered(_ rank: Int, _ least: Double, _ greatest: Double) -> Double {
    if rank <= 0 { return least }
    if rank >= count - 1 { return greatest }
    var behind = 0
    for (bin, number) in bins.enumerated() {
      behind += number
      if behind > rank { return min(max(Self.middle(of: bin), least), greatest) }
    }
    return greatest
  }

  /// The bin of a factor that is at least 1, from its bits alone: octave and leading fraction bits.
  private static func bin(of crest: Double) -> Int {
    let bits = crest.bitPattern - (1.0).bitPattern
    return min(Int(bits >> UInt64(52 - binBits)), octaves << binBits - 1)
  }

  private static func middle(of bin: Int) -> Double {
    let half = UInt64(1) << UInt64(51 - binBits)
    return Double(bitPattern: (1.0).bitPattern + UInt64(bin) << UInt64(52 - binBits) + half)
  }
}

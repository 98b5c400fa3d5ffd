#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The measured error of one format against its block size Q_b.
public struct ErrorCurve: Sendable, Hashable {
  /// One block size.
  public struct Point: Sendable, Hashable {
    /// As asked for: a number, or `axis`.
    public var block: String
    /// Elements that share a scale, on average over all that was measured: short last blocks, and
    /// lines shorter than the block, make it smaller than what was asked for.
    public var blockSize: Double
    /// The relative squared error (NMSE), without unit.
    public var error: Double
    /// Stored bits per weight, scales included.
    public var bitsPerElement: Double

    /// −10·log10 of the error; nil where there is none.
    public var decibels: Double? { error > 0 ? -10 * log10(error) : nil }

    public init(block: String, blockSize: Double, error: Double, bitsPerElement: Double) {
      self.block = block
      self.blockSize = blockSize
      self.error = error
      self.bitsPerElement = bitsPerElement
    }
  }

  /// Which way the error goes as blocks grow.
  public enum Trend: String, Sendable, Hashable {
    case rises, falls, neither
  }

  public let format: String
  /// By block size, ascending.
  public let points: [Point]

  /// - Parameters:
  ///   - points: at least one; block sizes above 0 and errors of 0 or more. Of two with one block
  ///     size the one named by a plain number stays, else the first.
  ///   - file: where they come from, for errors.
  public init(format: String, points: [Point], file: String) throws(LawError) {
    guard !points.isEmpty else { throw .badData(file, "no points of \(format)") }
    for point in points {
      guard point.blockSize > 0, point.blockSize.isFinite, point.error >= 0, point.error.isFinite
      else {
        throw .badData(
          file, "\(format), block \(point.block): error \(point.error)",
          expected: "a finite number of 0 or more")
      }
    }
    self.format = format
    var sorted: [Point] = []
    func rank(_ point: Point) -> (Double, Int) {
      (point.blockSize, Int(point.block) == nil ? 1 : 0)
    }
    for point in points.sorted(by: { rank($0) < rank($1) })
    where sorted.last?.blockSize != point.blockSize {
      sorted.append(point)
    }
    self.points = sorted
  }

  /// `rises` where no point lies below the one before it, `falls` where none lies above.
  public var trend: Trend {
    let steps = zip(points, points.dropFirst())
    if steps.allSatisfy({ $0.error <= $1.error }) { return .rises }
    return steps.allSatisfy { $0.error >= $1.error } ? .falls : .neither
  }

  /// Pairs of neighbouring points between which the error falls.
  public var falls: [(from: Point, to: Point)] {
    zip(points, points.dropFirst()).filter { $0.error > $1.error }.map { ($0, $1) }
  }

  /// The point of a block as it was asked for.
  public func point(block: String) -> Point? {
    points.first { $0.block.lowercased() == block.lowercased() }
  }

  /// The error at a block size: straight lines between points, log against log.
  ///
  /// - Returns: nil outside the measured block sizes.
  public func error(at blockSize: Double) -> Double? {
    guard let (low, high) = neighbours(of: blockSize) else { return nil }
    guard low.blockSize < high.blockSize else { return high.error }
    let (a, b) = (low.error, high.error)
    let share = log(blockSize / low.blockSize) / log(high.blockSize / low.blockSize)
    // A zero has no logarithm: a straight line instead.
    guard a > 0, b > 0 else { return a + share * (b - a) }
    return a * pow(b / a, share)
  }

  /// The bits per weight at a block size: exact, as a block's own bits are shared by its elements and
  /// those of an element and of a tensor do not change, so that they are linear in 1/Q_b.
  ///
  /// - Returns: nil outside the measured block sizes.
  public func bitsPerElement(at blockSize: Double) -> Double? {
    guard let (low, high) = neighbours(of: blockSize) else { return nil }
    guard low.blockSize < high.blockSize else { return high.bitsPerElement }
    let share =
      (1 / low.blockSize - 1 / blockSize) / (1 / low.blockSize - 1 / high.blockSize)
    return low.bitsPerElement + share * (high.bitsPerElement - low.bitsPerElement)
  }

  /// The points on either side of a block size; one point twice where it is measured.
  private func neighbours(of blockSize: Double) -> (low: Point, high: Point)? {
    guard let right = points.firstIndex(where: { $0.blockSize >= blockSize }) else { return nil }
    let high = points[right]
    guard high.blockSize > blockSize else { return (high, high) }
    return right > 0 ? (points[right - 1], high) : nil
  }

  /// Where a curve meets an error.
  public enum Crossing: Sendable, Hashable {
    /// At these block sizes, ascending; several where the curve is not monotone.
    case at([Double])
    /// The curve lies below it, or above it, at every measured block size.
    case below, above
  }

  /// The block sizes at which this format errs as much: with another format's error, the equivalent
  /// block sizes.
  public func blockSizes(erring error: Double) -> Crossing {
    var sizes: [Double] = []
    if let first = points.first, first.error == error { sizes.append(first.blockSize) }
    for (low, high) in zip(points, points.dropFirst()) {
      guard low.error != high.error,
        (low.error < error) != (high.error < error) || high.error == error
      else { continue }
      if low.error == error { continue }
      sizes.append(Self.crossing(low, high, error))
    }
    if !sizes.isEmpty { return .at(sizes) }
    return points[0].error < error ? .below : .above
  }

  /// The largest block size whose error is within a limit, and all that are smaller down to the next point
  /// above it.
  public func largestBlock(within limit: Double) -> LargestBlock {
    guard let last = points.last else { return .none }
    if last.error <= limit { return .allMeasured(last.blockSize) }
    for (low, high) in zip(points, points.dropFirst()).reversed() where low.error <= limit {
      return .at(Self.crossing(low, high, limit))
    }
    return .none
  }

  /// Between a point and the next, where the line log against log has the error.
  private static func crossing(_ low: Point, _ high: Point, _ error: Double) -> Double {
    if error == high.error { return high.blockSize }
    let share =
      low.error > 0 && high.error > 0 && error > 0
      ? log(error / low.error) / log(high.error / low.error)
      : (error - low.error) / (high.error - low.error)
    return low.blockSize * pow(high.blockSize / low.blockSize, share)
  }
}

/// The largest block size within a limit, as far as was measured.
public enum LargestBlock: Sendable, Hashable {
  /// Every measured block size is within it: at least this one, the largest measured.
  case allMeasured(Double)
  case at(Double)
  /// None that was measured.
  case none

  /// Elements per scale; nil for none.
  public var blockSize: Double? {
    switch self {
    case .allMeasured(let size), .at(let size): size
    case .none: nil
    }
  }
}

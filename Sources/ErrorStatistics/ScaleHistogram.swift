import NumberFormats

/// How often each scale occurs, over the blocks of a tensor.
///
/// Scales of at most 8 bits are counted by code, wider ones by the binary exponent ⌊log2|s|⌋ of the
/// decoded scale. Merging is exact and free of order.
public enum ScaleHistogram: Sendable, Equatable {
  /// 256 bins, one per code.
  case codes([Int])
  /// Counts by exponent, with zeros and NaNs or infinities apart.
  case exponents(counts: [Int: Int], zeros: Int, nonFinite: Int)

  /// An empty histogram over codes.
  public static var emptyCodes: ScaleHistogram { .codes([Int](repeating: 0, count: 256)) }
  /// An empty histogram over binary exponents.
  public static var emptyExponents: ScaleHistogram {
    .exponents(counts: [:], zeros: 0, nonFinite: 0)
  }

  /// The empty histogram of a scale format's kind.
  public static func empty(for format: ScaleFormat) -> ScaleHistogram {
    format.storedBits <= 8 ? .emptyCodes : .emptyExponents
  }

  /// Counts the scale codes of some blocks, as stored; only for a histogram over codes. Bits above
  /// the lowest eight are ignored.
  public mutating func add(codes: UnsafeBufferPointer<UInt32>) {
    guard case .codes(var bins) = self else {
      preconditionFailure("codes added to a histogram over exponents")
    }
    self = .emptyExponents  // so that the bins are not copied
    for code in codes { bins[Int(code & 0xff)] += 1 }
    self = .codes(bins)
  }

  /// Counts the decoded scales of some blocks; only for a histogram over exponents.
  public mutating func add(scales: UnsafeBufferPointer<Float>) {
    guard case .exponents(var counts, var zeros, var nonFinite) = self else {
      preconditionFailure("decoded scales added to a histogram over codes")
    }
    self = .emptyExponents
    for scale in scales {
      if scale == 0 {
        zeros += 1
      } else if scale.isFinite {
        counts[Int(scale.exponent), default: 0] += 1
      } else {
        nonFinite += 1
      }
    }
    self = .exponents(counts: counts, zeros: zeros, nonFinite: nonFinite)
  }

  /// Adds another histogram.
  ///
  /// - Returns: false, with nothing added, where one counts codes and the other exponents.
  @discardableResult
  public mutating func merge(_ other: ScaleHistogram) -> Bool {
    switch (self, other) {
    case (.codes(let mine), .codes(let theirs)):
      self = .codes(zip(mine, theirs).map { $0 + $1 })
    case (.exponents(let mine, let zeros, let nonFinite), .exponents(let theirs, let z, let n)):
      self = .exponents(
        counts: mine.merging(theirs, uniquingKeysWith: +), zeros: zeros + z,
        nonFinite: nonFinite + n)
    default:
      return false
    }
    return true
  }

  /// All scales counted.
  public var total: Int {
    switch self {
    case .codes(let bins): bins.reduce(0, +)
    case .exponents(let counts, let zeros, let nonFinite):
      counts.values.reduce(zeros + nonFinite, +)
    }
  }
}

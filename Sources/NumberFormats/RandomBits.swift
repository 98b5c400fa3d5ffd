/// Where the random bits of stochastic rounding come from (spec/exact.md, "Stochastic rounding").
public enum RandomBits: Sendable, Hashable {
  /// Philox4x32-10, key (seed low, seed high), counter (row-major index low, high, 0, 0): the top
  /// n bits of word 0.
  case philox(seed: UInt64)
  /// One value per element, row-major, each in [0, 2^n).
  case given([UInt32])

  /// The `bits` random bits of the element at row-major `index`, as an integer in [0, 2^bits).
  /// `given` values are returned as they are.
  public func value(at index: Int, bits: Int) -> UInt32 {
    switch self {
    case .philox(let seed):
      return philox4x32Word0(seed: seed, index: UInt64(index)) &>> UInt32(32 - bits)
    case .given(let values):
      return values[index]
    }
  }

  /// Fills `output` with the bits of consecutive elements starting at row-major index `start`.
  public func fill(_ output: UnsafeMutableBufferPointer<UInt32>, from start: Int, bits: Int) {
    for offset in 0..<output.count { output[offset] = value(at: start + offset, bits: bits) }
  }
}

/// Word 0 of Philox4x32 with 10 rounds (Salmon et al., "Parallel Random Numbers: As Easy as
/// 1, 2, 3", SC 2011, section 3.3) for key `seed` and counter (index, 0).
@inlinable
public func philox4x32Word0(seed: UInt64, index: UInt64) -> UInt32 {
  var key0 = UInt32(truncatingIfNeeded: seed)
  var key1 = UInt32(truncatingIfNeeded: seed &>> 32)
  var c0 = UInt32(truncatingIfNeeded: index)
  var c1 = UInt32(truncatingIfNeeded: index &>> 32)
  var c2: UInt32 = 0
  var c3: UInt32 = 0
  for _ in 0..<10 {
    let product0 = UInt64(c0) &* 0xD251_1F53
    let product1 = UInt64(c2) &* 0xCD9E_8D57
    let next0 = UInt32(truncatingIfNeeded: product1 &>> 32) ^ c1 ^ key0
    let next2 = UInt32(truncatingIfNeeded: product0 &>> 32) ^ c3 ^ key1
    c1 = UInt32(truncatingIfNeeded: product1)
    c3 = UInt32(truncatingIfNeeded: product0)
    c0 = next0
    c2 = next2
    key0 = key0 &+ 0x9E37_79B9
    key1 = key1 &+ 0xBB67_AE85
  }
  return c0
}

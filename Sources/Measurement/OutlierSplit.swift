import NumberFormats

/// Which numbers of a weight stay in high precision while the rest is quantised without them.
public struct OutlierSplit: Sendable, Hashable {
  public enum Scheme: String, Sendable, Hashable, CaseIterable {
    /// The values of largest magnitude, anywhere: dense and sparse (SqueezeLLM, arXiv 2306.07629). Kept
    /// values are zeros of the dense part; the sparse part meets unquantised activations.
    case values
    /// Whole columns of k, of the weight and of the activations, as in LLM.int8 (arXiv 2208.07339): those
    /// with the largest ‖x_k‖²·‖w_k‖², the gradient-free reading of OWQ's sensitivity
    /// (arXiv 2306.02272) before anything is quantised; ‖w_k‖² alone without activations.
    case columns
  }

  public var scheme: Scheme
  /// The share that is kept, 0 to 1: of the weight's values, or of k.
  public var share: Double

  public init(_ scheme: Scheme, share: Double) {
    self.scheme = scheme
    self.share = share
  }

  /// Values or columns that are kept of `count`.
  public func kept(of count: Int) -> Int { Int((share * Double(count)).rounded()) }

  /// Stored bits per weight of [n, k]: BF16 for what is kept, with a 16-bit index for each (32-bit where k
  /// needs it); values also take a 32-bit pointer a row.
  public func bitsPerElement(rows: Int, depth: Int, quantised: Double) -> Double {
    let count = Double(rows * depth)
    let index = depth > 1 << 16 ? 32.0 : 16
    switch scheme {
    case .values:
      let kept = kept(of: rows * depth)
      guard kept > 0 else { return quantised }
      return quantised + (Double(kept) * (16 + index) + 32 * Double(rows)) / count
    case .columns:
      let kept = Double(kept(of: depth))
      return
        (quantised * Double(rows) * (Double(depth) - kept) + kept * (16 * Double(rows) + index))
        / count
    }
  }
}

/// The indices of the `count` largest scores, ascending; among equals the earlier.
///
/// NaN counts as the largest.
public func largestIndices(_ scores: [Double], count: Int) -> [Int] {
  guard count > 0 else { return [] }
  guard count < scores.count else { return Array(scores.indices) }
  let ranked = scores.indices.sorted { left, right in
    let (a, b) = (scores[left], scores[right])
    if a.isNaN || b.isNaN { return a.isNaN && (!b.isNaN || left < right) }
    return a != b ? a > b : left < right
  }
  return ranked.prefix(count).sorted()
}

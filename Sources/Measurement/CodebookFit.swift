import NumberFormats

/// A codebook of values between −1 and 1, fitted to tensors' blocks divided by their largest magnitudes.
///
/// k-means in one dimension (S. Lloyd, Least squares quantization in PCM, IEEE Transactions on Information
/// Theory 28(2), 1982), each number weighted by its block's squared maximum, so that the squared
/// error of the numbers themselves falls. −1, 0 and 1 are always values, as in NF4 (arXiv 2305.14314,
/// section 3): block maxima and zeros stay exact. Numbers are collected in 65,536 bins of equal width
/// and the rest is float64 in a fixed order: the same codebook on every machine for any threads.
public struct CodebookFit: Sendable {
  private static let bins = 1 << 16
  /// Weights and weighted sums of the numbers in each bin.
  private var weights = [Double](repeating: 0, count: Self.bins)
  private var sums = [Double](repeating: 0, count: Self.bins)
  /// Numbers collected.
  public private(set) var count = 0

  public init() {}

  /// Collects a tensor's numbers in runs of `block` along its last axis. Blocks that hold a NaN, an
  /// infinity or nothing but zeros are left out.
  public mutating func add(_ tensor: InputTensor, block: Int, parallel: Parallel) throws {
    let length = max(1, tensor.info.shape.last ?? 1)
    let lines = tensor.info.count / length
    let step = max(1, TensorPieces.batchSize / length)
    let values = Storage<Float>()
    for line in stride(from: 0, to: lines, by: step) {
      let range = (line * length)..<(min(line + step, lines) * length)
      values.reserve(range.count)
      try tensor.read(range, into: values, parallel: parallel)
      for start in stride(from: 0, to: range.count, by: length) {
        add(line: values.reading(start..<(start + length)), block: block)
      }
    }
  }

  private mutating func add(line: UnsafeBufferPointer<Float>, block: Int) {
    for start in stride(from: 0, to: line.count, by: block) {
      let part = line[start..<min(start + block, line.count)]
      guard part.allSatisfy(\.isFinite) else { continue }
      let largest = part.reduce(0) { max($0, Double($1.magnitude)) }
      guard largest > 0 else { continue }
      for value in part {
        let ratio = Double(value) / largest
        let bin = min(Self.bins - 1, Int((ratio + 1) / 2 * Double(Self.bins)))
        weights[bin] += largest * largest
        sums[bin] += largest * largest * ratio
      }
      count += part.count
    }
  }

  /// The codebook.
  ///
  /// - Parameter size: values, at least 4.
  /// - Throws: `usage` for a smaller size, and where nothing was collected.
  public func values(_ size: Int) throws(MeasurementError) -> [Float] {
    guard (4...256).contains(size) else {
      throw .usage("a codebook of \(size) values: expected 4 to 256")
    }
    guard count > 0 else { throw .usage("no finite number other than zero to fit a codebook to") }
    // Zero takes a place; as in NF4 the positive side has the odd one.
    let below = (size - 1) / 2
    let above = size - 1 - below
    var centres =
      (0..<below).map { -1 + Double($0) / Double(below) } + [0]
      + (1...above).map { Double($0) / Double(above) }
    let pinned: Set<Int> = [0, below, size - 1]
    for _ in 0..<1000 {
      let next = moved(centres, pinned)
      if next == centres { break }
      centres = next
    }
    return centres.map { Float($0) }
  }

  /// One of Lloyd's steps: each bin goes to the nearest centre, each free centre to the mean of its bins.
  private func moved(_ centres: [Double], _ pinned: Set<Int>) -> [Double] {
    var weight = [Double](repeating: 0, count: centres.count)
    var sum = weight
    var nearest = 0
    for bin in weights.indices where weights[bin] > 0 {
      let mean = sums[bin] / weights[bin]
      while nearest + 1 < centres.count,
        (centres[nearest + 1] - mean).magnitude < (centres[nearest] - mean).magnitude
      {
        nearest += 1
      }
      weight[nearest] += weights[bin]
      sum[nearest] += sums[bin]
    }
    return centres.indices.map { index in
      pinned.contains(index) || weight[index] == 0 ? centres[index] : sum[index] / weight[index]
    }
  }
}

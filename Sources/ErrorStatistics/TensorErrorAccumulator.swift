/// Everything a report needs of one tensor, or of several in total.
///
/// Chunks are appended in index order and their sums merged in that order, compensated; block
/// statistics are counts and merge in any order. Merging the tensors of a run in their order gives the
/// total, in which every element has equal weight.
public struct TensorErrorAccumulator: Sendable, Equatable {
  /// Counts of the elements so far.
  public private(set) var counts = ElementCounts()
  /// The crest factors of the blocks.
  public var crest = CrestHistogram()
  /// The scales of the blocks; nil in a total over tensors whose scales are counted differently.
  public private(set) var scales: ScaleHistogram?
  /// Blocks whose scale met an end of the scale format's range, as counted by the caller.
  public var clampedScales = 0

  private(set) var error = CompensatedSum()
  private(set) var errorSquared = CompensatedSum()
  private(set) var xSquared = CompensatedSum()
  private(set) var ySquared = CompensatedSum()
  private(set) var xy = CompensatedSum()
  private(set) var relative = CompensatedSum()
  private(set) var parts = ErrorPartSums()
  /// Stored bits, nil where nobody has stated them.
  private(set) var bits: CompensatedSum?
  private(set) var maxAbsolute = 0.0
  private(set) var maxRelative = 0.0
  private(set) var maxULP = 0.0
  private var nextChunk = 0
  private var isEmptyTotal: Bool

  /// An accumulator for one tensor.
  ///
  /// - Parameter scales: An empty histogram of the kind that the scale format needs.
  public init(scales: ScaleHistogram) {
    self.scales = scales
    isEmptyTotal = false
  }

  private init() {
    isEmptyTotal = true
    bits = CompensatedSum()
  }

  /// An accumulator for the total of several tensors, to be filled by ``merge(_:)``.
  public static func total() -> TensorErrorAccumulator { TensorErrorAccumulator() }

  /// Adds the next chunk of the tensor. Chunks must come in index order from 0 without gaps.
  public mutating func append(_ chunk: ChunkSums) {
    precondition(chunk.index == nextChunk, "chunk \(chunk.index) where \(nextChunk) is next")
    nextChunk += 1
    counts.add(chunk.counts)
    error.add(chunk.error)
    errorSquared.add(chunk.errorSquared)
    xSquared.add(chunk.xSquared)
    ySquared.add(chunk.ySquared)
    xy.add(chunk.xy)
    relative.add(chunk.relative)
    parts.add(chunk.parts)
    maxAbsolute = max(maxAbsolute, chunk.maxAbsolute)
    maxRelative = max(maxRelative, chunk.maxRelative)
    maxULP = max(maxULP, chunk.maxULP)
  }

  /// Adds the next chunks of the tensor, in order.
  public mutating func append(_ chunks: some Sequence<ChunkSums>) {
    for chunk in chunks { append(chunk) }
  }

  /// Counts the scale codes of some blocks, for a scale of at most 8 bits.
  public mutating func addScales(codes: UnsafeBufferPointer<UInt32>) {
    scales?.add(codes: codes)
  }

  /// Counts the decoded scales of some blocks, for a wider scale.
  public mutating func addScales(decoded: UnsafeBufferPointer<Float>) {
    scales?.add(scales: decoded)
  }

  /// Adds block statistics gathered elsewhere, on another thread say.
  public mutating func merge(crest: CrestHistogram, scales: ScaleHistogram, clampedScales: Int) {
    self.crest.merge(crest)
    self.clampedScales += clampedScales
    let sameKind = self.scales?.merge(scales) ?? true
    precondition(sameKind, "histograms of two kinds in one tensor")
  }

  /// States what the elements cost, so that a total can weigh tensors by their bits. Call it when every
  /// chunk has been appended.
  ///
  /// - Parameter perElement: Stored bits per element, with scales.
  public mutating func setBits(perElement: Double) {
    var stored = CompensatedSum()
    stored.add(perElement * Double(counts.all))
    bits = stored
  }

  /// Adds a whole tensor to a total. Totals of the same tensors in the same order are equal.
  public mutating func merge(_ tensor: TensorErrorAccumulator) {
    counts.add(tensor.counts)
    crest.merge(tensor.crest)
    clampedScales += tensor.clampedScales
    mergeScales(of: tensor)
    error.add(tensor.error)
    errorSquared.add(tensor.errorSquared)
    xSquared.add(tensor.xSquared)
    ySquared.add(tensor.ySquared)
    xy.add(tensor.xy)
    relative.add(tensor.relative)
    parts.add(tensor.parts)
    if let stored = tensor.bits { bits?.add(stored) } else { bits = nil }
    maxAbsolute = max(maxAbsolute, tensor.maxAbsolute)
    maxRelative = max(maxRelative, tensor.maxRelative)
    maxULP = max(maxULP, tensor.maxULP)
  }

  private mutating func mergeScales(of tensor: TensorErrorAccumulator) {
    if isEmptyTotal {
      scales = tensor.scales
      isEmptyTotal = false
    } else if let other = tensor.scales, scales?.merge(other) == true {
      return
    } else {
      scales = nil
    }
  }
}

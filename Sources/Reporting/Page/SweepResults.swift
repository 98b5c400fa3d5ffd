import ErrorStatistics
import FoundationEssentials
import Sweep

/// What a page needs of one stored result.
public struct PageResult: Sendable, Hashable {
  /// The tensor's name, A's of a product; with the start of its hash where two tensors share it.
  public var tensor: String
  /// B's name; nil for a tensor.
  public var other: String?
  /// B's hash, by which its size is found.
  public var otherHash: String?
  /// A format, or `a x b`.
  public var format: String
  public var block: String
  /// Q_b as it was asked for; nil for tiles and whole axes or tensors.
  public var blockSize: Int?
  /// Recipe and all else that is not as usual: rounding, tensor scale, accumulator.
  public var method: String
  /// Whether the numbers themselves were changed, rounded by chance, or treated otherwise than a sweep
  /// does unasked; a recipe and an accumulator are no such departure.
  public var isUnusual = false
  /// Whether a product is a stack of several, as over heads of attention.
  public var isStack = false
  /// Elements, or outputs computed.
  public var count: Int
  public var bitsPerElement: Double?
  /// Σe²/Σx²; nil where undefined or infinite.
  public var nmse: Double?
  /// The parts of `nmse` by what became of the elements; nil where the result does not tell them.
  public var parts: ErrorParts?
  /// Elements beyond the largest code, and elements made zero.
  public var saturated = 0
  public var flushed = 0
  public var clampedScales = 0
  /// Elements that are NaN or infinite.
  public var nonFinite = 0
  /// Blocks by scale code or exponent, as `error --as json` has them.
  public var scales: [String: Int] = [:]
  /// Blocks, where the result tells them.
  public var blocks: Int? { scales.isEmpty ? nil : scales.values.reduce(0, +) }
  public var isProduct: Bool { other != nil }
  /// The products summed by each output of a product; nil for tensors.
  public var depth: Int?
  /// Elements that share a scale, on average, lines shorter than a block as they are; nil where unknown.
  public var averageBlock: Double? {
    if let depth, isProduct {
      guard let size = blockSize ?? (block == "axis" ? depth : nil), size > 0 else { return nil }
      return Double(depth) / Double((depth + size - 1) / size)
    }
    return blocks.map { Double(count) / Double($0) } ?? blockSize.map(Double.init)
  }
  /// Whether blocks are as long as asked for, but for the last of a line. Lines shorter than a block
  /// are blocks of another size.
  public var fillsBlocks: Bool {
    guard let averageBlock, let blockSize else { return true }
    return 2 * averageBlock > Double(blockSize)
  }

  public init(
    tensor: String, other: String? = nil, format: String, block: String, blockSize: Int?,
    method: String = "exact", count: Int, bitsPerElement: Double?, nmse: Double?
  ) {
    self.tensor = tensor
    self.other = other
    self.format = format
    self.block = block
    self.blockSize = blockSize
    self.method = method
    self.count = count
    self.bitsPerElement = bitsPerElement
    self.nmse = nmse
  }
}

/// The results of a store, as a page reads them.
public struct SweepResults: Sendable {
  public var results: [PageResult]
  public var tensors: [TensorRecord]
  /// `numerics`, `tool_version`, and the commands (`ResultsStore.commands(in:)`).
  public var meta: [String: String]
  /// Seeds of what was random.
  public var seeds: Set<Int> = []
  /// Hashes of the format rows used, by their names.
  public var formatHashes: [String: String] = [:]

  public init(results: [PageResult], tensors: [TensorRecord], meta: [String: String] = [:]) {
    self.results = results
    self.tensors = tensors
    self.meta = meta
  }

  /// Reads a store whole.
  ///
  /// - Throws: `SweepError.store`; a report within it that is not JSON counts as damage.
  public init(_ store: ResultsStore) throws {
    self.init(results: [], tensors: try store.tensors(), meta: try store.meta())
    var hashes: [String: Set<String>] = [:]
    for record in tensors { hashes[record.name, default: []].insert(record.hash) }
    let shared = Set(hashes.filter { $0.value.count > 1 }.keys)
    let names = try RowNames(store)
    func name(_ name: String, _ hash: String) -> String {
      shared.contains(name) ? "\(name) (\(hash.prefix(8)))" : name
    }
    let decoder = JSONDecoder()
    try store.forEachResult { row, _ in
      var result = PageResult(
        tensor: name(row.tensor, row.tensorHash),
        other: row.other.map { name($0, row.otherHash ?? "") },
        format: names.format(row), block: Self.block(row), blockSize: Self.blockSize(row),
        method: names.method(row), count: row.count,
        bitsPerElement: row.bitsPerElement, nmse: row.nmse)
      result.otherHash = row.otherHash
      result.isUnusual = Self.isUnusual(row)
      result.isStack = row.other != nil && row.shape.count { $0 == "," } > 1
      do {
        let report = try decoder.decode(Statistics.self, from: Data(row.report.utf8))
        result.depth = report.depth
        result.saturated = report.saturated ?? 0
        result.flushed = report.flushed ?? 0
        result.nonFinite = report.nonFinite ?? 0
        result.clampedScales = report.clampedScales ?? 0
        result.scales = report.scales ?? [:]
        result.parts = report.parts
      } catch {
        throw SweepError.store(
          path: store.path, .corrupted("the report of result \(row.key.prefix(12))... is not one"))
      }
      results.append(result)
      if let seed = row.seed { seeds.insert(seed) }
      formatHashes[names.name(row.format, row.formatHash)] = row.formatHash
      if let other = row.formatB {
        formatHashes[names.name(other, row.formatBHash)] = row.formatBHash
      }
    }
    for index in tensors.indices {
      tensors[index].name = name(tensors[index].name, tensors[index].hash)
    }
  }

  private struct Statistics: Decodable {
    var depth: Int?
    var saturated: Int?
    var flushed: Int?
    var clampedScales: Int?
    var nonFinite: Int?
    var scales: [String: Int]?
    var underflowPart: Double?
    var clampedPart: Double?
    var saturatedPart: Double?
    var flushedPart: Double?

    var parts: ErrorParts? {
      guard let underflowPart, let clampedPart, let saturatedPart, let flushedPart else {
        return nil
      }
      return ErrorParts(
        underflow: underflowPart, clamped: clampedPart, saturated: saturatedPart,
        flushed: flushedPart)
    }

    enum CodingKeys: String, CodingKey {
      case depth = "k"
      case saturated, flushed
      case clampedScales = "clamped_scales"
      case nonFinite = "non_finite"
      case scales = "scale_histogram"
      case underflowPart = "nmse_underflow"
      case clampedPart = "nmse_clamped"
      case saturatedPart = "nmse_saturated"
      case flushedPart = "nmse_flushed"
    }
  }

  /// A's block.
  private static func block(_ row: StoredResult) -> String {
    row.block.split(separator: " x ").first.map(String.init) ?? row.block
  }

  private static func blockSize(_ row: StoredResult) -> Int? {
    row.blockSize ?? (row.block.contains(" x ") ? Int(block(row)) : nil)
  }

  private static func isUnusual(_ row: StoredResult) -> Bool {
    row.transform != "none" || row.rounding != "tiesToEven" || row.tensorScale != "auto"
      || row.computeType != "fp32" || row.axis != -1
  }
}

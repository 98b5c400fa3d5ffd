import ErrorStatistics
import FoundationEssentials
import GoldenVectors
import Measurement
import NumberFormats
import TensorIO

extension TensorRecord {
  /// Reads a tensor once: its hash, its size, and what its numbers are like.
  init(reading tensor: SweepTensor) throws {
    let (file, info) = (tensor.input.file, tensor.input.info)
    let summary = try NumberSummary(file, info)
    hash = try Self.hash(file, info)
    self.file = canonicalPath(tensor.input.path)
    name = info.name
    role = tensor.role.rawValue
    shape = shapeText(info.shape)
    dtype = info.dtype.rawValue
    count = info.count
    maxAbs = summary.maximum
    rms = summary.finite > 0 ? (summary.sumSquares / Double(summary.finite)).squareRoot() : nil
    crestQuantiles = summary.crestText
  }

  /// Whether this says all that another record of the same tensor does: a shard may know it as an
  /// operand of its products only.
  func tells(asMuchAs other: TensorRecord) -> Bool {
    role != SweepTensor.Role.operand.rawValue || role == other.role
  }

  /// SHA-256 of type, shape and order, then of the bytes as they are stored.
  private static func hash(_ file: TensorFile, _ info: TensorInfo) throws -> String {
    var hash = SHA256()
    let head =
      "\(info.dtype.rawValue) \(shapeText(info.shape)) fortran=\(info.isFortranOrder)"
      + " big=\(info.isBigEndian)\n"
    hash.update(Array(head.utf8))
    let step = 1 << 20
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: step, alignment: 16)
    defer { room.deallocate() }
    for start in stride(from: 0, to: info.byteRange.count, by: step) {
      let range = start..<min(start + step, info.byteRange.count)
      let part = UnsafeMutableRawBufferPointer(rebasing: room[..<range.count])
      try file.readBytes(info, range: range, into: part)
      hash.update(UnsafeRawBufferPointer(part))
    }
    return hash.hexadecimal()
  }
}

/// `[458, 384]`.
func shapeText(_ shape: [Int]) -> String {
  "[" + shape.map(String.init).joined(separator: ", ") + "]"
}

/// Size and crest factors of a tensor's numbers, in passes over whole lines of its last axis.
private struct NumberSummary {
  /// Elements of a block whose crest factors are listed.
  private static let block = 32
  private static let batch = 1 << 20

  var maximum = 0.0
  var sumSquares = 0.0
  var finite = 0
  private var crest = CrestHistogram()

  init(_ file: TensorFile, _ info: TensorInfo) throws {
    let length = info.shape.last ?? 1
    guard info.count > 0 else { return }
    let rows = info.count / length
    let step = max(1, Self.batch / length)
    let room = UnsafeMutableBufferPointer<Float>.allocate(capacity: min(step, rows) * length)
    defer { room.deallocate() }
    for row in stride(from: 0, to: rows, by: step) {
      let count = min(step, rows - row)
      let range = (row * length)..<((row + count) * length)
      let part = UnsafeMutableBufferPointer(rebasing: room[..<range.count])
      try file.readFloat32(info, range: range, into: part)
      let grid = try BlockGrid(shape: [count, length], block: .line(Self.block))
      add(UnsafeBufferPointer(part), grid)
    }
  }

  private mutating func add(_ values: UnsafeBufferPointer<Float>, _ grid: BlockGrid) {
    crest.add(x: values, grid: grid)
    let moments = BlockMoments(x: values, tileColumns: 1 << 16)
    for index in moments.amax.indices {
      if moments.sumSquares[index].isFinite {
        maximum = max(maximum, Double(moments.amax[index]))
        sumSquares += moments.sumSquares[index]
        finite += moments.length(of: index)
      } else {
        let start = index << 16
        addOneByOne(values[start..<(start + moments.length(of: index))])
      }
    }
  }

  /// Where a NaN or an infinity is among them, or squares leave the range of double.
  private mutating func addOneByOne(_ values: Slice<UnsafeBufferPointer<Float>>) {
    for value in values where value.isFinite {
      maximum = max(maximum, Double(value.magnitude))
      sumSquares += Double(value) * Double(value)
      finite += 1
    }
  }

  /// Quantiles by the share of blocks below.
  var crestText: String? {
    let all = CrestHistogram.reportedProbabilities.compactMap { share in
      crest.quantile(share).map { (share == share.rounded() ? "\(Int(share))" : "\(share)", $0) }
    }
    guard !all.isEmpty else { return nil }
    return "{" + all.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
  }
}

import FoundationEssentials
import NumberFormats
import TensorIO

/// A record with codes and scales, all in memory, for tests.
struct QuantizedSample {
  var record: QuantizedTensorRecord
  var codes: [UInt8]
  var scales: [UInt32]

  /// Random codes below `codeLimit` and random scale patterns.
  init(_ record: QuantizedTensorRecord, codeLimit: Int, seed: UInt64) throws {
    self.record = record
    var random = SplitMix(state: seed)
    let count = record.shape.reduce(1, *)
    codes = (0..<(count * record.codeBytes)).map { _ in
      UInt8.random(in: 0...UInt8(min(codeLimit, 256) - 1), using: &random)
    }
    let limit = UInt32(truncatingIfNeeded: 1 << (8 * record.scaleStorage.bytes) - 1)
    scales = try (0..<record.grid().blockCount).map { _ in
      UInt32.random(in: 0...limit, using: &random)
    }
  }

  /// Appends everything in pieces: rows three at a time, scales seven at a time.
  func write(to writer: QuantizedWriter, at index: Int) throws {
    let row = max(1, record.shape.last ?? 1) * record.codeBytes
    for start in stride(from: 0, to: codes.count, by: 3 * row) {
      try Array(codes[start..<min(codes.count, start + 3 * row)]).withUnsafeBytes {
        try writer.appendCodes($0, to: index)
      }
    }
    for start in stride(from: 0, to: scales.count, by: 7) {
      try Array(scales[start..<min(scales.count, start + 7)]).withUnsafeBufferPointer {
        try writer.appendScales($0, to: index)
      }
    }
    if let scale = record.tensorScale { writer.setTensorScale(scale, of: index) }
  }
}

extension QuantizedFile {
  func codes(_ index: Int, _ elements: Range<Int>? = nil) throws -> [UInt8] {
    let range = elements ?? 0..<records[index].shape.reduce(1, *)
    var result = [UInt8](repeating: 0xEE, count: range.count * records[index].codeBytes)
    try result.withUnsafeMutableBytes { try readCodes(index, elements: range, into: $0) }
    return result
  }

  func scales(_ index: Int) throws -> [UInt32] {
    var result = [UInt32](repeating: 0, count: try records[index].grid().blockCount)
    let count = result.count
    try result.withUnsafeMutableBufferPointer {
      try readScales(index, blocks: 0..<count, into: $0)
    }
    return result
  }
}

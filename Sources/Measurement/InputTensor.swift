import NumberFormats
import TensorIO

/// A tensor of an input file that a command works on.
public struct InputTensor: Sendable {
  public let file: TensorFile
  public let info: TensorInfo

  public init(file: TensorFile, info: TensorInfo) {
    self.file = file
    self.info = info
  }

  public var name: String { info.name }
  public var path: String { file.filePath(of: info) }

  /// Reads part of it as float32 by several threads.
  func read(
    _ range: Range<Int>, into output: Storage<Float>, parallel: Parallel
  ) throws(TensorIOError) {
    // Fortran-ordered tensors are gathered, which is cheaper in one go.
    let step = info.isFortranOrder ? max(1, range.count) : TensorPieces.pieceSize
    let starts = Array(stride(from: range.lowerBound, to: range.upperBound, by: step))
    try parallel.forEach(starts.count) { (index) throws(TensorIOError) in
      let part = starts[index]..<min(starts[index] + step, range.upperBound)
      try file.readFloat32(info, range: part, into: output[part.relative(to: range.lowerBound)])
    }
  }

  /// The largest finite magnitude, 0 where there is none.
  func largestFiniteMagnitude(parallel: Parallel) throws(TensorIOError) -> Float {
    let step = info.isFortranOrder ? max(1, info.count) : TensorPieces.batchSize
    let starts = Array(stride(from: 0, to: info.count, by: step))
    let maxima = try parallel.map(starts.count) { (index) throws(TensorIOError) -> UInt32 in
      let range = starts[index]..<min(starts[index] + step, info.count)
      let values = Storage<Float>(count: range.count)
      try file.readFloat32(info, range: range, into: values[0..<range.count])
      return finiteMaximum(values.reading(0..<range.count))
    }
    return Float(bitPattern: maxima.max() ?? 0)
  }
}

/// The bits of the largest finite |x|: as integers they order as the magnitudes do.
private func finiteMaximum(_ values: UnsafeBufferPointer<Float>) -> UInt32 {
  var largest: UInt32 = 0
  for value in values {
    let magnitude = value.bitPattern & 0x7FFF_FFFF
    largest = max(largest, magnitude < 0x7F80_0000 ? magnitude : 0)
  }
  return largest
}

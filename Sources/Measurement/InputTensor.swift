import NumberFormats
import TensorIO

/// A tensor of an input file that a command works on.
public struct InputTensor: Sendable {
  public let file: TensorFile
  public let info: TensorInfo
  /// What its numbers go through as they are read.
  var rotation: HadamardRotation?

  public init(file: TensorFile, info: TensorInfo) {
    self.file = file
    self.info = info
  }

  public var name: String { info.name }
  public var path: String { file.filePath(of: info) }

  /// The same tensor, its numbers rotated along the last axis, whose length is a multiple of the size.
  func rotated(by rotation: HadamardRotation?) -> InputTensor {
    var tensor = self
    tensor.rotation = rotation
    return tensor
  }

  /// Reads part of it as float32 by several threads.
  ///
  /// - Returns: how many numbers float32 cannot hold; those were rounded once, by tiesToEven.
  @discardableResult
  func read(
    _ range: Range<Int>, into output: Storage<Float>, parallel: Parallel
  ) throws(TensorIOError) -> Int {
    guard let rotation else { return try readStored(range, into: output, parallel: parallel) }
    let size = rotation.size
    let runs = (range.lowerBound / size)..<((range.upperBound + size - 1) / size)
    let first = runs.lowerBound * size
    let values = Storage<Float>(count: runs.count * size)
    let narrowed = try readStored(
      first..<(runs.upperBound * size), into: values, parallel: parallel)
    let step = max(1, TensorPieces.pieceSize / size)
    parallel.forEach((runs.count + step - 1) / step) { index in
      let part = (index * step)..<min((index + 1) * step, runs.count)
      rotation.rotate(values[(part.lowerBound * size)..<(part.upperBound * size)])
    }
    _ = output[0..<range.count].update(
      fromContentsOf: values.reading(range.relative(to: first)))
    return narrowed
  }

  private func readStored(
    _ range: Range<Int>, into output: Storage<Float>, parallel: Parallel
  ) throws(TensorIOError) -> Int {
    // Fortran-ordered tensors are gathered, which is cheaper in one go.
    let step = info.isFortranOrder ? max(1, range.count) : TensorPieces.pieceSize
    let starts = Array(stride(from: range.lowerBound, to: range.upperBound, by: step))
    let narrowed = try parallel.map(starts.count) { (index) throws(TensorIOError) -> Int in
      let part = starts[index]..<min(starts[index] + step, range.upperBound)
      return try file.readFloat32(
        info, range: part, into: output[part.relative(to: range.lowerBound)])
    }
    return narrowed.reduce(0, +)
  }

  /// What a first pass over a tensor finds.
  struct Survey: Sendable, Hashable {
    /// The largest finite magnitude as float32, 0 where there is none.
    var amax: Float
    /// Numbers that float32 cannot hold.
    var narrowed: Int
  }

  /// Reads the whole tensor once, in the order in which it is stored.
  func survey(parallel: Parallel) throws(TensorIOError) -> Survey {
    if rotation != nil { return try surveyRotated(parallel: parallel) }
    let stored = info.inStoredOrder
    let step = TensorPieces.batchSize
    let starts = Array(stride(from: 0, to: info.count, by: step))
    let parts = try parallel.map(starts.count) {
      (index) throws(TensorIOError) -> (maximum: UInt32, narrowed: Int) in
      let range = starts[index]..<min(starts[index] + step, info.count)
      let values = Storage<Float>(count: range.count)
      let narrowed = try file.readFloat32(stored, range: range, into: values[0..<range.count])
      return (finiteMaximum(values.reading(0..<range.count)), narrowed)
    }
    return Survey(
      amax: Float(bitPattern: parts.map(\.maximum).max() ?? 0),
      narrowed: parts.reduce(0) { $0 + $1.narrowed })
  }
}

extension InputTensor {
  /// Batches are whole runs, as both are powers of two.
  private func surveyRotated(parallel: Parallel) throws(TensorIOError) -> Survey {
    let values = Storage<Float>(count: min(info.count, TensorPieces.batchSize))
    var (largest, narrowed): (UInt32, Int) = (0, 0)
    for start in stride(from: 0, to: info.count, by: TensorPieces.batchSize) {
      let range = start..<min(start + TensorPieces.batchSize, info.count)
      narrowed += try read(range, into: values, parallel: parallel)
      largest = max(largest, finiteMaximum(values.reading(0..<range.count)))
    }
    return Survey(amax: Float(bitPattern: largest), narrowed: narrowed)
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

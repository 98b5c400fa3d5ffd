import NumberFormats
import TensorIO

/// Writes quantised tensors back as float32, batch by batch.
public struct TensorDequantization: Sendable {
  public var engine: any QuantizationEngine
  public var parallel: Parallel

  public init(engine: any QuantizationEngine, parallel: Parallel) {
    self.engine = engine
    self.parallel = parallel
  }

  /// - Parameters:
  ///   - path: .npy for one tensor, .safetensors for any number.
  ///   - progress: Called with the elements done since the last call.
  /// - Throws: `usage` for another kind of output, or several tensors for an .npy.
  public func write(
    _ stored: StoredTensors, to path: String, progress: (Int, String) -> Void = { _, _ in }
  ) throws {
    let output: Output
    if path.lowercased().hasSuffix(".npy") {
      guard stored.count == 1, let only = stored.tensors.first else {
        throw MeasurementError.usage(
          "\(path): an .npy holds one tensor, and the input has \(stored.count)"
            + " (expected .safetensors, or FILE:PATTERN)")
      }
      output = .npy(try NpyWriter(path: path, dtype: .f32, shape: only.record.shape))
    } else if path.lowercased().hasSuffix(".safetensors") {
      output = .safetensors(
        try SafetensorsWriter(
          path: path,
          tensors: stored.tensors.map {
            SafetensorsWriter.Declaration(
              name: $0.record.name, dtype: .f32, shape: $0.record.shape)
          }))
    } else {
      throw MeasurementError.usage("\(path): expected an output that ends in .npy or .safetensors")
    }
    let memory = ErrorMemory()
    for (index, tensor) in stored.tensors.enumerated() {
      let cuts = TensorPieces(tensor.grid, maySplitBlocks: true)
      for batch in cuts.batches {
        try tensor.read(batch, into: memory)
        dequantize(tensor, cuts, batch, memory)
        try output.append(memory.decoded.reading(0..<batch.elements.count), to: index)
        progress(batch.elements.count, tensor.record.name)
      }
    }
    try output.finish()
  }

  private func dequantize(
    _ tensor: StoredTensor, _ cuts: TensorPieces, _ batch: PieceBatch, _ memory: ErrorMemory
  ) {
    let width = tensor.record.codeBytes
    parallel.forEach(batch.pieces.count) { offset in
      let piece = cuts.pieces[batch.pieces.lowerBound + offset]
      let elements = piece.elements.relative(to: batch.elements.lowerBound)
      let bytes = (elements.lowerBound * width)..<(elements.upperBound * width)
      engine.dequantize(
        codes: UnsafeRawBufferPointer(memory.codes.reading(bytes)),
        scales: memory.scales.reading(piece.blocks.relative(to: batch.blocks.lowerBound)),
        grid: piece.grid, spec: tensor.spec, tensorScale: tensor.tensorScale,
        into: memory.decoded[elements])
    }
  }

  private enum Output {
    case npy(NpyWriter)
    case safetensors(SafetensorsWriter)

    func append(_ values: UnsafeBufferPointer<Float>, to index: Int) throws(TensorIOError) {
      switch self {
      case .npy(let writer): try writer.append(values)
      case .safetensors(let writer): try writer.append(UnsafeRawBufferPointer(values), to: index)
      }
    }

    func finish() throws(TensorIOError) {
      switch self {
      case .npy(let writer): try writer.finish()
      case .safetensors(let writer): try writer.finish()
      }
    }
  }
}

import FastPath
import NumberFormats
import Testing

@Suite("Packed codes")
struct PackedTests {
  @Test(
    "Packing while quantising stores the codes of quantising, low nibble first",
    arguments: ["nvfp4", "mxfp4", "int4", "nf4"])
  func packedEqualsUnpacked(name: String) throws {
    let format = try #require(catalog.block(name))
    let exact = try #require(catalog.recipe("exact"))
    let shapes: [(shape: [Int], block: BlockShape)] = [
      ([3, 64], .line(16)), ([3, 67], .line(17)), ([2, 4099], .line(3001)),
      ([2, 11003], .line(5001)),
      ([20, 33], .tile(rows: 16, columns: 16)), ([5, 1], .line(1)), ([2, 9000], .axis),
    ]
    for (shape, block) in shapes {
      let grid = try BlockGrid(shape: shape, block: block)
      let values = Filling.ties.values(grid.elementCount, seed: 3)
      let spec = QuantizationSpec(format: format, recipe: exact, tensorScale: .given(0.3))
      for target in VectorTarget.available {
        let engine = try VectorEngine(target: target)
        let expected = outcome(engine, values, grid, spec)
        let (packed, restored) = packedRun(engine, values, grid, spec)
        for index in values.indices {
          let (row, column) = index.quotientAndRemainder(dividingBy: grid.columns)
          let byte = packed[row * ((grid.columns + 1) / 2) + column / 2]
          let code = (byte >> (column % 2 == 0 ? 0 : 4)) & 15
          guard code == expected.codes[index], restored[index] == expected.dequantized[index] else {
            Issue.record(
              "\(name) \(shape) \(block) \(target): element \(index) = \(described(values[index])): expected \(hex(UInt32(expected.codes[index]))) \(hex(expected.dequantized[index])), observed \(hex(UInt32(code))) \(hex(restored[index]))"
            )
            return
          }
        }
      }
    }
  }

  /// The packed codes, and the bits of what they dequantise to.
  private func packedRun(
    _ engine: VectorEngine, _ values: [Float], _ grid: BlockGrid, _ spec: QuantizationSpec
  ) -> ([UInt8], [UInt32]) {
    var packed = [UInt8](repeating: 0xee, count: grid.rows * grid.outer * ((grid.columns + 1) / 2))
    var scales = [UInt32](repeating: 0, count: grid.blockCount)
    var output = [Float](repeating: 0, count: values.count)
    let scale = TensorScale(decode: 0.3)
    values.withUnsafeBufferPointer { values in
      packed.withUnsafeMutableBytes { packed in
        scales.withUnsafeMutableBufferPointer { scales in
          _ = engine.quantizePacked(
            values, grid: grid, spec: spec, tensorScale: scale, packed: packed, scales: scales)
          output.withUnsafeMutableBufferPointer {
            engine.dequantizePacked(
              UnsafeRawBufferPointer(packed), scales: UnsafeBufferPointer(scales), grid: grid,
              spec: spec, tensorScale: scale, into: $0)
          }
        }
      }
    }
    return (packed, output.map(\.bitPattern))
  }
}

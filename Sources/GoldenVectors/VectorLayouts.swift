import NumberFormats

/// The fields of an operation's words.
struct VectorLayouts {
  private(set) var inputs = WordLayout()
  private(set) var expected = WordLayout()

  init(
    _ operation: VectorOperation, element: ElementFormat, scale: ScaleFormat, lanes: Int,
    tile: TileShape, isScaled: Bool, hasTensorScale: Bool, outputWidth width: Int
  ) {
    switch operation {
    case .decode:
      inputs.add("code", width: element.bits)
      expected.add("value", width: 32)
    case .encode:
      inputs.add("value", width: 32)
      expected.add("code", width: element.bits)
    case .scale:
      inputs.add("amax", width: 32)
      if hasTensorScale { inputs.add("tensor_scale", width: 32) }
      expected.add("scale", width: scale.storedBits)
    case .quantize:
      inputs.add("values", width: 32, lanes: lanes)
      if hasTensorScale { inputs.add("tensor_scale", width: 32) }
      expected.add("codes", width: element.bits, lanes: lanes)
      expected.add("scale", width: scale.storedBits)
    case .dequantize:
      inputs.add("codes", width: element.bits, lanes: lanes)
      inputs.add("scale", width: scale.storedBits)
      if hasTensorScale { inputs.add("tensor_scale", width: 32) }
      expected.add("values", width: 32, lanes: lanes)
    case .product, .dot, .mma:
      inputs.add("a", width: element.bits, lanes: tile.depth)
      inputs.add("b", width: element.bits, lanes: tile.depth)
      if isScaled {
        let blocks = (tile.depth - 1) / lanes + 1
        inputs.add("scale_a", width: scale.storedBits, lanes: blocks)
        inputs.add("scale_b", width: scale.storedBits, lanes: blocks)
      }
      if operation == .mma { inputs.add("c", width: width) }
      expected.add("d", width: width)
    case .matmul:
      inputs.add("a", width: element.bits, matrix: tile.rows, tile.depth)
      inputs.add("b", width: element.bits, matrix: tile.columns, tile.depth)
      if isScaled {
        let blocks = (tile.depth - 1) / lanes + 1
        inputs.add("scale_a", width: scale.storedBits, matrix: tile.rows, blocks)
        inputs.add("scale_b", width: scale.storedBits, matrix: tile.columns, blocks)
      }
      if hasTensorScale {
        inputs.add("tensor_scale_a", width: 32)
        inputs.add("tensor_scale_b", width: 32)
      }
      inputs.add("c", width: width, matrix: tile.rows, tile.columns)
      expected.add("d", width: width, matrix: tile.rows, tile.columns)
    }
  }
}

import NumberFormats

extension QuantizedTensorRecord {
  /// The JSON text under the tensor's name in `__metadata__` (COMMAND.md, "quantize writes").
  package var metadataText: String {
    var members: [HeaderJSON.Member] = [
      .init(key: "shape", value: .array(shape.map { .integer($0) })),
      .init(key: "format", value: .string(format)),
      .init(key: "block", value: Self.json(block)),
      .init(key: "axis", value: .integer(axis)),
    ]
    if let recipe { members.append(.init(key: "recipe", value: .string(recipe))) }
    if let rounding { members.append(.init(key: "rounding", value: .string(rounding))) }
    members += [
      .init(key: "packed", value: .bool(packing != .none)),
      .init(key: "packing", value: .string(packing.rawValue)),
      .init(key: "scale_layout", value: .string(scaleLayout.rawValue)),
      .init(key: "keys", value: .string(keys.rawValue)),
    ]
    if let toolVersion { members.append(.init(key: "tool_version", value: .string(toolVersion))) }
    return HeaderJSON.object(members).text
  }

  /// A run's length is a number, other blocks are words.
  private static func json(_ block: BlockShape) -> HeaderJSON {
    if case .line(let size) = block { return .integer(size) }
    return .string(block.description)
  }
}

/// What a metadata entry of this tool says of a tensor.
struct QuantizedMetadata {
  var shape: [Int]
  var format: String
  var block: BlockShape
  var axis: Int
  var recipe: String?
  var rounding: String?
  var packing: CodePacking
  var scaleLayout: ScaleLayout
  var toolVersion: String?
  var keys: QuantizedKeys

  /// nil where the text is not such an entry (another tool's, or plain text).
  init?(ifPresent text: String, name: String, file: String) throws(TensorIOError) {
    guard let json = try? HeaderJSON.parse(text), json["format"] != nil, json["block"] != nil,
      json["packed"] != nil
    else { return nil }
    func fail(_ field: String, _ expected: String) -> TensorIOError {
      .badData(
        file, tensor: name, "its __metadata__ has no usable \"\(field)\"", expected: expected)
    }
    guard let format = json["format"]?.string else { throw fail("format", "a format's name") }
    guard let shape = json["shape"]?.lengths, elementCount(shape: shape) != nil else {
      throw fail("shape", "a list of lengths")
    }
    // A run's length may be text too.
    let blockText = json["block"]?.string ?? json["block"]?.integer.map { String($0) }
    guard let blockText, let block = BlockShape(blockText) else {
      throw fail("block", "N, RxC, axis or tensor")
    }
    guard let axis = json["axis"]?.integer,
      (try? BlockGrid(shape: shape, axis: axis, block: block)) != nil
    else { throw fail("axis", "an axis of the shape, and two axes for tiles") }
    guard let packed = json["packed"]?.bool else { throw fail("packed", "true or false") }
    let packingText = json["packing"]?.string ?? (packed ? "low" : "none")
    guard let packing = CodePacking(rawValue: packingText), (packing != .none) == packed else {
      throw fail("packing", "low, high or split where packed, else none")
    }
    guard let layout = ScaleLayout(rawValue: json["scale_layout"]?.string ?? "linear") else {
      throw fail("scale_layout", "linear or 128x4")
    }
    guard let keys = QuantizedKeys(rawValue: json["keys"]?.string ?? "blockscale") else {
      throw fail("keys", "blockscale, compressed-tensors or modelopt")
    }
    self.shape = shape
    self.format = format
    self.block = block
    self.axis = axis
    recipe = json["recipe"]?.string
    rounding = json["rounding"]?.string
    self.packing = packing
    scaleLayout = layout
    toolVersion = json["tool_version"]?.string
    self.keys = keys
  }
}

import NumberFormats

extension StackCandidate {
  struct Guess {
    var name: String
    var block: BlockShape
    var scaleStorage: ScaleStorage
  }

  /// The format's row and its block, from the codes' type and the scales' type and shape.
  func format(_ file: TensorFile, form: StoredCodes, shape: [Int], scales: TensorInfo)
    throws(TensorIOError) -> Guess
  {
    let columns = shape.last ?? 1
    switch (form, scales.dtype) {
    case (.nibbles, .f8e4m3):
      return Guess(
        name: "nvfp4", block: .line(try group(file, shape, scales)), scaleStorage: .u8)
    case (.nibbles, .u8), (.nibbles, .f8e8m0):
      let size = try group(file, shape, scales)
      guard size == 32 || keys == .compressedTensors else {
        throw fail(file, "U8 codes and scales in groups of \(size)", "32, as MXFP4 has it")
      }
      return Guess(name: "mxfp4", block: .line(size), scaleStorage: .u8)
    case (.whole, .u8), (.whole, .f8e8m0):
      let element = codes.dtype == .f8e4m3 ? "e4m3" : codes.dtype == .f8e5m2 ? "e5m2" : nil
      guard let element else { break }
      return Guess(
        name: "mxfp8_" + element, block: .line(try group(file, shape, scales)), scaleStorage: .u8)
    case (.rowPairs, .f32), (.rowPairs, .f16), (.rowPairs, .bf16):
      return Guess(
        name: "int4_full", block: .line(try group(file, shape, scales)), scaleStorage: .f32)
    case (.whole, .f32), (.whole, .f16), (.whole, .bf16), (.offsetWords, .f32),
      (.offsetWords, .f16), (.offsetWords, .bf16):
      guard codes.dtype != .f8e5m2 else { break }
      let family = form == .offsetWords(bits: 4) ? "int4" : codes.dtype == .f8e4m3 ? "fp8" : "int8"
      return try floatScaled(file, family: family, shape: shape, columns: columns, scales: scales)
    default: break
    }
    throw fail(
      file,
      "no known format has \(codes.dtype.rawValue) codes with \(scales.dtype.rawValue) scales",
      "NVFP4, MXFP4, MXFP8, FP8, INT8 or INT4 as the stacks store them")
  }

  /// The scales are a number for the tensor, for each row, tile of 128 × 128, or group of columns.
  private func floatScaled(
    _ file: TensorFile, family: String, shape: [Int], columns: Int, scales: TensorInfo
  ) throws(TensorIOError) -> Guess {
    func guess(_ suffix: String, _ block: BlockShape) -> Guess {
      // INT4 has one row for every block shape.
      Guess(name: family == "int4" ? family : family + suffix, block: block, scaleStorage: .f32)
    }
    if scales.count == 1 { return guess("_tensor", .tensor) }
    let outer = Array(shape.dropLast())
    if scales.shape == outer || scales.shape == outer + [1] { return guess("_channel", .axis) }
    let squeezed = scales.shape.filter { $0 != 1 }
    if family == "fp8", shape.count == 2 {
      let tiles = [(shape[0] + 127) / 128, (shape[1] + 127) / 128]
      if scales.shape == tiles || squeezed == tiles {
        return guess("_128x128", .tile(rows: 128, columns: 128))
      }
    }
    return guess(family == "fp8" ? "_1x128" : "", .line(try group(file, shape, scales)))
  }

  /// The group size where the scales have the codes' shape with the columns divided by it.
  private func group(_ file: TensorFile, _ shape: [Int], _ scales: TensorInfo)
    throws(TensorIOError) -> Int
  {
    let columns = shape.last ?? 1
    if isSwizzled(file) { return scales.dtype == .f8e4m3 ? 16 : 32 }
    guard let groups = scales.shape.last, groups > 0, columns > 0, columns % groups == 0,
      Array(scales.shape.dropLast()) == Array(shape.dropLast())
    else {
      throw fail(
        file, "scales \(scales.shape) for codes of shape \(shape)",
        "the same shape with the last axis divided by the group size")
    }
    return columns / groups
  }

  /// torchao notes a swizzled scale layout in the tensor's metadata.
  private func isSwizzled(_ file: TensorFile) -> Bool {
    guard keys == .torchAO, let text = file.metadata[name],
      let json = try? HeaderJSON.parse(text)
    else { return false }
    return json["_data"]?["is_swizzled_scales"]?.bool == true
  }

  /// Checks that codes and scales have the sizes the record says, and notes where they are.
  func place(
    _ file: TensorFile, _ record: inout QuantizedTensorRecord, _ form: StoredCodes,
    _ scales: TensorInfo
  ) throws(TensorIOError) -> QuantizedPlace {
    if isSwizzled(file) { record.scaleLayout = .swizzled128x4 }
    guard elementCount(shape: record.shape) != nil, let grid = try? record.grid() else {
      throw fail(file, "shape \(record.shape) in blocks of \(record.block)", "a smaller shape")
    }
    let matrix = record.scaleMatrix(grid)
    let stored = record.scaleLayout.storedShape(rows: matrix.rows, columns: matrix.columns)
    guard scales.count == stored.rows * stored.columns else {
      throw fail(
        file, "\(scales.count) scales for shape \(record.shape) in blocks of \(record.block)",
        "\(stored.rows * stored.columns)")
    }
    let rows = record.shape.dropLast().reduce(1, *) / form.sharedRows
    guard form.rowBytes(columns: record.rowLength) * rows == codes.byteRange.count else {
      throw fail(
        file, "\(codes.byteRange.count) bytes of codes for shape \(record.shape)",
        "\(form.rowBytes(columns: record.rowLength) * rows)")
    }
    return QuantizedPlace(
      codes: codes, codesForm: form, scales: scales, scaleRows: matrix.rows,
      scaleColumns: matrix.columns)
  }
}

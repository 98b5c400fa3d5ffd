import NumberFormats

/// Tensors of another tool's checkpoint whose names and types say that they form a quantised one.
struct StackCandidate {
  var name: String
  var keys: QuantizedKeys
  var codes: TensorInfo
  var scales: TensorInfo?
  var tensorScale: TensorInfo?
  var shape: TensorInfo?
  /// Tensors of asymmetric or reordered quantisation, which is not read.
  var refused: TensorInfo?

  var parts: [TensorInfo] {
    [codes] + [scales, tensorScale, shape, refused].compactMap { $0 }
  }

  /// nil where the tensor is nobody's codes.
  init?(_ codes: TensorInfo, _ byName: [String: TensorInfo]) {
    self.codes = codes
    let full = codes.name
    func without(_ suffix: String) -> String? {
      full.hasSuffix(suffix) ? String(full.dropLast(suffix.count)) : nil
    }
    if let base = without("_packed") {
      (name, keys) = (base, .compressedTensors)
    } else if let base = without("_blocks"), codes.dtype == .u8, byName[base + "_scales"] != nil {
      (name, keys, scales) = (base, .gptOSS, byName[base + "_scales"])
    } else if let base = without("_qdata") {
      (name, keys) = (base, .torchAO)
      tensorScale = byName[base + "_per_tensor_scale"]
    } else if Self.codeTypes.contains(codes.dtype), byName[full + "_scale"] != nil {
      tensorScale = byName[full + "_scale_2"]
      let isFloatScaled = [.f32, .bf16, .f16].contains(byName[full + "_scale"]?.dtype)
      let isModelOpt = tensorScale != nil || codes.dtype == .u8 || codes.dtype == .f4
      let isRowPairs = codes.dtype == .u8 && isFloatScaled
      let isModelOpts = isRowPairs || isModelOpt && !isFloatScaled
      (name, keys) = (full, isModelOpts ? .modelOpt : .compressedTensors)
    } else if codes.dtype == .f8e4m3, byName[full + "_scale_inv"] != nil {
      (name, keys, scales) = (full, .deepSeek, byName[full + "_scale_inv"])
    } else {
      return nil
    }
    scales = scales ?? byName[name + "_scale"]
    tensorScale = tensorScale ?? byName[name + "_global_scale"]
    shape = byName[name + "_shape"]
    refused = byName[name + "_zero_point"] ?? byName[name + "_g_idx"]
    if keys == .torchAO, let dot = name.range(ofLast: "._") {
      name.replaceSubrange(dot, with: ".")
    }
  }

  private static let codeTypes: Set<TensorDType> = [.u8, .i8, .f8e4m3, .f8e5m2, .f4]

  func fail(_ file: TensorFile, _ problem: String, _ expected: String) -> TensorIOError {
    .badData(file.filePath(of: codes), tensor: name, problem, expected: expected)
  }

  /// Works out the format from types and shapes.
  func read(_ file: TensorFile) throws(TensorIOError) -> (
    record: QuantizedTensorRecord, place: QuantizedPlace
  ) {
    guard let scales else {
      throw fail(file, "codes \(codes.name) without scales", "a tensor \(name)_scale")
    }
    if let refused {
      throw fail(file, "\(refused.name): asymmetric or reordered codes", "symmetric quantisation")
    }
    let (form, shape) = try codesForm(file, scales)
    let guess = try format(file, form: form, shape: shape, scales: scales)
    var record = QuantizedTensorRecord(
      name: name, shape: shape, format: guess.name, block: guess.block, packing: .none,
      scaleStorage: guess.scaleStorage, keys: keys)
    if case .nibbles(let packing, _) = form { record.packing = packing }
    if form == .offsetWords(bits: 4) || form == .rowPairs { record.packing = .low }
    if let tensorScale {
      guard guess.name == "nvfp4" else {
        throw fail(file, "a second scale \(tensorScale.name) with \(guess.name)", "one scale")
      }
      let value = try file.positiveScale(tensorScale)
      record.tensorScale =
        keys == .compressedTensors
        ? TensorScale(decode: 1 / value, encode: value) : TensorScale(decode: value)
    } else if guess.name == "nvfp4", keys != .torchAO {
      throw fail(
        file, "E4M3 scales without a tensor scale",
        "a tensor \(name)_global_scale (encode side) or \(name)_scale_2 (decode side)")
    }
    let place = try place(file, &record, form, scales)
    return (record, place)
  }

  /// How the codes are stored, and the shape they unpack to.
  private func codesForm(_ file: TensorFile, _ scales: TensorInfo) throws(TensorIOError) -> (
    StoredCodes, [Int]
  ) {
    let isByteScaled = [.u8, .f8e8m0, .f8e4m3].contains(scales.dtype)
    switch codes.dtype {
    case .f4: return (.nibbles(.low, splitBlock: 1), codes.shape)
    case .u8 where keys == .gptOSS:
      guard codes.shape.count >= 2 else { break }
      let (groups, bytes) = (codes.shape[codes.shape.count - 2], codes.shape[codes.shape.count - 1])
      return (.nibbles(.low, splitBlock: 1), codes.shape.dropLast(2) + [groups * bytes * 2])
    case .u8 where isByteScaled:
      guard let last = codes.shape.last else { break }
      return (.nibbles(.low, splitBlock: 1), codes.shape.dropLast() + [last * 2])
    case .u8 where keys == .modelOpt && codes.shape.count == 2 && !isByteScaled:
      return (.rowPairs, [codes.shape[0] * 2, codes.shape[1]])
    case .i32 where keys == .compressedTensors:
      return try wordForm(file)
    case .i8, .f8e4m3, .f8e5m2: return (.whole(bytes: 1), codes.shape)
    default: break
    }
    throw fail(
      file,
      "no known format has \(codes.dtype.rawValue) \(codes.shape) codes with "
        + "\(scales.dtype.rawValue) \(scales.shape) scales",
      "the layout of compressed-tensors, ModelOpt, gpt-oss, torchao or DeepSeek")
  }

  /// Codes in int32 words, whose width follows from the unpacked shape.
  private func wordForm(_ file: TensorFile) throws(TensorIOError) -> (StoredCodes, [Int]) {
    guard let shape, shape.dtype == .i64, shape.count == 2, codes.shape.count == 2 else {
      throw fail(file, "int32 codes without their shape", "a tensor \(name)_shape of two I64")
    }
    let lengths: [Int64]
    do {
      lengths = try file.withBytes(shape) { bytes in
        (0..<2).map {
          Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self))
        }
      }
    } catch {
      throw fail(file, "\(error)", "a readable shape")
    }
    for bits in [4, 8] {
      let form = StoredCodes.offsetWords(bits: bits)
      if lengths[0] == Int64(codes.shape[0]), lengths[1] > 0, lengths[1] <= 1 << 48,
        form.rowBytes(columns: Int(lengths[1])) == codes.shape[1] * 4
      {
        return (form, lengths.map { Int($0) })
      }
    }
    throw fail(
      file, "int32 codes \(codes.shape) for shape \(lengths)",
      "8 codes of 4 bits in a word, or 4 of 8")
  }
}

extension String {
  fileprivate func range(ofLast text: String) -> Range<String.Index>? {
    var end = endIndex
    while end > startIndex {
      if self[..<end].hasSuffix(text) { return index(end, offsetBy: -text.count)..<end }
      end = index(before: end)
    }
    return nil
  }
}

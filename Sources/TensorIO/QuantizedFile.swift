import NumberFormats

/// The quantised tensors of a .safetensors checkpoint, of this tool or of another.
///
/// A tensor of this tool is described by its `__metadata__`; of another, it is recognised by the
/// names, types and shapes that go together (see `QuantizedKeys`). Safe to use from several
/// threads at once.
public final class QuantizedFile: Sendable {
  public let file: TensorFile
  /// In the order of their codes in the file.
  public let records: [QuantizedTensorRecord]
  /// Tensors that look quantised and cannot be read as such, and why. They name the tensor.
  public let unreadable: [TensorIOError]
  /// Tensors that belong to no quantised one.
  public let others: [TensorInfo]
  /// Where each record's parts are.
  let places: [QuantizedPlace]

  /// - Throws: `badData` where a piece of this tool's own layout is missing or contradicts its
  ///   metadata.
  public init(_ file: TensorFile) throws(TensorIOError) {
    self.file = file
    var scan = QuantizedScan(file)
    try scan.run()
    records = scan.found.map(\.record)
    places = scan.found.map(\.place)
    unreadable = scan.unreadable
    others = file.tensors.filter { !scan.used.contains($0.name) }
  }

  public func index(named name: String) -> Int? { records.firstIndex { $0.name == name } }
}

/// Where a record's codes and scales lie.
struct QuantizedPlace: Sendable {
  var codes: TensorInfo
  var codesForm: StoredCodes
  var scales: TensorInfo
  var scaleRows: Int
  var scaleColumns: Int
}

/// A walk over a file's tensors that puts together those that belong together.
struct QuantizedScan {
  let file: TensorFile
  let byName: [String: TensorInfo]
  var found: [(record: QuantizedTensorRecord, place: QuantizedPlace)] = []
  var unreadable: [TensorIOError] = []
  /// Names of tensors that are part of a quantised one.
  var used: Set<String> = []

  init(_ file: TensorFile) {
    self.file = file
    byName = Dictionary(file.tensors.map { ($0.name, $0) }) { first, _ in first }
  }

  mutating func run() throws(TensorIOError) {
    for tensor in file.tensors where !used.contains(tensor.name) {
      if try own(tensor) { continue }
      guard let candidate = StackCandidate(tensor, byName) else { continue }
      used.formUnion(candidate.parts.map(\.name))
      do {
        var item = try candidate.read(file)
        try refine(&item.record, path: file.filePath(of: tensor))
        found.append(item)
      } catch {
        unreadable.append(error)
      }
    }
    try checkOwnAreComplete()
  }

  /// This tool's own layout: `NAME.codes` with a metadata entry for NAME.
  private mutating func own(_ codes: TensorInfo) throws(TensorIOError) -> Bool {
    let path = file.filePath(of: codes)
    guard codes.name.hasSuffix(".codes") else { return false }
    let name = String(codes.name.dropLast(".codes".count))
    guard let text = file.metadata[name],
      let metadata = try QuantizedMetadata(ifPresent: text, name: name, file: path),
      metadata.keys == .blockscale
    else { return false }
    guard let scales = byName[name + ".scales"] else {
      throw .badData(path, tensor: name, "no tensor \(name).scales", expected: "its scales")
    }
    let storage = ScaleStorage.allCases.first { $0.dtype == scales.dtype }
    let codeBytes = [TensorDType.u8: 1, .u16: 2, .u32: 4][codes.dtype]
    guard let storage, let codeBytes else {
      throw .badData(
        path, tensor: name,
        "codes of \(codes.dtype.rawValue) with scales of \(scales.dtype.rawValue)",
        expected: "codes U8, U16 or U32; scales U8, F16, BF16 or F32")
    }
    var record = QuantizedTensorRecord(
      name: name, shape: metadata.shape, format: metadata.format, block: metadata.block,
      axis: metadata.axis, recipe: metadata.recipe, rounding: metadata.rounding,
      packing: metadata.packing, scaleLayout: metadata.scaleLayout, codeBytes: codeBytes,
      scaleStorage: storage, toolVersion: metadata.toolVersion)
    let scaleTensor = byName[name + ".tensor_scale"]
    if scaleTensor != nil { record.tensorScale = .one }
    let parts: StoredParts
    do {
      parts = try StoredParts(record, path: path)
    } catch {
      throw .badData(path, tensor: name, error.fault.problem, expected: error.fault.expected)
    }
    for (declared, actual) in zip(
      parts.declarations, [codes, scales, scaleTensor].compactMap { $0 })
    where declared.shape != actual.shape || declared.dtype != actual.dtype {
      throw .badData(
        path, tensor: actual.name, "\(actual.dtype.rawValue) \(actual.shape)",
        expected: "\(declared.dtype.rawValue) \(declared.shape) by its metadata")
    }
    if let scaleTensor {
      record.tensorScale = TensorScale(decode: try file.positiveScale(scaleTensor))
    }
    let place = QuantizedPlace(
      codes: codes, codesForm: parts.codesForm, scales: scales, scaleRows: parts.scaleRows,
      scaleColumns: parts.scaleColumns)
    found.append((record, place))
    used.formUnion([codes.name, scales.name, name + ".tensor_scale"])
    return true
  }

  /// Takes over what this tool noted when it wrote another stack's layout.
  private func refine(_ record: inout QuantizedTensorRecord, path: String) throws(TensorIOError) {
    guard let text = file.metadata[record.name],
      let metadata = try QuantizedMetadata(ifPresent: text, name: record.name, file: path),
      [.compressedTensors, .modelOpt].contains(metadata.keys)
    else { return }
    guard metadata.shape == record.shape, metadata.block == record.block else {
      throw .badData(
        path, tensor: record.name, "shape \(record.shape) in blocks of \(record.block)",
        expected: "\(metadata.shape) in blocks of \(metadata.block) by its metadata")
    }
    // Where both stacks have the same tensors, only the note tells which was meant.
    record.keys = metadata.keys
    record.format = metadata.format
    record.recipe = metadata.recipe
    record.rounding = metadata.rounding
    record.toolVersion = metadata.toolVersion
    if metadata.format.hasSuffix("_fp16"), record.scaleStorage == .f32 {
      record.scaleStorage = .f16
    }
  }

  /// A metadata entry whose tensors are not there is a damaged file.
  private func checkOwnAreComplete() throws(TensorIOError) {
    for (name, text) in file.metadata.sorted(by: { $0.key < $1.key }) {
      guard let metadata = try QuantizedMetadata(ifPresent: text, name: name, file: file.path),
        metadata.keys == .blockscale, byName[name + ".codes"] == nil
      else { continue }
      throw .badData(
        file.path, tensor: name, "no tensor \(name).codes", expected: "as __metadata__ says")
    }
  }
}

extension TensorFile {
  /// The only number of a tensor scale.
  func positiveScale(_ tensor: TensorInfo) throws(TensorIOError) -> Float {
    guard tensor.count == 1 else {
      throw .badData(
        filePath(of: tensor), tensor: tensor.name, "\(tensor.count) tensor scales",
        expected: "one")
    }
    let value = try readFloat32(tensor)[0]
    guard value.isFinite, value > 0 else {
      throw .badData(
        filePath(of: tensor), tensor: tensor.name, "tensor scale \(value)",
        expected: "a finite number above 0")
    }
    return value
  }
}

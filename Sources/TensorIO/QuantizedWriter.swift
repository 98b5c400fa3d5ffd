import NumberFormats

/// Writes quantised tensors to one .safetensors file, in the layout of the records' keys.
///
/// Declare every record, then append each one's codes and scales in order, in pieces of any number
/// of whole rows; `finish` puts the file in its place. Without `finish` no file appears.
public final class QuantizedWriter {
  private let path: String
  private let writer: SafetensorsWriter
  private var slots: [Slot] = []

  private struct Slot {
    var record: QuantizedTensorRecord
    var parts: StoredParts
    /// Index of the first of its declarations: codes, scales, then the optional ones.
    var first: Int
    /// Scales gathered for a layout that is not row-major.
    var pendingScales: [UInt8] = []
    /// Codes of a row that waits for the one it shares its bytes with.
    var pendingRow: [UInt8] = []
  }

  /// - Parameters:
  ///   - records: `tensorScale` must be set for those that will have one (its value is given
  ///     later); `keys` may differ between records.
  ///   - others: tensors written as they are, appended with `appendOther`.
  /// - Throws: `usage` for a record that its keys cannot hold, naming what they can; `cannotWrite`.
  public init(
    path: String, records: [QuantizedTensorRecord],
    others: [SafetensorsWriter.Declaration] = []
  ) throws(TensorIOError) {
    self.path = path
    var declarations: [SafetensorsWriter.Declaration] = []
    var metadata: [(key: String, value: String)] = []
    if records.contains(where: { $0.keys != .blockscale }) {
      // Loaders of the Hugging Face libraries refuse a file without it.
      metadata.append(("format", "pt"))
    }
    for record in records {
      let parts = try StoredParts(record, path: path)
      slots.append(Slot(record: record, parts: parts, first: declarations.count))
      declarations += parts.declarations
      metadata.append((record.name, record.metadataText))
    }
    firstOther = declarations.count
    writer = try SafetensorsWriter(
      path: path, tensors: declarations + others, metadata: metadata)
  }

  private let firstOther: Int

  /// Appends bytes to one of the tensors that are written as they are.
  public func appendOther(_ bytes: UnsafeRawBufferPointer, to index: Int) throws(TensorIOError) {
    try writer.append(bytes, to: firstOther + index)
  }

  /// Appends codes of whole rows, one code per `codeBytes` bytes, little-endian.
  public func appendCodes(_ codes: UnsafeRawBufferPointer, to index: Int) throws(TensorIOError) {
    let slot = slots[index]
    let columns = slot.record.rowLength
    guard columns > 0, !codes.isEmpty else { return }
    if case .whole = slot.parts.codesForm { return try writer.append(codes, to: slot.first) }
    guard codes.count % columns == 0 else {
      throw .usage(
        path, tensor: slot.record.name, "\(codes.count) codes", expected: "whole rows of \(columns)"
      )
    }
    if slot.parts.codesForm == .rowPairs { return try appendPairs(codes, to: index) }
    let rowBytes = slot.parts.codesForm.rowBytes(columns: columns)
    let staging = UnsafeMutableRawBufferPointer.allocate(
      byteCount: codes.count / columns * rowBytes, alignment: 8)
    defer { staging.deallocate() }
    for row in 0..<(codes.count / columns) {
      let source = UnsafeRawBufferPointer(
        rebasing: codes[(row * columns)..<((row + 1) * columns)])
      let target = UnsafeMutableRawBufferPointer(
        rebasing: staging[(row * rowBytes)..<((row + 1) * rowBytes)])
      slot.parts.codesForm.pack(source, into: target)
    }
    try writer.append(UnsafeRawBufferPointer(staging), to: slot.first)
  }

  private func appendPairs(_ codes: UnsafeRawBufferPointer, to index: Int) throws(TensorIOError) {
    let columns = slots[index].record.rowLength
    let rows = slots[index].pendingRow + codes
    let whole = rows.count / (2 * columns) * (2 * columns)
    slots[index].pendingRow = Array(rows[whole...])
    var bytes: [UInt8] = []
    bytes.reserveCapacity(whole / 2)
    for start in stride(from: 0, to: whole, by: 2 * columns) {
      for column in start..<(start + columns) {
        bytes.append(rows[column] & 15 | rows[column + columns] << 4)
      }
    }
    try writer.append(bytes, to: slots[index].first)
  }

  /// Appends scale patterns in the row-major order of the record's blocks.
  public func appendScales(_ scales: UnsafeBufferPointer<UInt32>, to index: Int)
    throws(TensorIOError)
  {
    let slot = slots[index]
    let tensor = slot.first + 1
    switch slot.record.scaleStorage {
    case .u8:
      let bytes = scales.map { UInt8(truncatingIfNeeded: $0) }
      if slot.record.scaleLayout == .linear { return try writer.append(bytes, to: tensor) }
      slots[index].pendingScales += bytes
    case .f16, .bf16:
      try writer.append(scales.map { UInt16(truncatingIfNeeded: $0).littleEndian }, to: tensor)
    case .f32: try writer.append(scales.map(\.littleEndian), to: tensor)
    }
  }

  /// Sets the tensor scale of a record that was declared with one.
  ///
  /// Keys that store the encode side take `encode`, or 1/decode in float32 where that is nil.
  public func setTensorScale(_ scale: TensorScale, of index: Int) {
    slots[index].record.tensorScale = scale
  }

  /// Writes what is left and puts the complete file in its place.
  public func finish() throws(TensorIOError) {
    for slot in slots {
      if slot.record.scaleLayout != .linear {
        guard slot.pendingScales.count == slot.parts.scaleRows * slot.parts.scaleColumns else {
          throw .usage(
            path, tensor: slot.record.name, "\(slot.pendingScales.count) scales",
            expected: "\(slot.parts.scaleRows * slot.parts.scaleColumns)")
        }
        try writer.append(
          slot.record.scaleLayout.arrange(
            slot.pendingScales, rows: slot.parts.scaleRows, columns: slot.parts.scaleColumns),
          to: slot.first + 1)
      }
      if slot.parts.tensorScale != nil {
        try writer.append([try storedTensorScale(slot).bitPattern.littleEndian], to: slot.first + 2)
      }
      if slot.parts.shape != nil {
        let place = slot.first + slot.parts.declarations.count - 1
        try writer.append(slot.record.shape.map { Int64($0).littleEndian }, to: place)
      }
    }
    try writer.finish()
  }

  private func storedTensorScale(_ slot: Slot) throws(TensorIOError) -> Float {
    let scale = slot.record.tensorScale ?? .one
    let value = slot.parts.storesEncodeScale ? scale.encode ?? 1 / scale.decode : scale.decode
    guard value.isFinite, value > 0 else {
      throw .usage(
        path, tensor: slot.record.name, "tensor scale \(value)",
        expected: "a finite number above 0")
    }
    return value
  }
}

extension StoredCodes {
  /// Packs one row of codes that lie one per byte.
  func pack(_ codes: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) {
    switch self {
    case .whole: bytes.copyMemory(from: codes)
    case .nibbles(let packing, let splitBlock):
      packing.pack(codes, splitBlock: splitBlock, into: bytes)
    case .rowPairs: break  // Two rows at a time; see `appendPairs`.
    case .offsetWords(4):
      CodePacking.low.pack(codes, splitBlock: 1, into: bytes)
      for index in bytes.indices { bytes[index] ^= 0x88 }
    case .offsetWords:
      for index in codes.indices { bytes[index] = codes[index] ^ 0x80 }
    }
  }

  /// Unpacks part of a row, one code per byte (per `bytes` bytes for `whole`).
  ///
  /// - Parameter part: which of the rows that share the bytes.
  func unpack(
    _ bytes: UnsafeRawBufferPointer, part: Int, columns: Range<Int>, rowLength: Int,
    into codes: UnsafeMutableRawBufferPointer
  ) {
    switch self {
    case .whole(let width):
      let span = (columns.lowerBound * width)..<(columns.upperBound * width)
      codes.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[span]))
    case .nibbles(let packing, let splitBlock):
      packing.unpack(
        bytes, columns: columns, rowLength: rowLength, splitBlock: splitBlock, into: codes)
    case .rowPairs:
      for column in columns {
        codes[column - columns.lowerBound] = bytes[column] >> (4 * part) & 15
      }
    case .offsetWords(4):
      CodePacking.low.unpack(
        bytes, columns: columns, rowLength: rowLength, splitBlock: 1, into: codes)
      for index in 0..<columns.count { codes[index] ^= 8 }
    case .offsetWords:
      for column in columns { codes[column - columns.lowerBound] = bytes[column] ^ 0x80 }
    }
  }
}

extension QuantizedFile {
  /// Reads codes, unpacked, in row-major order of the tensor: `codeBytes` bytes each,
  /// little-endian.
  ///
  /// - Parameters:
  ///   - index: of the record.
  ///   - elements: which of the tensor's elements; any range, so that a tensor larger than memory
  ///     is read in pieces.
  ///   - codes: room for `elements.count * codeBytes` bytes.
  /// - Throws: `usage` for a range outside the tensor.
  public func readCodes(
    _ index: Int, elements: Range<Int>, into codes: UnsafeMutableRawBufferPointer
  ) throws(TensorIOError) {
    let (record, place) = (records[index], places[index])
    let total = record.shape.reduce(1, *)
    guard elements.lowerBound >= 0, elements.upperBound <= total,
      codes.count >= elements.count * record.codeBytes
    else {
      throw .usage(
        file.filePath(of: place.codes), tensor: record.name, "elements \(elements)",
        expected: "a range inside 0..<\(total), and room for it")
    }
    guard !elements.isEmpty else { return }
    let mapped = try file.sources[place.codes.source].bytes()
    let start = place.codes.byteRange.lowerBound
    let columns = record.rowLength
    let shared = place.codesForm.sharedRows
    let rowBytes = place.codesForm.rowBytes(columns: columns)
    var element = elements.lowerBound
    while element < elements.upperBound {
      let (row, column) = element.quotientAndRemainder(dividingBy: columns)
      let end = min(columns, column + elements.upperBound - element)
      let (stored, part) = row.quotientAndRemainder(dividingBy: shared)
      let span = (start + stored * rowBytes)..<(start + (stored + 1) * rowBytes)
      let done = (element - elements.lowerBound) * record.codeBytes
      place.codesForm.unpack(
        mapped[span], part: part, columns: column..<end, rowLength: columns,
        into: UnsafeMutableRawBufferPointer(
          rebasing: codes[done..<(done + (end - column) * record.codeBytes)]))
      element += end - column
    }
    let firstRow = elements.lowerBound / columns / shared
    let lastRow = (elements.upperBound - 1) / columns / shared
    mapped.drop((start + firstRow * rowBytes)..<(start + (lastRow + 1) * rowBytes))
  }

  /// Reads scale patterns in the row-major order of the record's blocks, whatever the stored
  /// layout, as `scaleStorage` says.
  ///
  /// - Parameter blocks: which of the blocks.
  public func readScales(
    _ index: Int, blocks: Range<Int>, into scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(TensorIOError) {
    let (record, place) = (records[index], places[index])
    let count = place.scaleRows * place.scaleColumns
    guard blocks.lowerBound >= 0, blocks.upperBound <= count, scales.count >= blocks.count else {
      throw .usage(
        file.filePath(of: place.scales), tensor: record.name, "blocks \(blocks)",
        expected: "a range inside 0..<\(count), and room for it")
    }
    guard !blocks.isEmpty else { return }
    let bytes = try file.sources[place.scales.source].bytes()[place.scales.byteRange]
    let columns = place.scaleColumns
    for block in blocks {
      let (row, column) = block.quotientAndRemainder(dividingBy: columns)
      let offset = record.scaleLayout.offset(row: row, column: column, columns: columns)
      scales[block - blocks.lowerBound] = pattern(
        bytes, at: offset, stored: place.scales.dtype, wanted: record.scaleStorage)
    }
  }

  /// One stored scale; F16 and BF16 are widened where F32 is wanted.
  private func pattern(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, stored: TensorDType, wanted: ScaleStorage
  ) -> UInt32 {
    switch stored {
    case .f32:
      return UInt32(
        littleEndian: bytes.loadUnaligned(fromByteOffset: offset * 4, as: UInt32.self))
    case .f16, .bf16:
      let half = UInt16(
        littleEndian: bytes.loadUnaligned(fromByteOffset: offset * 2, as: UInt16.self))
      guard wanted == .f32 else { return UInt32(half) }
      return stored == .bf16
        ? UInt32(half) << 16 : Float32Conversion.halfToFloat(half).bitPattern
    default: return UInt32(bytes[offset])
    }
  }
}

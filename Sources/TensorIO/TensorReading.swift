extension TensorFile {
  /// Reads elements as float32, in row-major order whatever the file's order is.
  ///
  /// Pages that were mapped for this are let go again, so that a pass over a file larger than
  /// memory keeps no more than the caller's buffer. A Fortran-ordered tensor is gathered: reading
  /// it in few, large ranges is cheaper than in many, and while a call runs, the pages it touches,
  /// some in every column, count as this process's memory.
  ///
  /// - Parameters:
  ///   - tensor: one of `tensors`.
  ///   - range: element indices.
  ///   - output: room for `range.count` numbers.
  /// - Returns: how many values float32 cannot hold; those were rounded once by tiesToEven
  ///   (infinite beyond its range). 0 for every type whose `float32Reading` is `exact`.
  /// - Throws: `badData` for types without a float32 reading and damaged .npz entries, `usage`
  ///   for a range outside the tensor.
  @discardableResult
  public func readFloat32(
    _ tensor: TensorInfo, range: Range<Int>, into output: UnsafeMutableBufferPointer<Float>
  ) throws(TensorIOError) -> Int {
    guard tensor.dtype.float32Reading != .unavailable else {
      throw .badData(
        filePath(of: tensor), tensor: tensor.name,
        "\(tensor.dtype.rawValue) elements are not read as numbers",
        expected: "a type of whole "
          + "bytes, not complex")
    }
    try check(range, within: tensor.count, of: tensor, room: output.count)
    let result = UnsafeMutableBufferPointer(rebasing: output[..<range.count])
    let bytes = try sources[tensor.source].bytes()
    if tensor.isFortranOrder { return readGathered(tensor, bytes, range, result) }
    let width = tensor.dtype.bits / 8
    var rounded = 0
    // In pieces, so that a single large call does not map the whole range at once either.
    let piece = 1 << 20
    for start in stride(from: range.lowerBound, to: range.upperBound, by: piece) {
      let end = min(start + piece, range.upperBound)
      let begin = tensor.byteRange.lowerBound
      let span = (begin + start * width)..<(begin + end * width)
      rounded += Float32Conversion.convert(
        tensor.dtype, bigEndian: tensor.isBigEndian, bytes[span],
        into: UnsafeMutableBufferPointer(
          rebasing: result[(start - range.lowerBound)..<(end - range.lowerBound)]))
      bytes.drop(span)
    }
    return rounded
  }

  private func readGathered(
    _ tensor: TensorInfo, _ bytes: MappedBytes, _ range: Range<Int>,
    _ output: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    let width = tensor.dtype.bits / 8
    let chunk = 1 << 16
    let staging = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk * width, alignment: 8)
    defer { staging.deallocate() }
    var rounded = 0
    for start in stride(from: range.lowerBound, to: range.upperBound, by: chunk) {
      let end = min(start + chunk, range.upperBound)
      FortranOrder.gather(
        bytes[tensor.byteRange], shape: tensor.shape, width: width, range: start..<end,
        into: staging)
      rounded += Float32Conversion.convert(
        tensor.dtype, bigEndian: tensor.isBigEndian,
        UnsafeRawBufferPointer(rebasing: staging[..<((end - start) * width)]),
        into: UnsafeMutableBufferPointer(
          rebasing: output[(start - range.lowerBound)..<(end - range.lowerBound)]))
    }
    bytes.drop(tensor.byteRange)
    return rounded
  }

  /// Reads a whole tensor as float32.
  public func readFloat32(_ tensor: TensorInfo) throws(TensorIOError) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.count)
    let result = values.withUnsafeMutableBufferPointer { buffer in
      Result { () throws(TensorIOError) in
        try readFloat32(tensor, range: 0..<tensor.count, into: buffer)
      }
    }
    _ = try result.get()
    return values
  }

  /// The tensor's numbers in place, without a copy, where the file holds them as this machine
  /// does: little-endian F32 in row-major order at a multiple of 4 bytes. Nil otherwise, and
  /// `body` is not called.
  ///
  /// The pointer is valid inside `body` only. Touched pages count as this process's memory until
  /// `releasePages`.
  public func withMappedFloat32<Result>(
    _ tensor: TensorInfo, _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) throws -> Result? {
    guard tensor.dtype == .f32, !tensor.isFortranOrder, !tensor.isBigEndian else { return nil }
    let mapped = try sources[tensor.source].bytes()
    defer { withExtendedLifetime(mapped) {} }
    let bytes = mapped[tensor.byteRange]
    guard Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0 else {
      return nil
    }
    return try body(bytes.bindMemory(to: Float.self))
  }

  /// The tensor's bytes as stored: the file's element order and byte order. Valid in `body` only.
  public func withBytes<Result>(
    _ tensor: TensorInfo, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let mapped = try sources[tensor.source].bytes()
    defer { withExtendedLifetime(mapped) {} }
    return try body(mapped[tensor.byteRange])
  }

  /// Copies stored bytes of the tensor; `range` counts from its first byte. Mapped pages are let
  /// go again.
  public func readBytes(
    _ tensor: TensorInfo, range: Range<Int>, into output: UnsafeMutableRawBufferPointer
  ) throws(TensorIOError) {
    try check(range, within: tensor.byteRange.count, of: tensor, room: output.count)
    let mapped = try sources[tensor.source].bytes()
    let start = tensor.byteRange.lowerBound
    let span = (start + range.lowerBound)..<(start + range.upperBound)
    output.copyMemory(from: mapped[span])
    mapped.drop(span)
  }

  /// Lets go of the pages that reading the tensor in place has mapped. Harmless while others read.
  public func releasePages(_ tensor: TensorInfo) {
    guard case .mapped(let bytes, _) = sources[tensor.source] else { return }
    bytes.drop(tensor.byteRange)
  }

  private func check(_ range: Range<Int>, within count: Int, of tensor: TensorInfo, room: Int)
    throws(TensorIOError)
  {
    guard range.lowerBound >= 0, range.upperBound <= count, range.count <= room else {
      throw .usage(
        filePath(of: tensor), tensor: tensor.name,
        "range \(range) with room for \(room)", expected: "a range inside 0..<\(count)")
    }
  }
}

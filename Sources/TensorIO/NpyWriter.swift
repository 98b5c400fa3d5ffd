/// Writes one tensor as .npy, version 1.0, row-major.
///
/// Source: NumPy, numpy/lib/format.py: the header's end falls on a multiple of 64 bytes.
/// Declare the tensor, append its bytes in order, `finish`. Without `finish` no file appears.
public final class NpyWriter {
  private let output: AtomicOutput
  private let dataStart: Int
  private let dataBytes: Int
  private var written = 0

  /// - Parameters:
  ///   - path: the file to create or replace.
  ///   - dtype: a type NumPy has: booleans, integers, F16, F32, F64.
  ///   - shape: lengths of the axes; empty for a single number.
  /// - Throws: `usage` for other types and impossible shapes, `cannotWrite`.
  public init(path: String, dtype: TensorDType, shape: [Int]) throws(TensorIOError) {
    guard let description = dtype.npyDescription else {
      throw .usage(
        path, "\(dtype.rawValue) has no type in .npy",
        expected: "integers, F16, F32 or F64, or a .safetensors output")
    }
    guard let dataBytes = storageBytes(shape: shape, dtype: dtype) else {
      throw .usage(path, "impossible shape \(shape)", expected: possibleShape)
    }
    let header = Self.header(description: description, shape: shape)
    guard header.count - 10 <= UInt16.max else {
      throw .usage(path, "a shape of \(shape.count) axes", expected: "a header below 65536 bytes")
    }
    self.dataBytes = dataBytes
    dataStart = header.count
    output = try AtomicOutput(path: path, size: header.count + dataBytes)
    try writeAll(header, to: output, at: 0)
  }

  /// The header's bytes up to the data.
  static func header(description: String, shape: [Int]) -> [UInt8] {
    let lengths = shape.map { "\($0)" }.joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text = "{'descr': '\(description)', 'fortran_order': False, 'shape': (\(lengths)), }"
    let unpadded = 10 + text.utf8.count + 1
    let end = (unpadded + 63) / 64 * 64
    let length = UInt16(truncatingIfNeeded: end - 10)
    return NpyHeader.magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(text.utf8)
      + [UInt8](repeating: UInt8(ascii: " "), count: end - unpadded) + [UInt8(ascii: "\n")]
  }

  /// Appends little-endian elements in row-major order.
  public func append(_ bytes: UnsafeRawBufferPointer) throws(TensorIOError) {
    guard bytes.count <= dataBytes - written else {
      throw .usage(
        output.path, "\(written + bytes.count) bytes of data", expected: "\(dataBytes)")
    }
    try output.write(bytes, at: dataStart + written)
    written += bytes.count
  }

  /// Appends numbers to an F32 file.
  public func append(_ values: UnsafeBufferPointer<Float>) throws(TensorIOError) {
    try append(UnsafeRawBufferPointer(values))
  }

  /// Puts the complete file in its place.
  public func finish() throws(TensorIOError) {
    guard written == dataBytes else {
      throw .usage(output.path, "\(written) bytes of data", expected: "\(dataBytes)")
    }
    try output.finish()
  }
}

func writeAll(_ bytes: [UInt8], to output: AtomicOutput, at offset: Int) throws(TensorIOError) {
  try bytes.withUnsafeBytes { buffer in
    Result { () throws(TensorIOError) in try output.write(buffer, at: offset) }
  }.get()
}

import NumberFormats
import TensorIO

extension RandomBits {
  /// Reads `--random-bits`: one unsigned integer per element, row-major, from an integer .npy file.
  public static func read(_ path: String) throws -> RandomBits {
    let file = try TensorFile.open(path)
    guard let info = file.tensors.first, file.tensors.count == 1 else {
      throw MeasurementError.badData(
        file: path, tensor: nil, "\(file.tensors.count) tensors (expected one)")
    }
    guard !info.dtype.isFloating, info.dtype != .bool, info.dtype != .c64 else {
      throw MeasurementError.badData(
        file: path, tensor: info.name, "\(info.dtype.rawValue) elements (expected integers)")
    }
    guard !info.isFortranOrder, !info.isBigEndian else {
      throw MeasurementError.badData(
        file: path, tensor: info.name, "expected row-major order, little-endian")
    }
    let values = try file.withBytes(info) { bytes in
      try (0..<info.count).map { try number(bytes, at: $0, info, path) }
    }
    file.releasePages(info)
    return .given(values)
  }

  private static func number(
    _ bytes: UnsafeRawBufferPointer, at index: Int, _ info: TensorInfo, _ path: String
  ) throws(MeasurementError) -> UInt32 {
    let width = info.dtype.bits / 8
    var pattern: UInt64 = 0
    for byte in 0..<width { pattern |= UInt64(bytes[index * width + byte]) << UInt64(8 * byte) }
    let isSigned = [.i8, .i16, .i32, .i64].contains(info.dtype)
    let isNegative = isSigned && pattern >> UInt64(8 * width - 1) == 1
    guard !isNegative, let value = UInt32(exactly: pattern) else {
      throw .badData(
        file: path, tensor: info.name,
        "element \(index): not a random number (expected 0 to 2^n - 1, n at most 32)")
    }
    return value
  }
}

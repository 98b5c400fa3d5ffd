import NumberFormats
import TensorIO

extension RandomBits {
  /// Reads `--random-bits`: one unsigned integer per element, row-major, from an integer .npy file
  /// of any byte order and either order of axes.
  ///
  /// - Throws: `TensorIOError`, or `badData` for what holds no such numbers; both name the file.
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
    var values = [UInt32](repeating: 0, count: info.count)
    try file.withBytes(info) { bytes in
      var places = StoredPlaces(info)
      for index in values.indices {
        values[index] = try number(bytes, at: places.next(), info) {
          .badData(
            file: path, tensor: info.name,
            "element \(index): not a random number (expected 0 to 2^n - 1, n at most 32)")
        }
      }
    }
    file.releasePages(info)
    return .given(values)
  }

  private static func number(
    _ bytes: UnsafeRawBufferPointer, at place: Int, _ info: TensorInfo,
    _ error: () -> MeasurementError
  ) throws(MeasurementError) -> UInt32 {
    let width = info.dtype.bits / 8
    var pattern: UInt64 = 0
    for byte in 0..<width {
      let shift = info.isBigEndian ? width - 1 - byte : byte
      pattern |= UInt64(bytes[place * width + byte]) << UInt64(8 * shift)
    }
    let isSigned = [.i8, .i16, .i32, .i64].contains(info.dtype)
    let isNegative = isSigned && pattern >> UInt64(8 * width - 1) == 1
    guard !isNegative, let value = UInt32(exactly: pattern) else { throw error() }
    return value
  }
}

/// Where the elements of a tensor are stored, in row-major order.
private struct StoredPlaces {
  private let shape: [Int]
  private let strides: [Int]
  private var position: [Int]
  private var place = 0

  init(_ info: TensorInfo) {
    shape = info.shape
    position = shape.map { _ in 0 }
    var strides = shape.map { _ in 1 }
    let order = info.isFortranOrder ? Array(shape.indices) : shape.indices.reversed()
    for (inner, outer) in zip(order, order.dropFirst()) {
      strides[outer] = strides[inner] * shape[inner]
    }
    self.strides = strides
  }

  /// The place of the next element; at most as many calls as there are elements.
  mutating func next() -> Int {
    let result = place
    for axis in shape.indices.reversed() {
      position[axis] += 1
      place += strides[axis]
      if position[axis] < shape[axis] { break }
      place -= strides[axis] * shape[axis]
      position[axis] = 0
    }
    return result
  }
}

extension MeasurementError {
  /// This error as one of the file that random numbers came from; nil where they are not the reason.
  public func blaming(randomBits path: String) -> MeasurementError? {
    switch self {
    case .randomBitsCount(let file, let tensor, let given, let expected):
      .badData(
        file: path, tensor: nil,
        "\(given) random numbers (expected \(expected), one for each element of tensor \"\(tensor)\""
          + " of \(file))")
    case .quantize(let file, let tensor, .badRandomBits(let position)):
      .badData(
        file: path, tensor: nil,
        "element \(position): not a random number below 2^n, with the n of the rounding (for tensor"
          + " \"\(tensor)\" of \(file))")
    default: nil
    }
  }
}

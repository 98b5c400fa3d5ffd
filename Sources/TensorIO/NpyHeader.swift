/// The header of an .npy file: versions 1.0, 2.0 and 3.0.
///
/// Source: NumPy, numpy/lib/format.py ("Format Specification: NPY"): magic `\x93NUMPY`, two
/// version bytes, a little-endian length (u16 in 1.0, u32 later), and a Python dictionary literal
/// with exactly the keys `descr`, `fortran_order` and `shape`, in Latin-1 (UTF-8 in 3.0).
package struct NpyHeader {
  package var dtype: TensorDType
  package var shape: [Int]
  package var isFortranOrder: Bool
  package var isBigEndian: Bool
  package var count: Int
  /// Where the data begin, and how many bytes they take.
  package var dataStart: Int
  package var dataBytes: Int

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// NumPy writes some hundred bytes; a longer header is refused before it is parsed.
  static let maximumLength = 1 << 16
  /// How many bytes from the start suffice for any header that is accepted.
  static let maximumEnd = 12 + maximumLength

  /// A type string that cannot be read, apart from malformed files: an .npz may hold such entries.
  package struct UnsupportedType: Error {
    package var problem: String
    package var expected: String
  }

  package enum Failure: Error {
    case malformed(TensorIOError)
    case unsupported(UnsupportedType)

    /// Either, as an error of the file.
    package func error(file: String, tensor: String?) -> TensorIOError {
      switch self {
      case .malformed(let error): error
      case .unsupported(let type):
        .badData(file, tensor: tensor, type.problem, expected: type.expected)
      }
    }
  }

  /// - Parameters:
  ///   - bytes: the start of the file: all of it, or at least `maximumEnd` bytes.
  ///   - size: the file's length in bytes.
  package init(_ bytes: UnsafeRawBufferPointer, size: Int, file: String, tensor: String? = nil)
    throws(Failure)
  {
    func fail(_ position: Int?, _ problem: String, _ expected: String) -> Failure {
      .malformed(.badData(file, tensor: tensor, position: position, problem, expected: expected))
    }
    guard bytes.count >= 10, bytes.prefix(6).elementsEqual(Self.magic) else {
      throw fail(0, "no .npy header", "the bytes 93 4E 55 4D 50 59 (\\x93NUMPY) and a version")
    }
    let version = (bytes[6], bytes[7])
    guard (1...3).contains(version.0), version.1 == 0 else {
      throw fail(6, "version \(version.0).\(version.1)", "1.0, 2.0 or 3.0")
    }
    let textStart = version.0 == 1 ? 10 : 12
    guard bytes.count >= textStart else { throw fail(8, "the file ends in its header", "a length") }
    let length =
      version.0 == 1
      ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
      : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    guard length <= Self.maximumLength else {
      throw fail(8, "header length \(length)", "at most \(Self.maximumLength)")
    }
    guard textStart + length <= min(bytes.count, size) else {
      throw fail(8, "header length \(length) in \(size) bytes", "at most \(size - textStart)")
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[textStart..<(textStart + length)])
    let fields: NpyHeaderFields
    do {
      fields = try NpyHeaderFields(text, isUTF8: version.0 == 3)
    } catch {
      throw fail(textStart + error.position, error.problem, error.expected)
    }
    dataStart = textStart + length
    shape = fields.shape
    isFortranOrder = fields.isFortranOrder && fields.shape.count > 1
    do {
      (dtype, isBigEndian) = try npyType(fields.description)
    } catch {
      throw .unsupported(error)
    }
    guard let count = elementCount(shape: shape),
      let dataBytes = storageBytes(shape: shape, dtype: dtype)
    else {
      throw fail(textStart, "impossible shape \(shape)", possibleShape)
    }
    self.count = count
    self.dataBytes = dataBytes
    guard dataBytes == size - dataStart else {
      throw fail(
        dataStart, "\(size - dataStart) bytes of data",
        "\(dataBytes) for shape \(shape) of \(fields.description)")
    }
  }

  func info(named name: String, source: Int) -> TensorInfo {
    TensorInfo(
      name: name, dtype: dtype, shape: shape, byteRange: dataStart..<(dataStart + dataBytes),
      isFortranOrder: isFortranOrder, isBigEndian: isBigEndian, count: count, source: source)
  }
}

/// Reads a NumPy type string such as `<f4`.
private func npyType(_ text: String) throws(NpyHeader.UnsupportedType) -> (TensorDType, Bool) {
  let types: [String: TensorDType] = [
    "f2": .f16, "f4": .f32, "f8": .f64, "i1": .i8, "i2": .i16, "i4": .i32, "i8": .i64, "u1": .u8,
    "u2": .u16, "u4": .u32, "u8": .u64, "b1": .bool,
  ]
  let supported = "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 or b1, with <, > or |"
  var kind = text
  var order: Character = "="
  if let first = kind.first, "<>|=".contains(first) { order = kind.removeFirst() }
  if kind == "?" { kind = "b1" }
  if let dtype = types[kind] { return (dtype, order == ">" && dtype.bits > 8) }
  if kind.hasPrefix("V") || kind.isEmpty {
    throw .init(
      problem: "type '\(text)' is untyped bytes: ml_dtypes arrays (bfloat16, float8_*) lose their "
        + "type in .npy",
      expected: "the codes viewed as uint8 or uint16, or a .safetensors file")
  }
  if kind.hasPrefix("O") {
    throw .init(problem: "type '\(text)' holds pickled Python objects", expected: supported)
  }
  throw .init(problem: "type '\(text)' is not a number type read here", expected: supported)
}

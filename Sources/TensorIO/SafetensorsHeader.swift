/// The header of a .safetensors file, checked as the reference implementation checks it.
///
/// Source: the safetensors crate, safetensors/src/tensor.rs (`SafeTensors::read_metadata`,
/// `Metadata::validate`): a little-endian u64 length of at most 100,000,000, a JSON object, and
/// tensors that cover the rest of the file without holes or overlaps.
package struct SafetensorsHeader {
  /// In the order of their bytes; tensors of no bytes keep the header's order.
  package var tensors: [TensorInfo]
  /// The strings under `__metadata__`.
  package var metadata: [String: String]

  static let maximumLength = 100_000_000

  /// - Parameters:
  ///   - bytes: the whole file, or at least its header.
  ///   - fileSize: the file's length in bytes.
  package init(_ bytes: UnsafeRawBufferPointer, fileSize: Int, file: String)
    throws(TensorIOError)
  {
    let json = try Self.json(bytes, fileSize: fileSize, file: file)
    guard case .object(let members) = json.value else {
      throw .badData(file, position: 8, "the header is not a JSON object", expected: "'{'")
    }
    var entries: [(info: TensorInfo, order: Int)] = []
    var metadata: [String: String] = [:]
    for member in members {
      if member.key == "__metadata__" {
        metadata = try Self.metadata(member.value, file: file)
      } else {
        let info = try Self.tensor(member, dataStart: json.end, fileSize: fileSize, file: file)
        entries.append((info, entries.count))
      }
    }
    entries.sort {
      ($0.info.byteRange.lowerBound, $0.info.byteRange.upperBound, $0.order)
        < ($1.info.byteRange.lowerBound, $1.info.byteRange.upperBound, $1.order)
    }
    tensors = entries.map(\.info)
    self.metadata = metadata
    try checkCoverage(dataStart: json.end, fileSize: fileSize, file: file)
  }

  private static func json(_ bytes: UnsafeRawBufferPointer, fileSize: Int, file: String)
    throws(TensorIOError) -> (value: HeaderJSON, end: Int)
  {
    guard bytes.count >= 8, fileSize >= 8 else {
      throw .badData(
        file, position: 0, "the file ends after \(fileSize) bytes",
        expected: "a header length of 8 bytes")
    }
    let declared = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard declared <= UInt64(maximumLength) else {
      throw .badData(
        file, position: 0, "header length \(declared)", expected: "at most \(maximumLength)")
    }
    let end = 8 + Int(declared)
    guard end <= fileSize, end <= bytes.count else {
      throw .badData(
        file, position: 0, "header length \(declared) in a file of \(fileSize) bytes",
        expected: "at most \(fileSize - 8)")
    }
    guard declared > 0, bytes[8] == UInt8(ascii: "{") else {
      throw .badData(file, position: 8, "the header does not start with '{'", expected: "'{'")
    }
    do {
      return (try HeaderJSON.parse(UnsafeRawBufferPointer(rebasing: bytes[8..<end])), end)
    } catch {
      throw .badData(
        file, position: 8 + error.position, "the header is not valid: \(error.problem)",
        expected: "a JSON object in UTF-8, each name once")
    }
  }

  private static func metadata(_ value: HeaderJSON, file: String) throws(TensorIOError)
    -> [String: String]
  {
    if value == .null { return [:] }
    guard case .object(let members) = value else {
      throw .badData(file, "__metadata__ is not an object", expected: "an object of strings")
    }
    var result: [String: String] = [:]
    for member in members {
      guard let text = member.value.string else {
        throw .badData(
          file, "__metadata__ entry \"\(member.key)\" is not a string", expected: "a string")
      }
      result[member.key] = text
    }
    return result
  }

  private static func tensor(
    _ member: HeaderJSON.Member, dataStart: Int, fileSize: Int, file: String
  ) throws(TensorIOError) -> TensorInfo {
    let name = member.key
    func fail(_ problem: String, _ expected: String) -> TensorIOError {
      .badData(file, tensor: name, problem, expected: expected)
    }
    guard let typeName = member.value["dtype"]?.string else {
      throw fail("no dtype", "an object with dtype, shape and data_offsets")
    }
    guard let dtype = TensorDType(rawValue: typeName) else {
      throw fail(
        "unknown dtype \"\(typeName)\"",
        "one of " + TensorDType.allCases.map(\.rawValue).joined(separator: " "))
    }
    guard let shape = member.value["shape"]?.lengths else {
      throw fail("the shape is not a list of lengths", "integers from 0 up")
    }
    guard let offsets = member.value["data_offsets"]?.lengths, offsets.count == 2 else {
      throw fail("data_offsets is not a pair", "two integers from 0 up")
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end, end <= fileSize - dataStart else {
      throw fail(
        "data_offsets \(begin) to \(end)", "begin <= end <= \(fileSize - dataStart), the file's end"
      )
    }
    guard let count = elementCount(shape: shape),
      let size = storageBytes(shape: shape, dtype: dtype)
    else {
      throw fail(
        "impossible shape \(shape) of \(dtype.rawValue)", possibleShape)
    }
    guard end - begin == size else {
      throw fail(
        "data_offsets \(begin) to \(end) hold \(end - begin) bytes",
        "\(size) for shape \(shape) of \(dtype.rawValue)")
    }
    return TensorInfo(
      name: name, dtype: dtype, shape: shape,
      byteRange: (dataStart + begin)..<(dataStart + end), count: count)
  }

  /// Every byte behind the header belongs to exactly one tensor.
  private func checkCoverage(dataStart: Int, fileSize: Int, file: String) throws(TensorIOError) {
    var position = dataStart
    var previous: String?
    for tensor in tensors {
      let range = tensor.byteRange
      if range.lowerBound < position, let previous {
        throw .badData(
          file, tensor: tensor.name, position: range.lowerBound,
          "bytes \(range) overlap tensor \"\(previous)\"", expected: "data from byte \(position) on"
        )
      }
      guard range.lowerBound == position else {
        throw .badData(
          file, tensor: tensor.name, position: position,
          "a hole of \(range.lowerBound - position) bytes before the tensor",
          expected: "data from byte \(position) on")
      }
      position = range.upperBound
      previous = tensor.name
    }
    guard position == fileSize else {
      throw .badData(
        file, position: position, "\(fileSize - position) bytes belong to no tensor",
        expected: "a file of \(position) bytes")
    }
  }
}

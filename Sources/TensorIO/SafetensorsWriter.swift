/// Writes a .safetensors file whose tensors are declared first and filled in any order.
///
/// The data are laid out by falling alignment of their types and then as declared, so that every
/// tensor is aligned (the safetensors crate sorts likewise: safetensors/src/tensor.rs, `prepare`);
/// the header is padded with spaces to a multiple of 8 bytes. The same declarations give the same
/// bytes. Without `finish` no file appears.
public final class SafetensorsWriter {
  /// A tensor to be written.
  public struct Declaration: Sendable, Hashable {
    public var name: String
    public var dtype: TensorDType
    public var shape: [Int]

    public init(name: String, dtype: TensorDType, shape: [Int]) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }
  }

  private let output: AtomicOutput
  private let declarations: [Declaration]
  /// Where each declared tensor lies in the file.
  private let ranges: [Range<Int>]
  /// How many bytes of each have been appended.
  private var written: [Int]

  /// - Parameters:
  ///   - path: the file to create or replace.
  ///   - tensors: names must differ, and none may be `__metadata__`.
  ///   - metadata: strings for the header's `__metadata__`, written in this order.
  /// - Throws: `usage` for impossible declarations, `cannotWrite`.
  public init(
    path: String, tensors: [Declaration], metadata: [(key: String, value: String)] = []
  ) throws(TensorIOError) {
    let layout = try SafetensorsLayout(path: path, tensors: tensors, metadata: metadata)
    declarations = tensors
    ranges = layout.ranges
    written = [Int](repeating: 0, count: tensors.count)
    output = try AtomicOutput(path: path, size: layout.fileSize)
    try writeAll(layout.header, to: output, at: 0)
  }

  /// Appends little-endian bytes to one tensor, in row-major order.
  ///
  /// - Parameter tensor: its index among the declarations.
  public func append(_ bytes: UnsafeRawBufferPointer, to tensor: Int) throws(TensorIOError) {
    guard declarations.indices.contains(tensor) else {
      throw .usage(
        output.path, "tensor \(tensor) of \(declarations.count)", expected: "a declared tensor")
    }
    guard bytes.count <= ranges[tensor].count - written[tensor] else {
      throw .usage(
        output.path, tensor: declarations[tensor].name,
        "\(written[tensor] + bytes.count) bytes of data", expected: "\(ranges[tensor].count)")
    }
    try output.write(bytes, at: ranges[tensor].lowerBound + written[tensor])
    written[tensor] += bytes.count
  }

  /// Appends an array's elements to one tensor.
  public func append<Element: BitwiseCopyable>(_ values: [Element], to tensor: Int)
    throws(TensorIOError)
  {
    try values.withUnsafeBytes { bytes in
      Result { () throws(TensorIOError) in try append(bytes, to: tensor) }
    }.get()
  }

  /// Puts the complete file in its place.
  public func finish() throws(TensorIOError) {
    for (index, declaration) in declarations.enumerated()
    where written[index] != ranges[index].count {
      throw .usage(
        output.path, tensor: declaration.name, "\(written[index]) bytes of data",
        expected: "\(ranges[index].count)")
    }
    try output.finish()
  }
}

/// The header and byte ranges of a .safetensors file about to be written.
struct SafetensorsLayout {
  var header: [UInt8]
  var ranges: [Range<Int>]
  var fileSize: Int

  init(
    path: String, tensors: [SafetensorsWriter.Declaration],
    metadata: [(key: String, value: String)]
  ) throws(TensorIOError) {
    var names: Set<String> = ["__metadata__"]
    var sizes: [Int] = []
    for tensor in tensors {
      guard names.insert(tensor.name).inserted else {
        throw .usage(path, tensor: tensor.name, "this name is taken", expected: "unique names")
      }
      guard let size = storageBytes(shape: tensor.shape, dtype: tensor.dtype) else {
        throw .usage(
          path, tensor: tensor.name,
          "impossible shape \(tensor.shape) of \(tensor.dtype.rawValue)",
          expected: possibleShape)
      }
      sizes.append(size)
    }
    let order = tensors.indices.sorted {
      (-tensors[$0].dtype.alignment, $0) < (-tensors[$1].dtype.alignment, $1)
    }
    var offsets = [Range<Int>](repeating: 0..<0, count: tensors.count)
    var position = 0
    for index in order {
      let (end, overflow) = position.addingReportingOverflow(sizes[index])
      guard !overflow, end < Int.max - (1 << 32) else {
        throw .usage(path, "the tensors together take 2^63 bytes or more")
      }
      offsets[index] = position..<end
      position = end
    }
    header = try Self.header(path, tensors, order, offsets, metadata)
    let start = header.count
    ranges = offsets.map { ($0.lowerBound + start)..<($0.upperBound + start) }
    fileSize = start + position
  }

  private static func header(
    _ path: String, _ tensors: [SafetensorsWriter.Declaration], _ order: [Int],
    _ offsets: [Range<Int>], _ metadata: [(key: String, value: String)]
  ) throws(TensorIOError) -> [UInt8] {
    var members: [HeaderJSON.Member] = []
    if !metadata.isEmpty {
      let entries = metadata.map { HeaderJSON.Member(key: $0.key, value: .string($0.value)) }
      guard Set(entries.map(\.key)).count == entries.count else {
        throw .usage(path, "two metadata entries of one name", expected: "unique names")
      }
      members.append(.init(key: "__metadata__", value: .object(entries)))
    }
    for index in order {
      let range = offsets[index]
      members.append(
        .init(
          key: tensors[index].name,
          value: .object([
            .init(key: "dtype", value: .string(tensors[index].dtype.rawValue)),
            .init(key: "shape", value: .array(tensors[index].shape.map { .integer($0) })),
            .init(
              key: "data_offsets",
              value: .array([.integer(range.lowerBound), .integer(range.upperBound)])),
          ])))
    }
    var text = Array(HeaderJSON.object(members).text.utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    guard text.count <= SafetensorsHeader.maximumLength else {
      throw .usage(path, "a header of \(text.count) bytes", expected: "at most 100000000")
    }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }
}

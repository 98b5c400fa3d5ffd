/// An .npy, .npz or .safetensors file (or a checkpoint's `*.safetensors.index.json`), open for
/// reading.
///
/// Files are mapped, so that opening reads only headers and a file may be larger than memory.
/// Safe to use from several threads at once.
public final class TensorFile: Sendable {
  public enum Container: String, Sendable, Hashable {
    case npy, npz, safetensors
  }

  /// The path as given.
  public let path: String
  public let container: Container
  /// In the order of their bytes in the file (entries, for .npz). An .npy holds one, `tensor`.
  public let tensors: [TensorInfo]
  /// Entries of an .npz that are not arrays of numbers, with the reason.
  public let skipped: [SkippedEntry]
  /// The strings under a .safetensors file's `__metadata__`; later shards win.
  public let metadata: [String: String]
  let sources: [TensorSource]

  /// What an .npy file's only tensor is called.
  public static let npyTensorName = "tensor"

  /// Opens a file, told apart by its content first and its extension second.
  ///
  /// - Parameters:
  ///   - path: the file; an index file opens every shard it names.
  ///   - memoryBound: entries of an .npz above this many bytes are unpacked to an unlinked file
  ///     in `TMPDIR` (or /var/tmp) instead of memory.
  /// - Throws: `noSuchInput` or `badData`.
  public static func open(_ path: String, memoryBound: Int = 64 << 20) throws(TensorIOError)
    -> TensorFile
  {
    let (descriptor, size) = try FileDescriptor.openRegular(path)
    let bytes = try MappedBytes(descriptor, size: size, file: path)
    let start = bytes[0..<min(size, 16)]
    let isSafetensors = start.count > 8 && start[8] == UInt8(ascii: "{")
    if start.starts(with: NpyHeader.magic) {
      return try TensorFile(npy: bytes, path: path)
    }
    if start.starts(with: Array("PK".utf8)), !(isSafetensors && path.hasSuffix(".safetensors")) {
      return try TensorFile(npz: path, memoryBound: memoryBound)
    }
    if path.hasSuffix(".json") {
      return try TensorFile(index: bytes, path: path)
    }
    if path.hasSuffix(".npy") { return try TensorFile(npy: bytes, path: path) }
    if path.hasSuffix(".npz") { return try TensorFile(npz: path, memoryBound: memoryBound) }
    if path.hasSuffix(".safetensors") || isSafetensors {
      return try TensorFile(safetensors: bytes, path: path)
    }
    throw .badData(
      path, position: 0, "neither the content nor the name tells the kind of file",
      expected: ".npy, .npz or .safetensors")
  }

  init(
    path: String, container: Container, tensors: [TensorInfo], sources: [TensorSource],
    skipped: [SkippedEntry] = [], metadata: [String: String] = [:]
  ) {
    self.path = path
    self.container = container
    self.tensors = tensors
    self.sources = sources
    self.skipped = skipped
    self.metadata = metadata
  }

  private convenience init(npy bytes: MappedBytes, path: String) throws(TensorIOError) {
    let header: NpyHeader
    do {
      header = try NpyHeader(
        UnsafeRawBufferPointer(bytes.bytes), size: bytes.bytes.count, file: path)
    } catch {
      throw error.error(file: path, tensor: nil)
    }
    self.init(
      path: path, container: .npy,
      tensors: [header.info(named: Self.npyTensorName, source: 0)],
      sources: [.mapped(bytes, file: path)])
  }

  private convenience init(safetensors bytes: MappedBytes, path: String) throws(TensorIOError) {
    let header = try SafetensorsHeader(
      UnsafeRawBufferPointer(bytes.bytes), fileSize: bytes.bytes.count, file: path)
    self.init(
      path: path, container: .safetensors, tensors: header.tensors,
      sources: [.mapped(bytes, file: path)], metadata: header.metadata)
  }

  private convenience init(npz path: String, memoryBound: Int) throws(TensorIOError) {
    let archive = try NpzArchive(path: path, memoryBound: memoryBound)
    var tensors: [TensorInfo] = []
    var sources: [TensorSource] = []
    var skipped: [SkippedEntry] = []
    var names: Set<String> = []
    for entry in try archive.entries() {
      guard entry.name.hasSuffix(".npy") else {
        skipped.append(SkippedEntry(name: entry.name, reason: "not an .npy entry"))
        continue
      }
      let name = String(entry.name.dropLast(4))
      guard names.insert(name).inserted else {
        throw .badData(path, tensor: name, "two entries of this name", expected: "one")
      }
      do {
        let prefix = try archive.prefix(entry, count: NpyHeader.maximumEnd)
        let header = try prefix.withHeader(size: entry.size, file: path, tensor: name)
        tensors.append(header.info(named: name, source: sources.count))
        sources.append(.entry(archive, entry, file: path))
      } catch NpyHeader.Failure.unsupported(let type) {
        skipped.append(SkippedEntry(name: name, reason: type.problem))
      } catch NpyHeader.Failure.malformed(let error) {
        throw error
      } catch let error as TensorIOError {
        throw error
      } catch {
        throw .badData(path, tensor: name, "\(error)")
      }
    }
    self.init(path: path, container: .npz, tensors: tensors, sources: sources, skipped: skipped)
  }

  /// The tensor of this name.
  public func tensor(named name: String) -> TensorInfo? { tensors.first { $0.name == name } }

  /// The file that holds a tensor: `path`, or a shard of it.
  public func filePath(of tensor: TensorInfo) -> String { sources[tensor.source].file }
}

extension [UInt8] {
  fileprivate func withHeader(size: Int, file: String, tensor: String)
    throws(NpyHeader.Failure) -> NpyHeader
  {
    try withUnsafeBytes { bytes in
      Result { () throws(NpyHeader.Failure) in
        try NpyHeader(bytes, size: size, file: file, tensor: tensor)
      }
    }.get()
  }
}

/// Where a tensor's bytes come from.
enum TensorSource: Sendable {
  case mapped(MappedBytes, file: String)
  case entry(NpzArchive, NpzArchive.Entry, file: String)

  var file: String {
    switch self {
    case .mapped(_, let file), .entry(_, _, let file): file
    }
  }

  func bytes() throws(TensorIOError) -> MappedBytes {
    switch self {
    case .mapped(let bytes, _): bytes
    case .entry(let archive, let entry, _): try archive.bytes(entry)
    }
  }
}

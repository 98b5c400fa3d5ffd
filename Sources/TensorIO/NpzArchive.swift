import CZip
import Glibc
import Synchronization

/// A NumPy .npz file: a zip archive of .npy entries, read through libzip.
///
/// An entry is unpacked when its data are first asked for: into memory up to `memoryBound` bytes,
/// else into an unlinked temporary file that is then mapped, so that no entry need be whole in
/// memory. Checksums are verified while unpacking, for stored entries too. A few unpacked entries
/// are kept for the next reader.
final class NpzArchive: Sendable {
  let path: String
  private let memoryBound: Int
  private let state: Mutex<State>

  private struct State {
    nonisolated(unsafe) let archive: OpaquePointer
    var unpacked: [(entry: Int, bytes: MappedBytes)] = []
  }

  /// An entry of the archive's directory.
  struct Entry {
    var index: Int
    var name: String
    var size: Int
  }

  init(path: String, memoryBound: Int) throws(TensorIOError) {
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_RDONLY, &code) else {
      var error = zip_error_t()
      zip_error_init_with_code(&error, code)
      defer { zip_error_fini(&error) }
      throw .badData(
        path, "not a readable zip archive: \(String(cString: zip_error_strerror(&error)))",
        expected: "an .npz file")
    }
    self.path = path
    self.memoryBound = memoryBound
    state = Mutex(State(archive: archive))
  }

  deinit {
    state.withLock { zip_discard($0.archive) }
  }

  /// The archive's entries, in its order.
  func entries() throws(TensorIOError) -> [Entry] {
    let result = state.withLock { state in
      Result { () throws(TensorIOError) in
        var entries: [Entry] = []
        for index in 0..<max(0, Int(zip_get_num_entries(state.archive, 0))) {
          entries.append(try entry(index, archive: state.archive))
        }
        return entries
      }
    }
    return try result.get()
  }

  private func entry(_ index: Int, archive: OpaquePointer) throws(TensorIOError) -> Entry {
    var status = zip_stat_t()
    zip_stat_init(&status)
    guard zip_stat_index(archive, zip_uint64_t(index), 0, &status) == 0, let name = status.name
    else {
      throw .badData(path, "entry \(index) is unreadable: \(message(archive))")
    }
    let text = String(cString: name)
    func fail(_ problem: String, _ expected: String) -> TensorIOError {
      .badData(path, tensor: text, problem, expected: expected)
    }
    guard status.encryption_method == ZIP_EM_NONE else {
      throw fail("the entry is encrypted", "a plain entry")
    }
    guard status.comp_method == ZIP_CM_STORE || status.comp_method == ZIP_CM_DEFLATE else {
      throw fail("compression method \(status.comp_method)", "0 (stored) or 8 (deflate)")
    }
    // Deflate cannot expand more than 1032 times, so a larger claim is a lie.
    let largest = status.comp_size.multipliedReportingOverflow(by: 1032)
    guard !largest.overflow, status.size <= largest.partialValue, status.size < 1 << 62 else {
      throw fail(
        "\(status.comp_size) bytes claim to unpack to \(status.size)", "at most 1032 times as many")
    }
    return Entry(index: index, name: text, size: Int(status.size))
  }

  /// The first bytes of an entry, at most `count`.
  func prefix(_ entry: Entry, count: Int) throws(TensorIOError) -> [UInt8] {
    let result = state.withLock { state in
      Result { () throws(TensorIOError) in
        let source = try open(entry, state.archive)
        defer { zip_fclose(source) }
        var bytes = [UInt8](repeating: 0, count: min(count, entry.size))
        let got = bytes.withUnsafeMutableBytes { readFully(source, into: $0) }
        guard let got else { throw failure(entry, message(ofFile: source)) }
        return Array(bytes.prefix(got))
      }
    }
    return try result.get()
  }

  /// All bytes of an entry, unpacked.
  func bytes(_ entry: Entry) throws(TensorIOError) -> MappedBytes {
    let result = state.withLock { state in
      Result { () throws(TensorIOError) in
        if let known = state.unpacked.first(where: { $0.entry == entry.index }) {
          return known.bytes
        }
        let source = try open(entry, state.archive)
        defer { zip_fclose(source) }
        let bytes =
          entry.size <= memoryBound
          ? try unpackToMemory(entry, source) : try unpackToFile(entry, source)
        keep(bytes, entry: entry.index, in: &state.unpacked)
        return bytes
      }
    }
    return try result.get()
  }

  /// Keeps at most four entries, and at most `memoryBound` bytes of them in memory.
  private func keep(
    _ bytes: MappedBytes, entry: Int, in unpacked: inout [(entry: Int, bytes: MappedBytes)]
  ) {
    unpacked.append((entry, bytes))
    while unpacked.count > 1 {
      let held = unpacked.reduce(0) { $0 + ($1.bytes.isFileBacked ? 0 : $1.bytes.bytes.count) }
      guard unpacked.count > 4 || held > memoryBound else { return }
      unpacked.removeFirst()
    }
  }

  private func unpackToMemory(_ entry: Entry, _ source: OpaquePointer) throws(TensorIOError)
    -> MappedBytes
  {
    let memory = try MappedBytes(anonymous: entry.size, file: path)
    guard let count = readFully(source, into: memory.bytes) else {
      throw failure(entry, message(ofFile: source))
    }
    try finish(entry, source, count: count)
    return memory
  }

  private func unpackToFile(_ entry: Entry, _ source: OpaquePointer) throws(TensorIOError)
    -> MappedBytes
  {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    let template = folder + "/blockscale-XXXXXX"
    var name = Array(template.utf8CString)
    let raw = mkstemp(&name)
    guard raw >= 0 else {
      throw .cannotWrite(template, "cannot create a temporary file: \(errorText(errno))")
    }
    let descriptor = FileDescriptor(raw: raw)
    unlink(name)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    var done = 0
    while done < entry.size {
      let room = min(buffer.count, entry.size - done)
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
      guard let count = readFully(source, into: part) else {
        throw failure(entry, message(ofFile: source))
      }
      guard count > 0 else { break }
      let code = descriptor.write(UnsafeRawBufferPointer(rebasing: part[..<count]), at: done)
      guard code == 0 else {
        throw .cannotWrite(
          template, "cannot unpack \"\(entry.name)\" of \(path): \(errorText(code))",
          expected: "\(entry.size) bytes of free space there (or in TMPDIR)")
      }
      done += count
    }
    try finish(entry, source, count: done)
    return try MappedBytes(descriptor, size: entry.size, file: path)
  }

  /// The entry must end exactly here; reading past the end is what makes libzip check the sum.
  private func finish(_ entry: Entry, _ source: OpaquePointer, count: Int) throws(TensorIOError) {
    guard count == entry.size else {
      throw failure(entry, "the entry ends after \(count) of \(entry.size) bytes")
    }
    var extra: UInt8 = 0
    let rest = zip_fread(source, &extra, 1)
    guard rest == 0 else {
      throw failure(entry, rest < 0 ? message(ofFile: source) : "more than \(count) bytes")
    }
  }

  private func open(_ entry: Entry, _ archive: OpaquePointer) throws(TensorIOError)
    -> OpaquePointer
  {
    guard let source = zip_fopen_index(archive, zip_uint64_t(entry.index), 0) else {
      throw failure(entry, message(archive))
    }
    return source
  }

  /// Fills the buffer as far as the entry goes; nil on an error.
  private func readFully(_ source: OpaquePointer, into buffer: UnsafeMutableRawBufferPointer)
    -> Int?
  {
    var done = 0
    while done < buffer.count {
      let count = zip_fread(
        source, buffer.baseAddress?.advanced(by: done), zip_uint64_t(buffer.count - done))
      if count < 0 { return nil }
      if count == 0 { break }
      done += Int(count)
    }
    return done
  }

  private func failure(_ entry: Entry, _ problem: String) -> TensorIOError {
    .badData(path, tensor: entry.name, problem, expected: "\(entry.size) bytes with a right sum")
  }

  private func message(_ archive: OpaquePointer) -> String {
    String(cString: zip_strerror(archive))
  }

  private func message(ofFile source: OpaquePointer) -> String {
    String(cString: zip_file_strerror(source))
  }
}

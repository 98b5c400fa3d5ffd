import FoundationEssentials
import Glibc
import TensorIO

/// A folder that appears under its name only when it is complete: its files are written to a folder
/// beside, which is then renamed. Released without `finish`, it leaves no trace.
final class OutputFolder {
  private let path: String
  private let temporary: String
  private var isFinished = false

  /// - Parameter path: does not exist, is empty, or holds earlier vectors, which are replaced.
  init(_ path: String) throws(TensorIOError) {
    var trimmed = path
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.path = trimmed
    temporary = "\(trimmed).\(getpid()).partial"
    try Self.checkTarget(trimmed)
    guard mkdir(temporary, 0o777) == 0 else {
      throw Self.failure(temporary, "cannot create the folder")
    }
  }

  deinit {
    if !isFinished { try? FileManager.default.removeItem(atPath: temporary) }
  }

  func file(_ name: String) throws(TensorIOError) -> OutputStream {
    try OutputStream(path: "\(temporary)/\(name)", name: name)
  }

  /// Puts the folder in its place.
  func finish() throws(TensorIOError) {
    let old = "\(path).\(getpid()).old"
    let replaces = access(path, F_OK) == 0
    if replaces, rename(path, old) != 0 {
      throw Self.failure(path, "cannot move the earlier vectors away")
    }
    guard rename(temporary, path) == 0 else {
      let error = Self.failure(path, "cannot rename \(temporary) to it")
      if replaces { rename(old, path) }
      throw error
    }
    isFinished = true
    if replaces { try? FileManager.default.removeItem(atPath: old) }
  }

  private static func checkTarget(_ path: String) throws(TensorIOError) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .cannotWrite(.init(file: path, problem: "is not a folder"))
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard names.isEmpty || isVectors(path) else {
      throw .cannotWrite(
        .init(
          file: path, problem: "holds other files", expected: "a new folder, or earlier vectors"))
    }
  }

  private static func isVectors(_ path: String) -> Bool {
    guard let data = FileManager.default.contents(atPath: "\(path)/manifest.json"),
      let manifest = try? VectorManifest(reading: [UInt8](data))
    else { return false }
    return manifest.tool == "blockscale vectors"
  }

  static func failure(_ path: String, _ problem: String) -> TensorIOError {
    let reason = strerror(errno).map { String(cString: $0) } ?? "errno \(errno)"
    return .cannotWrite(.init(file: path, problem: "\(problem): \(reason)"))
  }
}

/// A file written from its beginning to its end, its checksum and lines counted on the way.
final class OutputStream {
  let name: String
  private let path: String
  private let descriptor: Int32
  private var hash = SHA256()
  private var bytes = 0
  private var lines = 0

  init(path: String, name: String) throws(TensorIOError) {
    self.path = path
    self.name = name
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw OutputFolder.failure(path, "cannot create") }
  }

  deinit { close(descriptor) }

  func write(_ data: [UInt8]) throws(TensorIOError) {
    var done = 0
    while done < data.count {
      let count = data.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), data.count - done)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw OutputFolder.failure(path, "cannot write \(data.count - done) bytes")
      }
      done += count
    }
    hash.update(data)
    bytes += data.count
    for byte in data where byte == 0x0A { lines += 1 }
  }

  func finish() throws(TensorIOError) -> VectorManifest.File {
    guard fsync(descriptor) == 0 else { throw OutputFolder.failure(path, "cannot flush") }
    return VectorManifest.File(
      name: name, bytes: bytes, lines: name.hasSuffix(".bin") ? nil : lines,
      sha256: hash.hexadecimal())
  }
}

import Glibc
import TensorIO

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

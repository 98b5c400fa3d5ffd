import Glibc

/// `No space left on device (errno 28)`.
func errorText(_ code: Int32) -> String {
  guard let text = strerror(code) else { return "errno \(code)" }
  return "\(String(cString: text)) (errno \(code))"
}

/// A file descriptor that is closed when its owner goes.
final class FileDescriptor: Sendable {
  let raw: Int32

  init(raw: Int32) { self.raw = raw }

  deinit { close(raw) }

  /// Opens for reading what must be a regular file.
  static func openRegular(_ path: String) throws(TensorIOError) -> (FileDescriptor, size: Int) {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let raw = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard raw >= 0 else { throw .noSuchInput(path, "cannot open: \(errorText(errno))") }
    let descriptor = FileDescriptor(raw: raw)
    var status = stat()
    guard fstat(raw, &status) == 0 else {
      throw .noSuchInput(path, "cannot read its size: \(errorText(errno))")
    }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      throw .noSuchInput(
        path, kind == S_IFDIR ? "is a directory" : "is not a regular file", expected: "a file")
    }
    return (descriptor, Int(status.st_size))
  }

  /// Writes all bytes at `offset`; the result is 0 or an errno.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32 {
    var done = 0
    while done < bytes.count {
      let count = pwrite(
        raw, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
      if count > 0 {
        done += count
      } else if count == 0 {
        return EIO
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}

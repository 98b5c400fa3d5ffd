import Glibc

/// A file that appears under its name only when it is complete.
///
/// The bytes go to an unnamed file in the target's directory (`O_TMPFILE`), so that a process that
/// is killed leaves nothing; where the file system lacks that, to a uniquely named file beside the
/// target, removed on failure. `finish` flushes the file, gives it its name by renaming, which
/// replaces an earlier file in one step, and flushes the directory. Released without `finish`, it
/// leaves no trace and the earlier file untouched.
package final class AtomicOutput {
  package let path: String
  private let folder: String
  private let descriptor: FileDescriptor
  /// The temporary's name while there is one to remove.
  private var temporary: String?
  private var isFinished = false

  /// - Parameters:
  ///   - size: the file's length where it is known: its space is reserved, so that a full disk
  ///     shows before the work and not after it.
  ///   - isNamed: uses the named temporary in any case.
  package init(path: String, size: Int? = nil, isNamed: Bool = false) throws(TensorIOError) {
    self.path = path
    folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    try Self.checkTarget(path)
    let raw = isNamed ? -1 : open(folder, Self.temporaryFlag | O_RDWR | O_CLOEXEC, 0o666)
    if raw >= 0 {
      descriptor = FileDescriptor(raw: raw)
    } else {
      let code = errno
      guard isNamed || code == EOPNOTSUPP || code == EISDIR || code == EINVAL else {
        throw .cannotWrite(path, "cannot create a file in \(folder): \(errorText(code))")
      }
      let (named, name) = try Self.createNamed(beside: path)
      descriptor = FileDescriptor(raw: named)
      temporary = name
    }
    guard let size, size > 0 else { return }
    let code = reserve(size)
    guard code == 0 else {
      discard()
      throw .cannotWrite(
        path, "cannot reserve \(size) bytes: \(errorText(code))", expected: "that much free space")
    }
  }

  /// Reserves space; the result is 0 or an errno. A request that cannot succeed is refused before
  /// it takes, for a moment, the space that is left.
  private func reserve(_ size: Int) -> Int32 {
    var status = statvfs()
    if fstatvfs(descriptor.raw, &status) == 0 {
      let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
      if !free.overflow, free.partialValue < UInt64(size) { return ENOSPC }
    }
    let code = posix_fallocate(descriptor.raw, 0, off_t(size))
    // Anything else means that this file system cannot reserve; writing will tell.
    return code == ENOSPC || code == EFBIG ? code : 0
  }

  /// Takes over an open descriptor; nothing is named or renamed. For tests of failing writes.
  package init(path: String, descriptor raw: Int32) {
    self.path = path
    folder = "./"
    descriptor = FileDescriptor(raw: raw)
  }

  deinit { discard() }

  /// `O_TMPFILE`, which is not imported: `__O_TMPFILE | O_DIRECTORY`.
  private static let temporaryFlag: Int32 = 0o20_000_000 | O_DIRECTORY

  /// An existing target must be a regular file: replacing a device or a pipe by renaming would
  /// destroy it.
  private static func checkTarget(_ path: String) throws(TensorIOError) {
    guard !path.isEmpty else { throw .cannotWrite(path, "the output has no name") }
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG else {
      throw .cannotWrite(
        path, kind == S_IFDIR ? "is a directory" : "is not a regular file",
        expected: "a file name")
    }
  }

  private static func uniqueName(beside path: String) -> String {
    "\(path).\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 16)).partial"
  }

  private static func createNamed(beside path: String) throws(TensorIOError) -> (Int32, String) {
    for _ in 0..<100 {
      let name = uniqueName(beside: path)
      let raw = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if raw >= 0 { return (raw, name) }
      guard errno == EEXIST else { break }
    }
    throw .cannotWrite(path, "cannot create a temporary file beside it: \(errorText(errno))")
  }

  /// Writes bytes at an offset from the start of the file.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(TensorIOError) {
    let code = descriptor.write(bytes, at: offset)
    guard code == 0 else {
      throw .cannotWrite(path, "cannot write \(bytes.count) bytes: \(errorText(code))")
    }
  }

  /// Completes the file under its name.
  package func finish() throws(TensorIOError) {
    guard fsync(descriptor.raw) == 0 else {
      throw .cannotWrite(path, "cannot flush: \(errorText(errno))")
    }
    let name: String
    if let temporary {
      name = temporary
    } else {
      name = try link()
      temporary = name
    }
    guard rename(name, path) == 0 else {
      throw .cannotWrite(path, "cannot rename \(name) to it: \(errorText(errno))")
    }
    temporary = nil
    isFinished = true
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return }
    fsync(directory)
    close(directory)
  }

  /// Names the unnamed file uniquely; `linkat` cannot replace an existing one.
  private func link() throws(TensorIOError) -> String {
    for _ in 0..<100 {
      let name = Self.uniqueName(beside: path)
      let source = "/proc/self/fd/\(descriptor.raw)"
      if linkat(AT_FDCWD, source, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 { return name }
      guard errno == EEXIST else { break }
    }
    throw .cannotWrite(path, "cannot name the finished file: \(errorText(errno))")
  }

  /// Gives up: no trace is left.
  package func discard() {
    guard !isFinished, let name = temporary else { return }
    unlink(name)
    temporary = nil
  }
}

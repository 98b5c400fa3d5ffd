import FoundationEssentials
import Glibc
import TensorIO

/// A folder that appears under its name only when it is complete: its files are written to a folder
/// beside, which is then renamed. Released without `finish`, it leaves no trace; what a killed
/// process left is removed by the next one that writes to the same name.
final class OutputFolder {
  private let path: String
  private let temporary: String
  /// Of the folder beside, locked while this process writes there.
  private let lock: Int32
  private var isFinished = false

  /// - Parameter path: does not exist, is empty, or holds earlier vectors, which are replaced.
  init(_ path: String) throws(TensorIOError) {
    var trimmed = path
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.path = trimmed
    temporary = "\(trimmed).\(getpid()).partial"
    LeftFolders(of: trimmed).remove()
    try Self.checkTarget(trimmed)
    guard mkdir(temporary, 0o777) == 0 else {
      throw Self.failure(temporary, "cannot create the folder")
    }
    lock = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A file system without locks still has the process's number to go by.
    if lock >= 0 { flock(lock, LOCK_EX | LOCK_NB) }
  }

  deinit {
    if lock >= 0 { close(lock) }
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

  static func isVectors(_ path: String) -> Bool {
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

import FoundationEssentials
import Glibc

/// What killed processes left beside a folder of vectors: `NAME.PID.partial`, half written, and
/// `NAME.PID.old`, earlier vectors on their way out.
struct LeftFolders {
  private let path: String
  private let parent: String
  private let name: String

  /// - Parameter path: of the folder of vectors, without a slash at its end.
  init(of path: String) {
    self.path = path
    let slash = path.lastIndex(of: "/")
    parent = slash.map { String(path[...$0]) } ?? "./"
    name = slash.map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// Removes what is left, and puts earlier vectors back where nothing took their place.
  func remove() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    for found in names {
      guard let ending = ending(of: found), !isInUse(found) else { continue }
      let left = parent + found
      if ending == "old", access(path, F_OK) != 0, OutputFolder.isVectors(left) {
        rename(left, path)
      } else if holdsVectorsOnly(left) {
        try? FileManager.default.removeItem(atPath: left)
      }
    }
  }

  /// `partial` or `old` for `NAME.PID.partial` or `NAME.PID.old` of a process that is no more, or
  /// of an earlier one with this process's number.
  private func ending(of found: String) -> String? {
    guard found.hasPrefix(name + ".") else { return nil }
    let parts = found.dropFirst(name.count + 1).split(separator: ".")
    guard parts.count == 2, parts[1] == "partial" || parts[1] == "old",
      let process = pid_t(parts[0]),
      process > 0
    else { return nil }
    let isAlive = process != getpid() && (kill(process, 0) == 0 || errno != ESRCH)
    return isAlive ? nil : String(parts[1])
  }

  /// Whether a writer holds the folder's lock, such as one in another container, whose number means
  /// nothing here.
  private func isInUse(_ found: String) -> Bool {
    let folder = open(parent + found, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard folder >= 0 else { return true }
    defer { close(folder) }
    return flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Nothing but files that `vectors` writes: anyone's own files stay.
  private func holdsVectorsOnly(_ folder: String) -> Bool {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      return false
    }
    let operations = VectorOperation.allCases.map(\.rawValue)
    return names.allSatisfy { file in
      file == "manifest.json"
        || operations.contains { file.hasPrefix($0 + ".") || file == $0 + "_pkg.sv" }
    }
  }
}

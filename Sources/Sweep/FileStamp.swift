#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What tells that a file was written to or replaced: which file it is, its length and its times of change.
struct FileStamp: Hashable {
  let path: String
  private var numbers: [Int] = []

  /// A file that is gone has a stamp of its own.
  init(_ path: String) {
    self.path = path
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    #if canImport(Darwin)
      let (written, changed) = (status.st_mtimespec, status.st_ctimespec)
    #else
      let (written, changed) = (status.st_mtim, status.st_ctim)
    #endif
    // A program may set the time of writing back, never that of the last change.
    numbers = [
      Int(status.st_dev), Int(status.st_ino), Int(status.st_size), written.tv_sec, written.tv_nsec,
      changed.tv_sec, changed.tv_nsec,
    ]
  }
}

/// Which file a path leads to, whatever it is called by.
struct FileIdentity: Hashable {
  private let device: Int
  private let number: Int

  /// nil where there is none.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (device, number) = (Int(status.st_dev), Int(status.st_ino))
  }
}

/// A path from the root, the same for every way of writing the file's folder: `m.npy`, `./m.npy` and
/// `../here/m.npy` are one. The last part stays as it is, so that a link led elsewhere is a change.
func canonicalPath(_ path: String) -> String {
  let slash = path.lastIndex(of: "/")
  let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
  let folder = slash.map { String(path[...$0]) } ?? "."
  guard !name.isEmpty, let found = realpath(folder, nil) else { return path }
  defer { free(found) }
  let place = String(cString: found)
  return place.hasSuffix("/") ? place + name : "\(place)/\(name)"
}

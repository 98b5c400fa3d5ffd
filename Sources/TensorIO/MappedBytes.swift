import Glibc

/// A span of memory that `mmap` gave: a file's pages, or anonymous memory. Unmapped when released.
///
/// A mapped file that another program shortens meanwhile ends the process with SIGBUS, as for
/// every reader that maps.
final class MappedBytes: Sendable {
  nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer
  /// Whether dropped pages can be read again from a file.
  let isFileBacked: Bool

  /// Maps a whole file, read-only.
  init(_ descriptor: FileDescriptor, size: Int, file: String) throws(TensorIOError) {
    isFileBacked = true
    guard size > 0 else {
      bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
      return
    }
    let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor.raw, 0)
    guard let address, address != MAP_FAILED else {
      throw .noSuchInput(file, "cannot map: \(errorText(errno))")
    }
    madvise(address, size, MADV_SEQUENTIAL)
    bytes = UnsafeMutableRawBufferPointer(start: address, count: size)
  }

  /// Anonymous zeroed memory.
  init(anonymous size: Int, file: String) throws(TensorIOError) {
    isFileBacked = false
    guard size > 0 else {
      bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
      return
    }
    let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw .badData(file, "cannot hold \(size) bytes: \(errorText(errno))")
    }
    bytes = UnsafeMutableRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let address = bytes.baseAddress { munmap(address, bytes.count) }
  }

  subscript(range: Range<Int>) -> UnsafeRawBufferPointer {
    guard !range.isEmpty else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  /// Takes the pages that lie wholly inside `range` out of this process (they stay in the
  /// system's cache and are mapped again when touched). Anonymous memory is left alone.
  func drop(_ range: Range<Int>) {
    guard isFileBacked, let base = bytes.baseAddress else { return }
    let page = sysconf(Int32(_SC_PAGESIZE))
    let start = (range.lowerBound + page - 1) / page * page
    // The last page of the file may be dropped although the file ends inside it.
    let end = range.upperBound == bytes.count ? range.upperBound : range.upperBound / page * page
    guard start < end else { return }
    madvise(base + start, end - start, MADV_DONTNEED)
  }
}

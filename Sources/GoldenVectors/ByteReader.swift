import Glibc
import TensorIO

/// A file's bytes from its beginning to its end, a piece of it in memory at a time.
final class ByteReader {
  let path: String
  private let descriptor: Int32
  private var buffer: [UInt8]
  private var place = 0
  private var filled = 0

  /// - Throws: `noSuchInput` for what cannot be opened.
  init(_ path: String) throws(TensorIOError) {
    self.path = path
    buffer = [UInt8](repeating: 0, count: 1 << 18)
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.unreadable(path) }
  }

  /// Reads what is in memory already.
  init(_ bytes: [UInt8], path: String) {
    self.path = path
    descriptor = -1
    buffer = bytes
    filled = bytes.count
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The next byte; nil at the end.
  @inline(__always)
  func next() throws(TensorIOError) -> UInt8? {
    if place == filled { guard try refill() else { return nil } }
    place += 1
    return buffer[place - 1]
  }

  /// The next byte, which stays; nil at the end.
  @inline(__always)
  func peek() throws(TensorIOError) -> UInt8? {
    if place == filled { guard try refill() else { return nil } }
    return buffer[place]
  }

  /// The bytes that are in memory or, where there are none, the next piece; empty at the end.
  func piece() throws(TensorIOError) -> ArraySlice<UInt8> {
    if place == filled { guard try refill() else { return [] } }
    defer { place = filled }
    return buffer[place..<filled]
  }

  private func refill() throws(TensorIOError) -> Bool {
    guard descriptor >= 0 else { return false }
    var count = 0
    repeat {
      count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    } while count < 0 && errno == EINTR
    guard count >= 0 else { throw Self.unreadable(path) }
    place = 0
    filled = count
    return count > 0
  }

  private static func unreadable(_ path: String) -> TensorIOError {
    let reason = strerror(errno).map { String(cString: $0) } ?? "errno \(errno)"
    return .noSuchInput(.init(file: path, problem: "cannot be read: \(reason)", expected: "a file"))
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why standard output could not take the report.
public struct OutputError: Error, Sendable, Equatable, CustomStringConvertible {
  public var errorNumber: Int32
  /// Whether the reader closed its end: not worth a message.
  public var isClosedPipe: Bool { errorNumber == EPIPE }
  public var description: String {
    "standard output: \(String(cString: strerror(errorNumber)))"
  }
}

/// Unbuffered writing to standard output and standard error.
public enum StandardStreams {
  /// Turns a closed pipe from a signal into an error of the write.
  public static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Writes data for the user's next program.
  public static func writeOutput(_ text: String) throws(OutputError) {
    let failure = writeAll(text, to: STDOUT_FILENO)
    if failure != 0 { throw OutputError(errorNumber: failure) }
  }

  /// Writes a message; where even that fails there is nobody to tell.
  public static func writeMessage(_ text: String) { _ = writeAll(text, to: STDERR_FILENO) }

  /// Whether people watch standard error.
  public static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// The terminal's width where standard output is one.
  public static var outputWidth: Int? {
    var size = winsize()
    guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0,
      size.ws_col > 0
    else { return nil }
    return Int(size.ws_col)
  }

  private static func writeAll(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var done = 0
      while done < bytes.count {
        let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if count < 0 && errno == EINTR { continue }
        if count < 0 { return errno }
        done += count
      }
      return 0
    }
  }
}

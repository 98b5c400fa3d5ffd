import TensorIO

/// Files of text, such as pictures: there whole or not at all.
enum TextOutput {
  static func write(_ text: String, to path: String) throws(TensorIOError) {
    let output = try AtomicOutput(path: path)
    let bytes = [UInt8](text.utf8)
    let result = bytes.withUnsafeBytes { buffer -> TensorIOError? in
      do throws(TensorIOError) {
        try output.write(buffer, at: 0)
        return nil
      } catch {
        return error
      }
    }
    if let result { throw result }
    try output.finish()
  }
}

import FastPath
import NumberFormats
import Synchronization
import TensorIO

/// D as a .npy file, put together from tiles that come in any order.
final class MatmulWriter: Sendable {
  private let type: MatmulOutputType
  private let columns: Int
  private let rows: Int
  private let bytes: Mutex<[UInt8]>
  private let path: String
  private let shape: [Int]

  init(path: String, shape: [Int], type: MatmulOutputType) {
    self.type = type
    self.path = path
    self.shape = shape
    columns = shape[shape.count - 1]
    rows = shape.dropLast().reduce(1, *)
    bytes = Mutex([UInt8](repeating: 0, count: rows * columns * type.bytes))
  }

  func write(_ patterns: [Int64], rows: Range<Int>, columns: Range<Int>, firstRow: Int) {
    let width = type.bytes
    bytes.withLock { bytes in
      for (offset, row) in rows.enumerated() {
        for (position, column) in columns.enumerated() {
          let pattern = patterns[offset * columns.count + position]
          let start = ((firstRow + row) * self.columns + column) * width
          for byte in 0..<width {
            bytes[start + byte] = UInt8(truncatingIfNeeded: pattern >> Int64(8 * byte))
          }
        }
      }
    }
  }

  func finish() throws(TensorIOError) {
    let writer = try NpyWriter(path: path, dtype: type.dtype, shape: shape)
    let all = bytes.withLock { $0 }
    try all.withUnsafeBytes { buffer in
      Result { () throws(TensorIOError) in try writer.append(buffer) }
    }.get()
    try writer.finish()
  }
}

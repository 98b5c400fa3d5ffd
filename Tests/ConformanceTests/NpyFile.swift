import FoundationEssentials

/// A C-ordered .npy file of float32 or unsigned integers, read whole: what the golden files hold.
struct NpyFile {
  struct Unreadable: Error { var path: String }

  var shape: [Int]
  private var kind: Substring
  private var payload: ArraySlice<UInt8>
  private let path: String

  init(_ url: URL) throws {
    path = url.path
    let bytes = [UInt8](try Data(contentsOf: url))
    guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)), bytes.count > 12 else {
      throw Unreadable(path: path)
    }
    let wide = bytes[6] > 1
    let length =
      Int(bytes[8]) | Int(bytes[9]) << 8
      | (wide ? Int(bytes[10]) << 16 | Int(bytes[11]) << 24 : 0)
    let start = wide ? 12 : 10
    let header = String(decoding: bytes[start..<(start + length)], as: UTF8.self)
    payload = bytes[(start + length)...]
    /// What stands between `open` and the next `close` after a key.
    func field(_ name: String, _ open: Character, _ close: Character) throws -> Substring {
      let key = "'\(name)':"
      let position = header.indices.first { header[$0...].hasPrefix(key) }
      guard let position,
        let from = header[header.index(position, offsetBy: key.count)...].firstIndex(of: open),
        let to = header[header.index(after: from)...].firstIndex(of: close)
      else { throw Unreadable(path: url.path) }
      return header[header.index(after: from)..<to]
    }
    kind = try field("descr", "'", "'")
    shape = try field("shape", "(", ")").split(separator: ",").compactMap {
      Int($0.filter(\.isNumber))
    }
    let fortran = try field("fortran_order", " ", ",")
    guard fortran == "False" || shape.filter({ $0 != 1 }).count < 2 else {
      throw Unreadable(path: path)
    }
  }

  func floats() throws -> [Float] {
    guard kind == "<f4" else { throw Unreadable(path: path) }
    let bytes = Array(payload)
    return stride(from: 0, to: bytes.count, by: 4).map { index in
      let bits = bytes[index..<(index + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return Float(bitPattern: bits)
    }
  }

  func bytes() throws -> [UInt8] {
    guard kind == "|u1" else { throw Unreadable(path: path) }
    return Array(payload)
  }

  /// Little-endian codes of one or two bytes, as a matmul's operand takes them.
  func codes() throws -> [UInt8] {
    guard kind == "|u1" || kind == "<u2" else { throw Unreadable(path: path) }
    return Array(payload)
  }

  func patterns() throws -> [UInt32] {
    guard kind == "<u4" else { throw Unreadable(path: path) }
    let bytes = Array(payload)
    return stride(from: 0, to: bytes.count, by: 4).map { index in
      bytes[index..<(index + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
  }
}

/// The repository's golden folder.
let goldenFolder = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "golden")

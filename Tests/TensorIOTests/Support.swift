import FoundationEssentials
import TensorIO

/// A directory that is removed when the test ends.
final class Scratch {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.path
      + "/tensorio-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func file(_ name: String, holding bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: file(name)))
    return file(name)
  }

  /// Names of everything in the directory, hidden or not.
  func contents() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// The files under golden/tensorio and what their manifest says of them.
struct GoldenFiles: Decodable {
  struct Case: Decodable {
    var file: String
    var tensor: String
    var dtype: String
    var shape: [Int]
    var float32: [UInt32]
    var rounded: Int
  }
  struct Refused: Decodable {
    var file: String
    var mentions: String
  }
  var refused: [Refused]
  var cases: [Case]

  static let folder: String = {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(root)/golden/tensorio/"
  }()

  static func load() throws -> GoldenFiles {
    let data = try Data(contentsOf: URL(filePath: folder + "manifest.json"))
    return try JSONDecoder().decode(GoldenFiles.self, from: data)
  }
}

/// A .safetensors file around a header text.
func safetensors(_ header: String, data: Int = 0) -> [UInt8] {
  let text = Array(header.utf8)
  return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    + [UInt8](repeating: 0, count: data)
}

/// An .npy file around a header text, unpadded.
func npy(_ header: String, version: UInt8 = 1, data: Int = 0) -> [UInt8] {
  let text = Array(header.utf8)
  let length = (0..<(version == 1 ? 2 : 4)).map { UInt8(text.count >> (8 * $0) & 0xFF) }
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text
    + [UInt8](repeating: 0, count: data)
}

func bytes(ofFile path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: path)))
}

/// Runs `body` and gives the error it throws; nil where it throws none.
func failure(_ body: () throws -> Void) -> TensorIOError? {
  do {
    try body()
    return nil
  } catch {
    return error as? TensorIOError
  }
}

/// A small deterministic generator (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}

import FoundationEssentials
import TensorIO

/// A folder of golden vectors, its manifest read and every file's checksum proved. The words stay in
/// their files.
public struct VectorFolder: Sendable {
  public let path: String
  public let manifest: VectorManifest

  /// - Throws: `TensorIOError`: no such input (66), or bad data (65) for a manifest that cannot be
  ///   read, or that does not belong to its files.
  public init(_ path: String) throws(TensorIOError) {
    self.path = path
    let file = "\(path)/manifest.json"
    let bytes = try Self.bytes(file)
    let manifest: VectorManifest
    do {
      manifest = try VectorManifest(reading: bytes)
    } catch {
      throw Self.bad(file, "is no manifest of golden vectors")
    }
    guard manifest.schemaVersion == VectorManifest.currentSchema else {
      throw Self.bad(
        file, "schema version \(manifest.schemaVersion)",
        expected: "\(VectorManifest.currentSchema)")
    }
    try Self.checkLayouts(manifest, file)
    self.manifest = manifest
    for entry in manifest.files { try Self.prove(entry, folder: path) }
    let name = manifest.operation.rawValue
    let names = Set(manifest.files.map(\.name))
    guard names.isSuperset(of: ["\(name).inputs.memh", "\(name).expected.memh"]) else {
      throw Self.bad(file, "names no \(name).inputs.memh and \(name).expected.memh")
    }
  }

  /// The golden words of both sides, from their beginning.
  func words() throws(TensorIOError) -> (inputs: WordReader, expected: WordReader) {
    let stem = "\(path)/\(manifest.operation.rawValue)"
    return (
      inputs: WordReader(
        memory: try ByteReader("\(stem).inputs.memh"), layout: manifest.inputs),
      expected: WordReader(
        memory: try ByteReader("\(stem).expected.memh"), layout: manifest.expected)
    )
  }

  private static func checkLayouts(
    _ manifest: VectorManifest, _ file: String
  ) throws(TensorIOError) {
    let sides = [
      (manifest.inputs, manifest.inputsWidth), (manifest.expected, manifest.expectedWidth),
    ]
    for (layout, width) in sides {
      var next = 0
      for field in layout.fields {
        guard field.lanes >= 1, (1...64).contains(field.laneWidth), field.lsb == next,
          field.lanes <= 1 << 20, field.msb == next + field.lanes * field.laneWidth - 1,
          field.shape.map({ $0.count == 2 && $0[0] * $0[1] == field.lanes }) ?? true
        else {
          throw bad(file, "field \"\(field.name)\": its bits do not follow the fields before")
        }
        next = field.msb + 1
      }
      guard width == next, next > 0 else {
        throw bad(file, "a word of \(width) bits", expected: "\(next), as its fields have it")
      }
    }
    var total = 0
    for range in manifest.classes {
      guard range.first == total, range.count > 0 else {
        throw bad(file, "class \"\(range.name)\": its cases do not follow those before")
      }
      total += range.count
    }
    guard manifest.count == total, total > 0 else {
      throw bad(file, "\(manifest.count) cases", expected: "\(total), as its classes have it")
    }
  }

  private static func prove(
    _ entry: VectorManifest.File, folder: String
  ) throws(TensorIOError) {
    let file = "\(folder)/\(entry.name)"
    guard !entry.name.contains("/") else { throw bad(file, "is no name of a file in the folder") }
    let reader = try ByteReader(file)
    var hash = SHA256()
    var count = 0
    while true {
      let piece = try reader.piece()
      if piece.isEmpty { break }
      hash.update(Array(piece))
      count += piece.count
    }
    guard count == entry.bytes else {
      throw bad(file, "\(count) bytes", expected: "\(entry.bytes), as the manifest has it")
    }
    guard hash.hexadecimal() == entry.sha256 else {
      throw bad(file, "its SHA-256 is not the manifest's", expected: entry.sha256)
    }
  }

  private static func bytes(_ path: String) throws(TensorIOError) -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe))
    } catch {
      throw .noSuchInput(.init(file: path, problem: "cannot be read", expected: "a file"))
    }
  }

  static func bad(_ file: String, _ problem: String, expected: String? = nil) -> TensorIOError {
    .badData(.init(file: file, problem: problem, expected: expected))
  }
}

import FoundationEssentials
import TensorIO

/// A folder of golden vectors, its manifest read and every file's checksum proved.
public struct VectorFolder: Sendable {
  public let path: String
  public let manifest: VectorManifest
  let inputs: [UInt8]
  let expected: [UInt8]

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
    var held: [String: [UInt8]] = [:]
    for entry in manifest.files {
      let data = try Self.proved(entry, folder: path)
      if entry.name.hasSuffix(".memh") { held[entry.name] = data }
    }
    let name = manifest.operation.rawValue
    guard let inputs = held["\(name).inputs.memh"], let expected = held["\(name).expected.memh"]
    else { throw Self.bad(file, "names no \(name).inputs.memh and \(name).expected.memh") }
    self.inputs = inputs
    self.expected = expected
  }

  /// The golden words of both sides.
  func words() throws(TensorIOError) -> (inputs: WordFile, expected: WordFile) {
    let name = manifest.operation.rawValue
    let sides = (
      try WordFile(
        memory: inputs, path: "\(path)/\(name).inputs.memh", layout: manifest.inputs),
      try WordFile(
        memory: expected, path: "\(path)/\(name).expected.memh", layout: manifest.expected)
    )
    for side in [sides.0, sides.1] where side.count != manifest.count {
      throw Self.bad(
        side.path, "\(side.count) words", expected: "\(manifest.count), as the manifest has it")
    }
    return (inputs: sides.0, expected: sides.1)
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
          field.lanes <= 1 << 20, field.msb == next + field.lanes * field.laneWidth - 1
        else {
          throw bad(file, "field \"\(field.name)\": its bits do not follow the fields before")
        }
        next = field.msb + 1
      }
      guard width == next, next > 0 else {
        throw bad(file, "a word of \(width) bits", expected: "\(next), as its fields have it")
      }
    }
    let total = manifest.classes.reduce(0) { $0 + $1.count }
    guard manifest.count == total, total > 0 else {
      throw bad(file, "\(manifest.count) cases", expected: "\(total), as its classes have it")
    }
  }

  private static func proved(
    _ entry: VectorManifest.File, folder: String
  ) throws(TensorIOError) -> [UInt8] {
    let file = "\(folder)/\(entry.name)"
    guard !entry.name.contains("/") else { throw bad(file, "is no name of a file in the folder") }
    let data = try bytes(file)
    guard data.count == entry.bytes else {
      throw bad(
        file, "\(data.count) bytes", expected: "\(entry.bytes), as the manifest has it")
    }
    var hash = SHA256()
    hash.update(data)
    guard hash.hexadecimal() == entry.sha256 else {
      throw bad(file, "its SHA-256 is not the manifest's", expected: entry.sha256)
    }
    return data
  }

  static func bytes(_ path: String) throws(TensorIOError) -> [UInt8] {
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

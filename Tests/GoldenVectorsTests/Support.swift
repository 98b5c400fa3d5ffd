import FormatCatalog
import FoundationEssentials
import GoldenVectors
import NumberFormats
import Testing

/// A folder name that does not exist yet; what stands there is removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "blockscale-vectors-\(UUID().uuidString)").path(percentEncoded: false)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}

func vectorSpec(
  _ operation: VectorOperation, _ format: String, block: Int, accumulator: String = "exact",
  tile: TileShape? = nil
) throws -> VectorSpec {
  let catalog = try FormatCatalog.standard()
  return try VectorSpec(
    operation: operation,
    quantization: QuantizationSpec(
      format: #require(catalog.block(format)), recipe: #require(catalog.recipe("exact"))),
    accumulator: #require(catalog.accumulator(accumulator)), block: .line(block),
    tile: tile)
}

/// A folder's bytes, file by file.
func contents(of folder: String) throws -> [String: Data] {
  var files: [String: Data] = [:]
  for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
    let data: Data = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
    files[name] = data
  }
  return files
}

/// The words of a memory file, comments left out, as their lanes.
func words(_ folder: String, _ name: String, _ layout: WordLayout) throws -> [[UInt64]] {
  let data = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
  return String(decoding: data, as: UTF8.self).split(separator: "\n")
    .filter { !$0.hasPrefix("//") }
    .map { line in
      let digits = Array(line.utf8.reversed())
      var bytes = [UInt8](repeating: 0, count: layout.bytes)
      for (place, digit) in digits.enumerated() {
        let value = digit < 58 ? digit - 48 : digit - 87
        bytes[place / 2] |= value << UInt8(place % 2 * 4)
      }
      return layout.unpack(bytes)
    }
}

extension VectorManifest {
  func range(_ kind: CaseClass) -> Range<Int>? {
    classes.first { $0.name == kind.rawValue }.map { $0.first..<($0.first + $0.count) }
  }
}

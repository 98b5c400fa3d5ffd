import FormatCatalog
import FoundationEssentials
import NumberFormats
import Reference
import Testing

/// Outputs recorded on real GPUs (Khattak and Mikaitis, MATLAB-tensor-core, BSD 2-Clause). They are
/// read where they are: BLOCKSCALE_HARDWARE names the folder, else it is sought beside the package.
struct HardwareRecording: CustomTestStringConvertible, Sendable {
  var name: String
  var element: String
  var accumulator: String

  var testDescription: String { name }

  static let all = [
    HardwareRecording(name: "h100-e4m3", element: "e4m3", accumulator: "hopper-fp8"),
    HardwareRecording(name: "ada-e5m2", element: "e5m2", accumulator: "ada-fp8"),
    HardwareRecording(name: "b200-fp16", element: "fp16", accumulator: "blackwell-fp16"),
    HardwareRecording(name: "a100-bf16", element: "bf16", accumulator: "ampere-bf16"),
    HardwareRecording(name: "v100-fp16", element: "fp16", accumulator: "volta-fp16"),
  ]

  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["BLOCKSCALE_HARDWARE"] {
      return URL(filePath: path)
    }
    return goldenFolder.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "shared/hardware")
  }()

  static var arePresent: Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: "manifest.json").path)
  }

  func file(_ key: String) throws -> NpyFile {
    try NpyFile(Self.folder.appending(path: "\(name).\(key).npy"))
  }
}

@Suite("Recordings of real GPUs, bit for bit")
struct MatmulHardwareTests {
  // The recordings are not part of this repository; without them the test is reported as skipped.
  @Test(
    "every row that a V100, A100, Ada, H100 and B200 gave",
    .enabled(if: HardwareRecording.arePresent, "the folder of recordings is not here"),
    arguments: HardwareRecording.all)
  func matches(recording: HardwareRecording) throws {
    let catalog = try FormatCatalog.standard()
    let element = try #require(catalog.element(recording.element))
    let accumulator = try #require(catalog.accumulator(recording.accumulator))
    let (a, b) = (try recording.file("A"), try recording.file("B"))
    let (aCodes, bCodes) = (try a.codes(), try b.codes())
    let c = try recording.file("C").floats()
    let expected = try recording.file("D").patterns()
    let (rows, depth) = (a.shape[0], a.shape[1])
    let width = depth * element.codeBytes
    #expect(rows == 2500 && expected.count == rows)

    let engine = MPFREngine()
    let observed = try (0..<rows).flatMap { row in
      let range = (row * width)..<((row + 1) * width)
      return try engine.multiply(
        MatmulProblem(
          a: MatmulOperand(
            element: element, lines: 1, depth: depth, codes: Array(aCodes[range])),
          b: MatmulOperand(
            element: element, lines: 1, depth: depth, codes: Array(bCodes[range])),
          c: [Int64(c[row].bitPattern)], accumulator: accumulator))
    }
    expectSamePatterns(observed, expected, recording.name)
  }
}

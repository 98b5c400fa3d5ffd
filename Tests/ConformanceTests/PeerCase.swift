import FormatCatalog
import FoundationEssentials
import NumberFormats
import Testing

/// One entry of golden/peers/quantisers/manifest.json.
struct PeerCase: Decodable, CustomTestStringConvertible, Sendable {
  var name: String
  var stack: String
  var element: String?
  var format: String?
  var block: Int?
  var rounding: String?
  var scaleMode: String?
  var input: String?
  var rows: [Int]?
  var perTensorScale: String?
  var packing: String?
  var files: [String: String]

  private enum CodingKeys: String, CodingKey {
    case name, stack, element, format, block, rounding, input, rows, packing, files
    case scaleMode = "scale_mode"
    case perTensorScale = "per_tensor_scale"
  }

  var testDescription: String { name }

  static let folder = goldenFolder.appending(path: "peers/quantisers")

  private struct Manifest: Decodable { var cases: [PeerCase] }

  static let all: [PeerCase] = {
    do {
      let data = try Data(contentsOf: folder.appending(path: "manifest.json"))
      return try JSONDecoder().decode(Manifest.self, from: data).cases
    } catch {
      return []
    }
  }()

  func file(_ key: String) throws -> NpyFile {
    try NpyFile(Self.folder.appending(path: try #require(files[key])))
  }

  /// Whether the input is the file rounded to bfloat16.
  var isBF16: Bool { input?.hasPrefix("input_bf16") ?? false }

  /// The case's rows of its input file, and its shape.
  func values() throws -> (values: [Float], shape: [Int]) {
    let file = try NpyFile(
      Self.folder.appending(path: isBF16 ? "input_bf16.npy" : "input.npy"))
    let columns = try #require(file.shape.last)
    let all = try file.floats()
    let chosen = rows ?? Array(0..<file.shape[0])
    let values = chosen.flatMap { all[($0 * columns)..<(($0 + 1) * columns)] }
    return (values, [chosen.count, columns])
  }
}

/// A case in this project's terms.
struct PeerSpec {
  var format: String
  var recipe: String
  var block: Int
  var rounding: Rounding?

  init(_ peer: PeerCase) throws {
    rounding = nil
    switch peer.stack.split(separator: " ").first {
    case "microxcaling":
      let names = [
        "fp4_e2m1": "mxfp4", "fp6_e2m3": "mxfp6_e2m3", "fp6_e3m2": "mxfp6_e3m2",
        "fp8_e4m3": "mxfp8_e4m3", "fp8_e5m2": "mxfp8_e5m2", "int8": "mxint8", "int4": "mxint4",
        "int2": "mxint2",
      ]
      let modes: [String: Rounding] = [
        "nearest": .tiesToAway, "even": .tiesToEven, "floor": .towardZero,
      ]
      format = try #require(names[peer.element ?? ""])
      recipe = "microxcaling-py"
      block = try #require(peer.block)
      let mode: Rounding = try #require(modes[peer.rounding ?? ""])
      rounding = mode
    case "torchao":
      format = try #require(peer.format)
      recipe =
        peer.scaleMode.map { "torchao-\($0)" }
        ?? (peer.perTensorScale == nil ? "torchao-nvfp4-one-level" : "torchao-nvfp4")
      block = try #require(peer.block)
    case "gguf":
      let rows = [
        "MXFP4": ("mxfp4", "ggml-mxfp4"), "Q8_0": ("int8_fp16", "ggml-q8_0"),
        "Q4_0": ("int4_full_fp16", "ggml-q4_0"),
      ]
      (format, recipe) = try #require(rows[peer.format ?? ""])
      block = 32
    case "modelopt":
      format = try #require(peer.format)
      recipe = "modelopt-\(format)"
      block = try #require(peer.block)
    case "compressed-tensors":
      format = try #require(peer.format)
      recipe = "ct-\(format)"
      block = try #require(peer.block)
    default:
      throw Unmapped(stack: peer.stack)
    }
  }

  struct Unmapped: Error { var stack: String }

  func quantization(_ peer: PeerCase, _ catalog: FormatCatalog) throws -> QuantizationSpec {
    var spec = QuantizationSpec(
      format: try #require(catalog.block(format)), recipe: try #require(catalog.recipe(recipe)),
      rounding: rounding)
    spec.computeType = peer.isBF16 ? .bf16 : .fp32
    if let text = peer.perTensorScale {
      spec.tensorScale = .given(try #require(Float(text)))
    }
    return spec
  }
}

import FoundationEssentials
import Measurement
import NumberFormats
import TensorIO
import Testing

/// A folder of its own for a test, removed afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "blockscale-measurement-\(UUID().uuidString)").path(percentEncoded: false)
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path) }
  try body(path)
}

/// Reproducible numbers between −4 and 4, some of them zero.
func sample(_ count: Int, seed: UInt32 = 1) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    let value = Float(Int(state >> 8) - 1 << 23) / Float(1 << 21)
    return state >> 28 == 0 ? 0 : value
  }
}

/// Writes an .npy file and selects its tensor.
func input(_ values: [Float], _ shape: [Int], in folder: String) throws -> InputTensor {
  let path = "\(folder)/in.npy"
  let writer = try NpyWriter(path: path, dtype: .f32, shape: shape)
  try values.withUnsafeBufferPointer { try writer.append($0) }
  try writer.finish()
  return try #require(try InputSelection([path]).tensors.first)
}

/// A block format made here, so that tests depend on no table.
func format(
  scale: ScaleFormat = e8m0, tensorScale: Bool = false, block: BlockShape = .line(16)
) -> BlockFormat {
  let e2m1 = ElementFormat(
    name: "e2m1",
    kind: .float(
      FloatLayout(signBits: 1, exponentBits: 2, mantissaBits: 1, bias: 1, nonFinite: .none)))
  return BlockFormat(
    name: "test", element: e2m1, scale: scale, block: block, hasTensorScale: tensorScale)
}

let e8m0 = ScaleFormat(
  name: "e8m0",
  layout: FloatLayout(
    signBits: 0, exponentBits: 8, mantissaBits: 0, bias: 127, zeroExponentIsSubnormal: false,
    nonFinite: .allOnesNaN), storedBits: 8, canonicalNaN: 0xFF)
let fp32 = ScaleFormat(
  name: "fp32",
  layout: FloatLayout(
    signBits: 1, exponentBits: 8, mantissaBits: 23, bias: 127, nonFinite: .ieee), storedBits: 32,
  canonicalNaN: 0x7FC0_0000)
let ue4m3 = ScaleFormat(
  name: "ue4m3",
  layout: FloatLayout(
    signBits: 0, exponentBits: 4, mantissaBits: 3, bias: 7, nonFinite: .allOnesNaN),
  storedBits: 8, canonicalNaN: 0x7F)

let exact = Recipe(name: "exact", steps: .exact(.floor))

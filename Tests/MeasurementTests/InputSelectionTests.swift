import Measurement
import TensorIO
import Testing

private func checkpoint(in folder: String, name: String = "m.safetensors") throws -> String {
  let path = "\(folder)/\(name)"
  let tensors: [(String, [Int])] = [("enc.0.w", [2, 4]), ("enc.1.w", [2, 4]), ("enc.0.b", [4])]
  let writer = try SafetensorsWriter(
    path: path,
    tensors: tensors.map {
      SafetensorsWriter.Declaration(name: $0.0, dtype: .f32, shape: $0.1)
    })
  for (index, tensor) in tensors.enumerated() {
    try writer.append([Float](repeating: 1, count: tensor.1.reduce(1, *)), to: index)
  }
  try writer.finish()
  return path
}

@Suite("Inputs by name")
struct InputSelectionTests {
  @Test(
    "Patterns choose tensors, whatever their rank",
    arguments: [
      ("", ["enc.0.w", "enc.1.w"]), (":*", ["enc.0.b", "enc.0.w", "enc.1.w"]),
      (":enc.?.w", ["enc.0.w", "enc.1.w"]), (":enc.0.b", ["enc.0.b"]),
      (":*0*", ["enc.0.b", "enc.0.w"]), (":**w", ["enc.0.w", "enc.1.w"]),
    ] as [(String, [String])])
  func patterns(pattern: String, names: [String]) throws {
    try withFolder { folder in
      let path = try checkpoint(in: folder)
      let selection = try InputSelection([path + pattern])
      #expect(selection.tensors.map(\.name).sorted() == names)
      #expect(selection.skipped.map(\.name) == (pattern.isEmpty ? ["enc.0.b"] : []))
    }
  }

  @Test("A path with a colon is a file where it exists")
  func colons() throws {
    try withFolder { folder in
      let path = try checkpoint(in: folder, name: "a:b.safetensors")
      #expect(try InputSelection([path]).tensors.count == 2)
      #expect(try InputSelection([path + ":*.b"]).tensors.map(\.name) == ["enc.0.b"])
    }
  }

  @Test("A pattern that matches nothing, a missing file and an empty choice are errors")
  func nothing() throws {
    try withFolder { folder in
      let path = try checkpoint(in: folder)
      for argument in [path + ":x*", folder + "/absent.npy", folder + "/absent.npy:x"] {
        let error = #expect(throws: TensorIOError.self) { try InputSelection([argument]) }
        #expect(error?.exitCode == 66, "\(argument)")
      }
    }
  }
}

import FoundationEssentials
import NumberFormats
import TensorIO
import Testing

@Suite struct QuantizedRecognitionTests {
  private struct Stacks: Decodable {
    struct Item: Decodable {
      var name: String
      var keys: String
      var format: String
      var block: String
      var shape: [Int]
      var codes: [UInt8]
      var scales: [UInt32]
      var storage: String
      var decode: Float?
      var encode: Float?
      var layout: String
    }
    var expected: [Item]
    var others: [String]
  }

  @Test("Checkpoints laid out as other stacks do are recognised and read")
  func stackLayouts() throws {
    let data = try Data(contentsOf: URL(filePath: GoldenFiles.folder + "stacks.json"))
    let stacks = try JSONDecoder().decode(Stacks.self, from: data)
    let file = try QuantizedFile(TensorFile.open(GoldenFiles.folder + "stacks.safetensors"))
    #expect(file.unreadable.isEmpty, "\(file.unreadable)")
    #expect(file.others.map(\.name).sorted() == stacks.others)
    #expect(file.records.count == stacks.expected.count)
    for item in stacks.expected {
      let index = try #require(file.index(named: item.name), "\(item.name)")
      let record = file.records[index]
      #expect(record.keys.rawValue == item.keys, "\(item.name)")
      #expect(record.format == item.format, "\(item.name)")
      #expect(record.block == BlockShape(item.block), "\(item.name)")
      #expect(record.shape == item.shape, "\(item.name)")
      #expect(record.scaleStorage.rawValue == item.storage, "\(item.name)")
      #expect(record.scaleLayout.rawValue == item.layout, "\(item.name)")
      #expect(record.tensorScale?.decode == item.decode, "\(item.name)")
      #expect(record.tensorScale?.encode == item.encode, "\(item.name)")
      #expect(try file.codes(index) == item.codes, "\(item.name)")
      #expect(try file.scales(index) == item.scales, "\(item.name)")
    }
  }

  /// Writes U8, F32, ... tensors of zeros (or of one value) and scans the file.
  private func scan(
    _ tensors: [(String, TensorDType, [Int])], metadata: [(key: String, value: String)] = [],
    fill: UInt8 = 0
  ) throws -> QuantizedFile {
    let scratch = try Scratch()
    let path = scratch.file("a.safetensors")
    let writer = try SafetensorsWriter(
      path: path, tensors: tensors.map { .init(name: $0.0, dtype: $0.1, shape: $0.2) },
      metadata: metadata)
    for (index, tensor) in tensors.enumerated() {
      let count = tensor.2.reduce(1, *) * tensor.1.bits / 8
      try writer.append([UInt8](repeating: fill, count: count), to: index)
    }
    try writer.finish()
    return try QuantizedFile(TensorFile.open(path))
  }

  @Test("What looks quantised and cannot be read is named, with what was expected")
  func unreadableTensors() throws {
    let cases: [([(String, TensorDType, [Int])], String)] = [
      ([("w_packed", .u8, [2, 8])], "without scales"),
      ([("w_packed", .u8, [2, 8]), ("w_scale", .f8e4m3, [2, 1])], "without a tensor scale"),
      ([("w", .u8, [2, 8]), ("w_scale", .f8e4m3, [2, 1])], "w_scale_2 (decode side)"),
      (
        [
          ("w_packed", .u8, [2, 8]), ("w_scale", .f8e4m3, [2, 1]), ("w_global_scale", .f32, [1]),
        ], "tensor scale 0.0 (expected a finite number above 0)"
      ),
      (
        [
          ("w_packed", .u8, [2, 8]), ("w_scale", .f8e4m3, [2, 1]), ("w_global_scale", .f32, [2]),
        ], "2 tensor scales"
      ),
      ([("w_packed", .u8, [2, 8]), ("w_scale", .u8, [2, 3])], "divided by the group size"),
      ([("w_packed", .u8, [2, 8]), ("w_scale", .u8, [3, 1])], "divided by the group size"),
      ([("w", .u8, [2, 8]), ("w_scale", .u8, [2, 1])], "groups of 16 (expected 32"),
      ([("w", .f8e5m2, [2, 8]), ("w_scale", .f32, [1])], "no known format"),
      ([("w", .i8, [2, 8]), ("w_scale", .u8, [2, 1])], "no known format"),
      ([("w_packed", .i32, [2, 8]), ("w_scale", .f32, [2, 1])], "without their shape"),
      (
        [("w_packed", .i32, [2, 8]), ("w_scale", .f32, [2, 1]), ("w_shape", .i64, [2])],
        "for shape [0, 0]"
      ),
      (
        [("w", .i8, [2, 8]), ("w_scale", .f32, [2, 1]), ("w_zero_point", .i8, [2, 1])],
        "asymmetric"
      ),
      (
        [("w", .f8e4m3, [2, 8]), ("w_scale", .f32, [1]), ("w_scale_2", .f32, [1])],
        "one scale"
      ),
    ]
    for (tensors, mentions) in cases {
      let file = try scan(tensors)
      #expect(file.records.isEmpty, "\(tensors)")
      let error = file.unreadable.first
      #expect(file.unreadable.count == 1 && error?.exitCode == 65, "\(tensors)")
      #expect(error?.fault.tensor?.hasPrefix("w") == true, "\(tensors)")
      #expect(
        error?.description.contains(mentions) == true,
        "\(tensors) lacks \(mentions): \(String(describing: error))")
    }
  }

  @Test("Metadata of this tool that contradicts the tensors is bad data")
  func lyingMetadata() throws {
    let good =
      #"{"shape":[2,4],"format":"mxfp4","block":"2","axis":1,"packed":false,"keys":"blockscale"}"#
    let tensors: [(String, TensorDType, [Int])] = [
      ("w.codes", .u8, [2, 4]), ("w.scales", .u8, [2, 2]),
    ]
    for block in ["\"2\"", "2"] {
      let text = good.replacing("\"2\"", with: block)
      let record = try scan(tensors, metadata: [("w", text)]).records.first
      #expect(record?.block == .line(2), "\(block)")
    }
    let lies = [
      ("[2,4]", "[2,5]"), ("[2,4]", "[-2,4]"), ("[2,4]", "[4294967296,4294967296]"),
      ("\"2\"", "\"0\""), ("\"2\"", "\"4\""), ("\"2\"", "0"), ("\"2\"", "-2"), ("\"2\"", "true"),
      ("\"2\"", "\"1x1\""),
      ("\"axis\":1", "\"axis\":7"), ("false", "true"), ("false", "0"),
      ("\"blockscale\"", "\"nobody\""), ("\"mxfp4\"", "4"),
    ]
    for (from, to) in lies {
      let text = good.replacing(from, with: to)
      #expect(text != good)
      let error = failure { _ = try scan(tensors, metadata: [("w", text)]) }
      #expect(error?.exitCode == 65, "\(to): \(String(describing: error))")
    }
    for missing in 0..<2 {
      var some = tensors
      some.remove(at: missing)
      let error = failure { _ = try scan(some, metadata: [("w", good)]) }
      #expect(error?.exitCode == 65, "without \(tensors[missing].0)")
      #expect(error?.fault.tensor == "w")
    }
    let scaled = tensors + [("w.tensor_scale", .f32, [1])]
    #expect(failure { _ = try scan(scaled, metadata: [("w", good)]) }?.exitCode == 65)
  }

  @Test("Records that a stack's loader would misread are refused as usage errors")
  func refusedRecords() throws {
    let scratch = try Scratch()
    let base = QuantizedTensorRecord(
      name: "w", shape: [4, 64], format: "nvfp4", block: .line(16), packing: .low,
      scaleStorage: .u8, tensorScale: .one, keys: .modelOpt)
    var cases: [QuantizedTensorRecord] = []
    func variant(_ change: (inout QuantizedTensorRecord) -> Void) {
      var record = base
      change(&record)
      cases.append(record)
    }
    variant { $0.block = .line(32) }
    variant { $0.packing = .high }
    variant { $0.scaleLayout = .swizzled128x4 }
    variant { $0.shape = [64] }
    variant { $0.shape = [4, 65] }
    variant { $0.axis = 0 }
    variant { $0.format = "mxint4" }
    variant { $0.format = "int4" }
    variant { ($0.format, $0.tensorScale) = ("int4", nil) }
    variant { ($0.format, $0.tensorScale, $0.shape) = ("int4_full", nil, [3, 64]) }
    variant { ($0.format, $0.tensorScale, $0.packing) = ("int4_full", nil, .high) }
    variant { ($0.format, $0.block) = ("mxfp4", .line(32)) }
    variant { $0.keys = .gptOSS }
    variant { ($0.keys, $0.packing, $0.block) = (.blockscale, .split, .tensor) }
    variant { ($0.keys, $0.scaleLayout, $0.scaleStorage) = (.blockscale, .swizzled128x4, .f32) }
    variant { ($0.keys, $0.codeBytes) = (.blockscale, 2) }
    variant { ($0.keys, $0.shape) = (.blockscale, [-1, 4]) }
    variant { ($0.keys, $0.axis) = (.blockscale, 5) }
    for record in cases {
      let error = failure {
        _ = try QuantizedWriter(path: scratch.file("a.safetensors"), records: [record])
      }
      #expect(error?.exitCode == 64, "\(record): \(String(describing: error))")
      #expect(error?.fault.tensor == "w")
    }
    for scale: Float in [0, -1, .nan, .infinity] {
      let error = failure {
        let writer = try QuantizedWriter(path: scratch.file("a.safetensors"), records: [base])
        try [UInt8](repeating: 0, count: 256).withUnsafeBytes { try writer.appendCodes($0, to: 0) }
        try [UInt32](repeating: 0, count: 16).withUnsafeBufferPointer {
          try writer.appendScales($0, to: 0)
        }
        writer.setTensorScale(TensorScale(decode: scale), of: 0)
        try writer.finish()
      }
      #expect(error?.exitCode == 64, "\(scale)")
    }
    #expect(try scratch.contents().isEmpty)
  }
}

import NumberFormats
import TensorIO
import Testing

@Suite struct QuantizedRoundTripTests {
  private func check(_ samples: [QuantizedSample], file path: String) throws {
    let writer = try QuantizedWriter(path: path, records: samples.map(\.record))
    for (index, sample) in samples.enumerated() { try sample.write(to: writer, at: index) }
    try writer.finish()
    let file = try QuantizedFile(TensorFile.open(path))
    #expect(file.unreadable.isEmpty, "\(file.unreadable)")
    #expect(file.others.isEmpty, "\(file.others.map(\.name))")
    #expect(file.records.count == samples.count)
    for sample in samples {
      let index = try #require(file.index(named: sample.record.name), "\(sample.record.name)")
      #expect(file.records[index] == sample.record)
      #expect(try file.codes(index) == sample.codes, "\(sample.record.name)")
      #expect(try file.scales(index) == sample.scales, "\(sample.record.name)")
      let count = sample.record.shape.reduce(1, *)
      for start in stride(from: 0, through: count, by: 5) {
        let end = min(count, start + 23)
        let width = sample.record.codeBytes
        #expect(
          try file.codes(index, start..<end)
            == Array(sample.codes[(start * width)..<(end * width)]),
          "\(sample.record.name) \(start)..<\(end)")
      }
    }
  }

  @Test("This tool's keys give back every shape, packing, scale type, layout and tensor scale")
  func ownKeys() throws {
    let scratch = try Scratch()
    var samples: [QuantizedSample] = []
    let shapes: [([Int], BlockShape, Int)] = [
      ([7, 33], .line(16), -1), ([7, 33], .line(5), 1), ([9, 4], .line(4), 0),
      ([3, 5, 6], .line(2), 1), ([40, 35], .tile(rows: 16, columns: 16), -1), ([4, 9], .axis, -1),
      ([4, 9], .tensor, -1), ([17], .line(8), -1), ([], .line(8), -1), ([0, 4], .line(2), -1),
      ([130, 80], .line(16), -1),
    ]
    for (shape, block, axis) in shapes {
      for packing in CodePacking.allCases {
        for storage in ScaleStorage.allCases {
          for layout in ScaleLayout.allCases {
            if layout == .swizzled128x4, storage != .u8 { continue }
            let isLast = axis == -1 || axis == shape.count - 1
            if packing == .split, !isLast || block == .tensor { continue }
            if packing == .split, case .tile = block { continue }
            for codeBytes in packing == .none ? [1, 2, 4] : [1] {
              let record = QuantizedTensorRecord(
                name: "t\(samples.count)", shape: shape, format: "any", block: block, axis: axis,
                recipe: "exact", rounding: samples.count % 2 == 0 ? "tiesToEven" : nil,
                packing: packing, scaleLayout: layout, codeBytes: codeBytes,
                scaleStorage: storage,
                tensorScale: samples.count % 3 == 0 ? TensorScale(decode: 0.375) : nil,
                toolVersion: "0.1.0")
              samples.append(
                try QuantizedSample(
                  record, codeLimit: packing == .none ? 256 : 16, seed: UInt64(samples.count)))
            }
          }
        }
      }
    }
    #expect(samples.count > 200)
    try check(samples, file: scratch.file("own.safetensors"))
  }

  private func stackRecords(_ keys: QuantizedKeys) -> [QuantizedTensorRecord] {
    func record(
      _ format: String, _ block: BlockShape, _ packing: CodePacking, _ storage: ScaleStorage,
      _ scale: TensorScale? = nil
    ) -> QuantizedTensorRecord {
      QuantizedTensorRecord(
        name: "layers.\(format).weight", shape: [6, 64], format: format, block: block,
        recipe: "exact", rounding: "tiesToEven", packing: packing, scaleStorage: storage,
        tensorScale: scale, toolVersion: "0.1.0", keys: keys)
    }
    let encode = TensorScale(decode: 1 / Float(19.125), encode: 19.125)
    let global = keys == .modelOpt ? TensorScale(decode: 0.0123) : encode
    var records = [
      record("nvfp4", .line(16), .low, .u8, global), record("mxfp4", .line(32), .low, .u8),
      record("mxfp8_e4m3", .line(32), .none, .u8), record("fp8_tensor", .tensor, .none, .f32),
      record("fp8_channel", .axis, .none, .f32), record("int8_channel", .axis, .none, .f32),
    ]
    records.append(record("int4_full", .line(16), .low, .f32))
    if keys == .compressedTensors {
      records += [
        record("int4_full_fp16", .line(32), .low, .f16),
        record("int8", .line(16), .none, .f32), record("int8_fp16", .line(8), .none, .f16),
        record("int4", .line(32), .low, .f32), record("int4_fp16", .line(8), .low, .f16),
        record("fp8_1x128", .line(16), .none, .f32), record("int8_tensor", .tensor, .none, .f32),
      ]
      var tiled = record("fp8_128x128", .tile(rows: 128, columns: 128), .none, .f32)
      tiled.shape = [130, 200]
      records.append(tiled)
    }
    return records
  }

  @Test(
    "The stacks' keys give back what was written",
    arguments: [QuantizedKeys.compressedTensors, .modelOpt])
  func stackKeys(keys: QuantizedKeys) throws {
    let scratch = try Scratch()
    let samples = try stackRecords(keys).enumerated().map { index, record in
      try QuantizedSample(
        record, codeLimit: record.packing == .none ? 256 : 16, seed: UInt64(index))
    }
    // FP8 per tensor and the MX formats have the same tensors under both stacks' keys, so each
    // record is recognised as the stack's only through its own metadata; see `refine`.
    let path = scratch.file("stack.safetensors")
    let writer = try QuantizedWriter(path: path, records: samples.map(\.record))
    for (index, sample) in samples.enumerated() { try sample.write(to: writer, at: index) }
    try writer.finish()
    let file = try QuantizedFile(TensorFile.open(path))
    #expect(file.unreadable.isEmpty, "\(file.unreadable)")
    #expect(file.file.metadata["format"] == "pt")
    for sample in samples {
      let index = try #require(file.index(named: sample.record.name))
      #expect(file.records[index] == sample.record)
      #expect(try file.codes(index) == sample.codes, "\(sample.record.name)")
      #expect(try file.scales(index) == sample.scales, "\(sample.record.name)")
      for start in stride(from: 0, to: sample.codes.count, by: 37) {
        let range = start..<min(sample.codes.count, start + 101)
        let codes = try file.codes(index, range)
        #expect(codes == Array(sample.codes[range]), "\(sample.record.name) \(range)")
      }
    }
  }

  @Test("INT4 lies as ModelOpt exports it, two rows a byte, and is recognised without a note")
  func modelOptIntegers() throws {
    let scratch = try Scratch()
    let record = QuantizedTensorRecord(
      name: "a.weight", shape: [4, 3], format: "int4_full", block: .line(3), packing: .low,
      scaleStorage: .f32, keys: .modelOpt)
    let path = scratch.file("a.safetensors")
    let writer = try QuantizedWriter(path: path, records: [record])
    let codes: [UInt8] = [0, 1, 2, 7, 8, 15, 3, 4, 5, 12, 13, 14]
    for row in stride(from: 0, to: 12, by: 3) {
      try Array(codes[row..<(row + 3)]).withUnsafeBytes { try writer.appendCodes($0, to: 0) }
    }
    let scales: [UInt32] = [0x3F80_0000, 0x4000_0000, 0x3F00_0000, 0x40A0_0000]
    try scales.withUnsafeBufferPointer { try writer.appendScales($0, to: 0) }
    try writer.finish()
    let file = try TensorFile.open(path)
    let packed = try #require(file.tensor(named: "a.weight"))
    #expect(packed.dtype == .u8 && packed.shape == [2, 3], "\(packed)")
    let bytes = try file.withBytes(packed) { Array($0) }
    #expect(
      bytes == [0x70, 0x81, 0xF2, 0xC3, 0xD4, 0xE5], "\(bytes.map { String($0, radix: 16) })")
    let scale = try #require(file.tensor(named: "a.weight_scale"))
    #expect(scale.dtype == .f32 && scale.shape == [4, 1], "\(scale)")

    let bare = scratch.file("bare.safetensors")
    let plain = try SafetensorsWriter(
      path: bare,
      tensors: [
        .init(name: "a.weight", dtype: .u8, shape: [2, 3]),
        .init(name: "a.weight_scale", dtype: .f32, shape: [4, 1]),
      ])
    try plain.append(bytes, to: 0)
    try plain.append(scales.map(\.littleEndian), to: 1)
    try plain.finish()
    let found = try QuantizedFile(TensorFile.open(bare))
    #expect(found.unreadable.isEmpty, "\(found.unreadable)")
    #expect(found.records == [record], "\(found.records)")
    #expect(try found.codes(0) == codes)
    #expect(try found.scales(0) == scales)
  }

  @Test("NVFP4 has the stacks' names, types, shapes, nibble order and side of the tensor scale")
  func stackTensors() throws {
    let scratch = try Scratch()
    let codes = (0..<64).map { UInt8($0 % 16) }
    let expected: [(QuantizedKeys, [(String, TensorDType, [Int])], Float)] = [
      (
        .compressedTensors,
        [
          ("a.weight_packed", .u8, [2, 16]), ("a.weight_scale", .f8e4m3, [2, 2]),
          ("a.weight_global_scale", .f32, [1]),
        ], 8
      ),
      (
        .modelOpt,
        [
          ("a.weight", .u8, [2, 16]), ("a.weight_scale", .f8e4m3, [2, 2]),
          ("a.weight_scale_2", .f32, []),
        ], 0.125
      ),
    ]
    for (keys, tensors, stored) in expected {
      let record = QuantizedTensorRecord(
        name: "a.weight", shape: [2, 32], format: "nvfp4", block: .line(16), packing: .low,
        scaleStorage: .u8, tensorScale: .one, keys: keys)
      let path = scratch.file("a.safetensors")
      let writer = try QuantizedWriter(path: path, records: [record])
      try codes.withUnsafeBytes { try writer.appendCodes($0, to: 0) }
      try [UInt32(0x38), 0x40, 0x7E, 1].withUnsafeBufferPointer {
        try writer.appendScales($0, to: 0)
      }
      writer.setTensorScale(TensorScale(decode: 0.125), of: 0)
      try writer.finish()
      let file = try TensorFile.open(path)
      for (name, dtype, shape) in tensors {
        let tensor = try #require(file.tensor(named: name), "\(name)")
        #expect(tensor.dtype == dtype && tensor.shape == shape, "\(tensor)")
      }
      let packed = try #require(file.tensor(named: tensors[0].0))
      #expect(try file.withBytes(packed) { Array($0.prefix(3)) } == [0x10, 0x32, 0x54])
      let scale = try #require(file.tensor(named: tensors[2].0))
      #expect(try file.readFloat32(scale) == [stored])
    }
  }
}

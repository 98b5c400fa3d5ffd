import FoundationEssentials
import Glibc
import TensorIO
import Testing

@Suite struct WriterTests {
  private let types: [TensorDType] = [
    .bool, .u8, .i8, .u16, .i16, .u32, .i32, .u64, .i64, .f16, .f32, .f64,
  ]
  private let shapes: [[Int]] = [
    [], [0], [5], [2, 3], [3, 0, 2], [2, 1, 3, 2], [1, 1, 1, 1, 1, 4],
  ]

  private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 * 7 % 2) } }

  @Test("What NpyWriter writes reads back in every type and rank, and is what NumPy writes")
  func npyRoundTrip() throws {
    let scratch = try Scratch()
    for dtype in types {
      for shape in shapes {
        let path = scratch.file("a.npy")
        let size = shape.reduce(1, *) * dtype.bits / 8
        let writer = try NpyWriter(path: path, dtype: dtype, shape: shape)
        try pattern(size).withUnsafeBytes { data in
          let half = size / 2
          try writer.append(UnsafeRawBufferPointer(rebasing: data[..<half]))
          try writer.append(UnsafeRawBufferPointer(rebasing: data[half...]))
        }
        try writer.finish()
        let file = try TensorFile.open(path)
        #expect(file.tensors[0].dtype == dtype && file.tensors[0].shape == shape)
        #expect(file.tensors[0].byteRange.lowerBound % 64 == 0)
        #expect(try file.withBytes(file.tensors[0]) { Array($0) } == pattern(size))
      }
    }
    for name in ["f4", "u1", "i8", "f2", "vector", "empty", "rank7", "scalar"] {
      let original = GoldenFiles.folder + name + ".npy"
      let file = try TensorFile.open(original)
      let tensor = file.tensors[0]
      let writer = try NpyWriter(
        path: scratch.file("b.npy"), dtype: tensor.dtype, shape: tensor.shape)
      try file.withBytes(tensor) { try writer.append($0) }
      try writer.finish()
      #expect(try bytes(ofFile: scratch.file("b.npy")) == bytes(ofFile: original), "\(name)")
    }
  }

  @Test("What SafetensorsWriter writes reads back, aligned, the same bytes each time")
  func safetensorsRoundTrip() throws {
    let scratch = try Scratch()
    var declarations: [SafetensorsWriter.Declaration] = []
    for dtype in TensorDType.allCases where dtype.bits >= 8 {
      for (index, shape) in shapes.enumerated() {
        declarations.append(.init(name: "\(dtype.rawValue).\(index)", dtype: dtype, shape: shape))
      }
    }
    for name in ["a.safetensors", "b.safetensors"] {
      let writer = try SafetensorsWriter(
        path: scratch.file(name), tensors: declarations,
        metadata: [("format", "pt"), ("odd", "\"\\\n\u{1}é")])
      // Filled from the last to the first: the order of appending does not matter.
      for (index, declaration) in declarations.enumerated().reversed() {
        let size = declaration.shape.reduce(1, *) * declaration.dtype.bits / 8
        try writer.append(pattern(size), to: index)
      }
      try writer.finish()
    }
    let first = try bytes(ofFile: scratch.file("a.safetensors"))
    #expect(try first == bytes(ofFile: scratch.file("b.safetensors")))
    let file = try TensorFile.open(scratch.file("a.safetensors"))
    #expect(file.tensors.count == declarations.count)
    #expect(file.metadata == ["format": "pt", "odd": "\"\\\n\u{1}é"])
    for declaration in declarations {
      let tensor = try #require(file.tensor(named: declaration.name))
      #expect(tensor.dtype == declaration.dtype && tensor.shape == declaration.shape)
      #expect(tensor.byteRange.lowerBound % max(1, min(8, tensor.dtype.bits / 8)) == 0)
      #expect(
        try file.withBytes(tensor) { Array($0) } == pattern(tensor.byteRange.count),
        "\(tensor.name)")
    }
  }

  @Test("A writer that does not finish leaves the earlier file, and nothing else, behind")
  func abandonedWriter() throws {
    let scratch = try Scratch()
    let path = try scratch.file("out.npy", holding: [1, 2, 3])
    do {
      let writer = try NpyWriter(path: path, dtype: .f32, shape: [4])
      try [Float](repeating: 1, count: 2).withUnsafeBufferPointer { try writer.append($0) }
      #expect(failure { try writer.finish() }?.exitCode == 64)
    }
    #expect(try bytes(ofFile: path) == [1, 2, 3])
    #expect(try scratch.contents() == ["out.npy"])
    let writer = try SafetensorsWriter(
      path: path, tensors: [.init(name: "a", dtype: .u8, shape: [1])])
    #expect(failure { try writer.append([UInt8](repeating: 0, count: 2), to: 0) }?.exitCode == 64)
    try writer.append([UInt8(9)], to: 0)
    try writer.finish()
    #expect(try bytes(ofFile: path).count == 8 + 56 + 1)
    #expect(try scratch.contents() == ["out.npy"])
  }

  @Test("Where unnamed files are not to be had, the named temporary is renamed or removed")
  func namedTemporary() throws {
    let scratch = try Scratch()
    let path = try scratch.file("out", holding: [1])
    do {
      let abandoned = try AtomicOutput(path: path, size: 2, isNamed: true)
      #expect(try scratch.contents().count == 2)
      try [UInt8](repeating: 7, count: 1).withUnsafeBytes { try abandoned.write($0, at: 0) }
    }
    #expect(try scratch.contents() == ["out"])
    #expect(try bytes(ofFile: path) == [1])
    let output = try AtomicOutput(path: path, size: 2, isNamed: true)
    try [UInt8](repeating: 7, count: 2).withUnsafeBytes { try output.write($0, at: 0) }
    try output.finish()
    #expect(try scratch.contents() == ["out"])
    #expect(try bytes(ofFile: path) == [7, 7])
  }

  @Test("Outputs that cannot be written are refused with exit code 74 before any work")
  func unwritableOutputs() throws {
    let scratch = try Scratch()
    let cases = [
      (scratch.path, "is a directory"), (scratch.file("no/such/out.npy"), "No such file"),
      ("/dev/full", "not a regular file"), ("/proc/out.npy", "/proc/"), ("", "no name"),
    ]
    for (path, mentions) in cases {
      let error = failure { _ = try NpyWriter(path: path, dtype: .f32, shape: [4]) }
      #expect(error?.exitCode == 74, "\(path): \(String(describing: error))")
      #expect(error?.description.contains(mentions) == true, "\(String(describing: error))")
    }
  }

  @Test("A write that finds no space names the file and the system's reason")
  func fullDevice() throws {
    let raw = open("/dev/full", O_WRONLY)
    try #require(raw >= 0)
    let output = AtomicOutput(path: "out.npy", descriptor: raw)
    let error = failure {
      try [UInt8](repeating: 0, count: 64).withUnsafeBytes { try output.write($0, at: 0) }
    }
    #expect(error?.exitCode == 74)
    #expect(
      error?.description == "out.npy: cannot write 64 bytes: No space left on device (errno 28)")
  }

  @Test("A full disk shows when the file is declared, and leaves nothing")
  func reservedSpace() throws {
    let scratch = try Scratch()
    let free = try FileManager.default.attributesOfFileSystem(forPath: scratch.path)
    let bytes = try #require(free[.systemFreeSize] as? Int)
    let path = scratch.file("out.npy")
    let error = failure { _ = try NpyWriter(path: path, dtype: .u8, shape: [bytes * 2]) }
    #expect(error?.exitCode == 74, "\(String(describing: error))")
    #expect(error?.description.contains("errno 2") == true)
    #expect(try scratch.contents().isEmpty)
  }

  @Test("Impossible declarations are usage errors")
  func impossibleDeclarations() throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    #expect(failure { _ = try NpyWriter(path: path, dtype: .bf16, shape: [4]) }?.exitCode == 64)
    #expect(failure { _ = try NpyWriter(path: path, dtype: .f32, shape: [-4]) }?.exitCode == 64)
    let twice = SafetensorsWriter.Declaration(name: "a", dtype: .u8, shape: [1])
    for tensors in [
      [twice, twice], [.init(name: "__metadata__", dtype: .u8, shape: [1])],
      [.init(name: "f", dtype: .f4, shape: [3])],
      [.init(name: "f", dtype: .u8, shape: [Int.max, 3])],
    ] {
      let error = failure { _ = try SafetensorsWriter(path: path, tensors: tensors) }
      #expect(error?.exitCode == 64, "\(String(describing: error))")
    }
    #expect(try scratch.contents().isEmpty)
  }
}

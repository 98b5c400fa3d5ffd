import FoundationEssentials
import GoldenVectors
import NumberFormats
import TensorIO
import Testing

@Suite("Vector files")
struct VectorFileTests {
  static let formats = ["nvfp4", "mxfp8_e4m3", "int8", "nf4", "mxint8"]

  @Test("the same seed gives the same bytes for any number of threads", arguments: formats)
  func determinism(format: String) throws {
    for operation in VectorOperation.allCases {
      try withFolder { first in
        try withFolder { second in
          let tile =
            operation == .matmul ? TileShape(rows: 2, columns: 3, depth: 13) : nil
          let spec = try vectorSpec(operation, format, block: 9, tile: tile)
          let kinds = Set(VectorFileKind.allCases)
          var request = VectorRequest(spec: spec, count: 2500, seed: 7, kinds: kinds, threads: 1)
          _ = try request.write(to: first)
          request.threads = 3
          _ = try request.write(to: second)
          #expect(try contents(of: first) == contents(of: second), "\(operation)")
          request.seed = 8
          _ = try request.write(to: second)
          let name = "\(operation.rawValue).inputs.memh"
          #expect(try contents(of: first)[name] != contents(of: second)[name], "\(operation)")
        }
      }
    }
  }

  @Test("the manifest's checksums, lines and counts are the files'", arguments: formats)
  func manifest(format: String) throws {
    try withFolder { folder in
      let spec = try vectorSpec(.mma, format, block: 8)
      let written = try VectorRequest(
        spec: spec, seed: 3, kinds: Set(VectorFileKind.allCases), isDebug: true
      ).write(to: folder)
      let files = try contents(of: folder)
      let read = try VectorManifest(reading: [UInt8](#require(files["manifest.json"])))
      #expect(read == written)
      #expect(Set(files.keys) == Set(read.files.map(\.name) + ["manifest.json"]))
      for file in read.files {
        let data = try #require(files[file.name])
        var hash = SHA256()
        hash.update([UInt8](data))
        #expect(hash.hexadecimal() == file.sha256, "\(file.name)")
        #expect(data.count == file.bytes)
        if let lines = file.lines { #expect(data.filter { $0 == 0x0A }.count == lines) }
        #expect(data.last == 0x0A || file.lines == nil)
      }
      #expect(try words(folder, "mma.inputs.memh", read.inputs).count == read.count)
      #expect(try words(folder, "mma.expected.memh", read.expected).count == read.count)
      #expect(read.classes.reduce(0) { $0 + $1.count } == read.count)
    }
  }

  @Test("raw words are the memory file's words")
  func raw() throws {
    try withFolder { folder in
      let spec = try vectorSpec(.dot, "mxfp4", block: 5)
      let manifest = try VectorRequest(spec: spec, count: 300, kinds: [.raw]).write(to: folder)
      let data = [UInt8](try #require(contents(of: folder)["dot.inputs.bin"]))
      let bytes = manifest.inputs.bytes
      #expect(data.count == manifest.count * bytes)
      let expected = try words(folder, "dot.inputs.memh", manifest.inputs)
      for (index, lanes) in expected.enumerated() {
        let word = Array(data[(index * bytes)..<((index + 1) * bytes)])
        #expect(manifest.inputs.unpack(word) == lanes, "word \(index)")
      }
    }
  }

  @Test("packing and unpacking are inverse, element 0 lowest")
  func packing() {
    let layout = WordLayout(fields: [
      VectorField(name: "a", lsb: 0, lanes: 3, laneWidth: 6),
      VectorField(name: "b", lsb: 18, lanes: 1, laneWidth: 19),
      VectorField(name: "c", lsb: 37, lanes: 2, laneWidth: 64),
    ])
    let lanes: [UInt64] = [0x3F, 0, 0x2A, 0x7_FFFF, .max, 0x0123_4567_89AB_CDEF]
    var bytes: [UInt8] = []
    layout.pack(lanes, into: &bytes)
    #expect(bytes.count == layout.bytes)
    #expect(bytes[0] == 0x3F)
    #expect(layout.unpack(bytes) == lanes)
  }

  @Test("a folder of other files is left alone")
  func foreignFolder() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data("notes".utf8).write(to: URL(filePath: "\(folder)/notes.txt"))
      let request = VectorRequest(spec: try vectorSpec(.decode, "mxfp4", block: 4))
      #expect(throws: TensorIOError.self) { try request.write(to: folder) }
      #expect(try contents(of: folder).keys.sorted() == ["notes.txt"])
    }
  }
}

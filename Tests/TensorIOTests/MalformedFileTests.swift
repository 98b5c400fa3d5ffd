import FoundationEssentials
import TensorIO
import Testing

@Suite struct MalformedFileTests {
  private let entry = #""dtype":"F32","shape":[2],"data_offsets""#

  @Test("A malformed .safetensors file is bad data, and the message says what is wrong")
  func safetensorsHeaders() throws {
    let scratch = try Scratch()
    let huge = [UInt8](repeating: 0, count: 7) + [0x80]
    let cases: [(bytes: [UInt8], mentions: String)] = [
      ([], "header length of 8 bytes"),
      ([1, 2, 3], "ends after 3 bytes"),
      (huge + Array("{}".utf8), "header length 9223372036854775808"),
      ([0xFF] + huge[1...] + Array("{}".utf8), "at most 100000000"),
      (Array(safetensors("{}").dropLast()), "header length 2 in a file of 9 bytes"),
      (safetensors(""), "does not start with '{'"),
      (safetensors(" {}"), "does not start with '{'"),
      (safetensors("{"), "not valid"),
      (safetensors("{}x"), "text behind"),
      (safetensors(#"{"a":1}"#), "tensor \"a\": no dtype"),
      (safetensors("{\"a\":{\(entry):[0,8]},\"a\":{\(entry):[0,8]}}", data: 8), "appears twice"),
      (safetensors(#"{"__metadata__":{"a":1}}"#), "not a string"),
      (safetensors(#"{"__metadata__":[]}"#), "not an object"),
      (safetensors("{\"a\":{\(entry):[0,8]}}", data: 7), "tensor \"a\": data_offsets 0 to 8"),
      (safetensors("{\"a\":{\(entry):[8,0]}}", data: 8), "begin <= end"),
      (safetensors("{\"a\":{\(entry):[0,8,9]}}", data: 8), "not a pair"),
      (safetensors("{\"a\":{\(entry):[-1,7]}}", data: 8), "not a pair"),
      (safetensors("{\"a\":{\(entry):[0,4]}}", data: 4), "hold 4 bytes (expected 8"),
      (safetensors("{\"a\":{\(entry):[0,8]}}", data: 12), "4 bytes belong to no tensor"),
      (safetensors("{\"a\":{\(entry):[4,12]}}", data: 12), "a hole of 4 bytes"),
      (
        safetensors("{\"a\":{\(entry):[0,8]},\"b\":{\(entry):[4,12]}}", data: 12),
        "tensor \"b\": byte 120: bytes 120..<128 overlap tensor \"a\""
      ),
      (
        safetensors("{\"a\":{\(entry):[0,8]},\"b\":{\(entry):[12,20]}}", data: 20),
        "tensor \"b\": byte 125: a hole of 4 bytes"
      ),
      (
        safetensors(#"{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}"#, data: 8),
        "tensor \"a\": unknown dtype \"F31\""
      ),
      (
        safetensors(#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, data: 8),
        "integers from 0 up"
      ),
      (
        safetensors(#"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, data: 8),
        "integers from 0 up"
      ),
      (
        safetensors(
          #"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#),
        "impossible shape"
      ),
      (
        safetensors(
          #"{"a":{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,0]}}"#),
        "impossible shape"
      ),
      (
        safetensors(
          #"{"a":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}"#),
        "impossible shape"
      ),
      (
        safetensors(#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}"#, data: 2),
        "impossible shape"
      ),
      (safetensors(String(repeating: "{\"a\":", count: 5000)), "nested deeper"),
    ]
    for (index, item) in cases.enumerated() {
      let path = try scratch.file("case\(index).safetensors", holding: item.bytes)
      let error = failure { _ = try TensorFile.open(path) }
      #expect(error?.exitCode == 65, "case \(index): \(String(describing: error))")
      #expect(error?.fault.file == path)
      #expect(
        error?.description.contains(item.mentions) == true,
        "case \(index) lacks \(item.mentions): \(String(describing: error))")
    }
  }

  @Test("A malformed .npy file is bad data, and the message says what is wrong")
  func npyHeaders() throws {
    let scratch = try Scratch()
    func header(_ shape: String, descr: String = "'<f4'", order: String = "False") -> String {
      "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), }\n"
    }
    let cases: [(bytes: [UInt8], mentions: String)] = [
      ([], "no .npy header"),
      ([0x93] + Array("NUMP".utf8), "no .npy header"),
      (npy(header("(2,)"), version: 4, data: 8), "version 4.0"),
      (Array(npy(header("(2,)")).prefix(20)), "header length"),
      (npy(header("(2,)"), data: 7), "7 bytes of data (expected 8"),
      (npy(header("(2,)"), data: 9), "9 bytes of data (expected 8"),
      (npy(header("(-2,)"), data: 8), "integers from 0 up"),
      (npy(header("(2)"), data: 8), "not a tuple"),
      (npy(header("(2.0,)"), data: 8), "not a tuple"),
      (npy(header("(99999999999999999999,)"), data: 8), "63 bits"),
      (npy(header("(4294967296, 4294967296, 0)")), "impossible shape"),
      (npy(header("(2,)", order: "1"), data: 8), "not a boolean"),
      (npy(header("(2,)", descr: "'<f3'"), data: 8), "type '<f3'"),
      (npy(header("(2,)", descr: "'<c8'"), data: 16), "type '<c8'"),
      (npy(header("(2,)", descr: "[('a', '<f4')]"), data: 8), "record type"),
      (npy(header("(2,)", descr: "'<V2'"), data: 4), "ml_dtypes"),
      (npy("{'descr': '<f4', 'shape': (2,)}", data: 8), "lacks a key"),
      (npy("{'descr': '<f4', 'descr': '<f4'}", data: 8), "once each"),
      (npy("{'descr': '<f4', 'evil': (2,)}", data: 8), "key 'evil'"),
      (npy(header("(2,)") + "x", data: 8), "text behind"),
      (npy("{'descr': '<f\\x34'}", data: 8), "escape"),
      ([0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF], "header length 4294967295"),
    ]
    for (index, item) in cases.enumerated() {
      let path = try scratch.file("case\(index).npy", holding: item.bytes)
      let error = failure { _ = try TensorFile.open(path) }
      #expect(error?.exitCode == 65, "case \(index): \(String(describing: error))")
      #expect(
        error?.description.contains(item.mentions) == true,
        "case \(index) lacks \(item.mentions): \(String(describing: error))")
    }
  }

  @Test("A damaged .npz is bad data when opened or when its tensor is read")
  func npzDamage() throws {
    let scratch = try Scratch()
    for name in ["stored.npz", "deflated.npz"] {
      let whole = try bytes(ofFile: GoldenFiles.folder + name)
      let truncated = try scratch.file("truncated.npz", holding: Array(whole.prefix(300)))
      #expect(failure { _ = try TensorFile.open(truncated) }?.exitCode == 65)
      var damaged = whole
      damaged[120] ^= 0x10
      let path = try scratch.file("damaged.npz", holding: damaged)
      let error = failure {
        let file = try TensorFile.open(path)
        for tensor in file.tensors { _ = try file.readFloat32(tensor) }
      }
      #expect(error?.exitCode == 65, "\(name): \(String(describing: error))")
    }
  }

  @Test("What is not there, is a directory, or is of no known kind says so with its exit code")
  func unreadableInputs() throws {
    let scratch = try Scratch()
    let missing = failure { _ = try TensorFile.open(scratch.file("missing.npy")) }
    #expect(missing?.exitCode == 66)
    #expect(missing?.description.contains("No such file or directory (errno 2)") == true)
    let directory = failure { _ = try TensorFile.open(scratch.path) }
    #expect(directory?.exitCode == 66)
    let unknown = try scratch.file("notes.txt", holding: Array("hello world".utf8))
    #expect(failure { _ = try TensorFile.open(unknown) }?.exitCode == 65)
    #expect(failure { _ = try TensorFile.open("/dev/null") }?.exitCode == 66)
  }

  @Test("Zero-size tensors and files without tensors are read")
  func zeroSizes() throws {
    let scratch = try Scratch()
    let empty = try TensorFile.open(
      scratch.file("a.safetensors", holding: safetensors("{}      ")))
    #expect(empty.tensors.isEmpty)
    let header =
      #"{"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
      + #""c":{"dtype":"F32","shape":[2,0],"data_offsets":[4,4]}}"#
    let path = try scratch.file("b.safetensors", holding: safetensors(header, data: 4))
    let file = try TensorFile.open(path)
    #expect(file.tensors.map(\.name) == ["a", "b", "c"])
    #expect(try file.readFloat32(file.tensors[0]).isEmpty)
    let called = try file.withMappedFloat32(file.tensors[2]) { $0.count }
    #expect(called == 0)
  }

  @Test("A sharded checkpoint opens through its index; a shard that lacks a tensor is bad data")
  func shardedCheckpoint() throws {
    let scratch = try Scratch()
    let one = #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#
    let two = #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
    _ = try scratch.file("m-1.safetensors", holding: safetensors(one, data: 2))
    _ = try scratch.file("m-2.safetensors", holding: safetensors(two, data: 1))
    func index(_ map: String) throws -> String {
      try scratch.file(
        "m.safetensors.index.json", holding: Array("{\"weight_map\":{\(map)}}".utf8))
    }
    let file = try TensorFile.open(
      index(#""a":"m-1.safetensors","b":"m-2.safetensors""#))
    #expect(file.tensors.map(\.name) == ["a", "b"])
    #expect(file.filePath(of: file.tensors[1]) == scratch.file("m-2.safetensors"))
    #expect(try file.readFloat32(file.tensors[1]) == [0])
    for map in [
      #""a":"m-2.safetensors""#, #""a":"../m-1.safetensors""#, #""a":"m.safetensors.index.json""#,
    ] {
      let error = failure { _ = try TensorFile.open(index(map)) }
      #expect(error?.exitCode == 65, "\(map): \(String(describing: error))")
      #expect(error?.fault.tensor == "a")
    }
  }
}

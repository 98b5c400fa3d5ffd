import NumberFormats
import TensorIO
import Testing

@Suite struct HeaderFuzzTests {
  /// Parses or throws; either is right, a trap is not.
  private func parse(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { buffer in
      let safetensors = (try? SafetensorsHeader(buffer, fileSize: buffer.count, file: "f")) != nil
      let npy = (try? NpyHeader(buffer, size: buffer.count, file: "f")) != nil
      return safetensors || npy
    }
  }

  private func mutate(_ seed: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
      case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes.removeSubrange(place..<min(place + 3, bytes.count))
      case 3: bytes.insert(contentsOf: Array("[{\"(9,".utf8).shuffled(using: &random), at: place)
      case 4: bytes.removeLast(bytes.count - place)
      default:
        bytes.insert(
          contentsOf: Array("9223372036854775807".utf8.prefix(place % 20)), at: place)
      }
    }
    return bytes
  }

  @Test("20,000 mutated and random headers parse or throw, with seed 1")
  func mutations() throws {
    let seeds = [
      try bytes(ofFile: GoldenFiles.folder + "types.safetensors"),
      try bytes(ofFile: GoldenFiles.folder + "fortran3.npy"),
      try bytes(ofFile: GoldenFiles.folder + "version3.npy"),
      safetensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: 8),
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", data: 8),
    ]
    var random = SplitMix(state: 1)
    var accepted = 0
    for round in 0..<19_000 {
      if parse(mutate(seeds[round % seeds.count], &random)) { accepted += 1 }
    }
    for _ in 0..<1000 {
      let count = Int.random(in: 0..<200, using: &random)
      var noise = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      // A plausible length, so that the parser behind it is reached.
      if count > 8 {
        noise.replaceSubrange(0..<9, with: [UInt8(count - 8)] + [0, 0, 0, 0, 0, 0, 0, 0x7B])
      }
      if parse(noise) { accepted += 1 }
    }
    // Mutations of data bytes leave the header whole; far from all cases do.
    #expect(accepted > 100 && accepted < 15_000, "\(accepted) accepted")
  }

  /// Opens a file and reads the start of every quantised tensor in it.
  private func readQuantized(_ path: String) throws {
    let file = try QuantizedFile(TensorFile.open(path))
    for index in file.records.indices {
      _ = try file.codes(index, 0..<min(8, file.records[index].shape.reduce(1, *)))
      _ = try file.scales(index)
    }
  }

  @Test("2,000 quantised checkpoints with altered headers are read or refused, with seed 2")
  func quantizedMutations() throws {
    let scratch = try Scratch()
    let own = QuantizedTensorRecord(
      name: "w", shape: [6, 32], format: "mxfp4", block: .line(16), packing: .split,
      scaleLayout: .swizzled128x4, scaleStorage: .u8, tensorScale: TensorScale(decode: 2))
    let sample = try QuantizedSample(own, codeLimit: 16, seed: 2)
    let ownPath = scratch.file("own.safetensors")
    let writer = try QuantizedWriter(path: ownPath, records: [own])
    try sample.write(to: writer, at: 0)
    try writer.finish()
    let seeds = [
      try bytes(ofFile: ownPath), try bytes(ofFile: GoldenFiles.folder + "stacks.safetensors"),
    ]
    let letters = Array("0123456789,[]\\\"FUIBx18e-".utf8)
    var random = SplitMix(state: 2)
    var (read, refused) = (0, 0)
    for round in 0..<2000 {
      var bytes = seeds[round % 2]
      // Same length, so that the header stays where it is; mostly digits for digits.
      let end = 8 + Int(bytes[0]) + Int(bytes[1]) << 8
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 8..<end, using: &random)
        let isDigit = (0x30...0x39).contains(bytes[place])
        bytes[place] = isDigit ? letters[place % 10] : letters.randomElement(using: &random) ?? 0
      }
      let path = try scratch.file("mutated.safetensors", holding: bytes)
      if failure({ try readQuantized(path) }) == nil { read += 1 } else { refused += 1 }
    }
    #expect(read > 20 && refused > 200, "\(read) read, \(refused) refused")
  }
}

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
}

import Glibc
import TensorIO
import Testing

@Suite struct GoldenReadingTests {
  @Test("Files written by NumPy and the safetensors library read as NumPy converts them")
  func goldenFiles() throws {
    let golden = try GoldenFiles.load()
    #expect(golden.cases.count > 50)
    for item in golden.cases {
      let file = try TensorFile.open(GoldenFiles.folder + item.file)
      let tensor = try #require(file.tensor(named: item.tensor), "\(item.file) \(item.tensor)")
      let place = "\(item.file) \(item.tensor)"
      #expect(tensor.dtype.rawValue == item.dtype, "\(place)")
      #expect(tensor.shape == item.shape, "\(place)")
      var values = [Float](repeating: -1, count: tensor.count)
      let rounded = try values.withUnsafeMutableBufferPointer {
        try file.readFloat32(tensor, range: 0..<tensor.count, into: $0)
      }
      #expect(rounded == item.rounded, "\(place): rounded elements")
      #expect(values.count == item.float32.count, "\(place)")
      for (index, (value, expected)) in zip(values, item.float32).enumerated() {
        let bothNaN = value.isNaN && Float(bitPattern: expected).isNaN
        #expect(
          value.bitPattern == expected || bothNaN,
          """
          \(place) element \(index): expected \(String(expected, radix: 16)) \
          \(String(expected, radix: 2)), observed \(String(value.bitPattern, radix: 16)) \
          \(String(value.bitPattern, radix: 2))
          """)
      }
    }
  }

  @Test("Any range of a tensor equals that part of the whole, in every order and byte order")
  func partialRanges() throws {
    for name in [
      "fortran2.npy", "fortran3.npy", "fortran4.big-endian.npy", "f8.big-endian.npy",
      "deflated.npz", "types.safetensors",
    ] {
      let file = try TensorFile.open(GoldenFiles.folder + name)
      for tensor in file.tensors where tensor.count <= 64 {
        let whole = try file.readFloat32(tensor).map(\.bitPattern)
        for start in 0...tensor.count {
          for end in start...tensor.count {
            var part = [Float](repeating: 0, count: end - start)
            try part.withUnsafeMutableBufferPointer {
              _ = try file.readFloat32(tensor, range: start..<end, into: $0)
            }
            #expect(
              part.map(\.bitPattern) == Array(whole[start..<end]), "\(name) \(start)..<\(end)")
          }
        }
      }
    }
  }

  @Test("Types that .npy cannot carry are refused with the way out")
  func refusedTypes() throws {
    for item in try GoldenFiles.load().refused {
      let error = failure { _ = try TensorFile.open(GoldenFiles.folder + item.file) }
      #expect(error?.exitCode == 65, "\(item.file)")
      #expect(error?.description.contains(item.mentions) == true, "\(String(describing: error))")
    }
  }

  @Test("An .npz lists arrays of text as skipped and reads the rest")
  func skippedEntries() throws {
    for name in ["stored.npz", "deflated.npz"] {
      let file = try TensorFile.open(GoldenFiles.folder + name)
      #expect(file.container == .npz)
      #expect(file.tensors.map(\.name) == ["weight", "bias", "order"])
      #expect(file.skipped.map(\.name) == ["label"])
    }
  }

  @Test("An .npz entry larger than the memory bound reads the same from a temporary file")
  func spooledEntries() throws {
    let path = GoldenFiles.folder + "deflated.npz"
    let inMemory = try TensorFile.open(path)
    let spooled = try TensorFile.open(path, memoryBound: 16)
    for (first, second) in zip(inMemory.tensors, spooled.tensors) {
      #expect(
        try inMemory.readFloat32(first).map(\.bitPattern)
          == spooled.readFloat32(second).map(\.bitPattern))
    }
  }

  @Test("Metadata, order of data and byte ranges of a .safetensors file are given")
  func safetensorsListing() throws {
    let file = try TensorFile.open(GoldenFiles.folder + "types.safetensors")
    #expect(file.metadata["format"] == "np")
    #expect(file.metadata["note"] == "a \"quoted\" \\ line\n and é")
    var position = file.tensors.first?.byteRange.lowerBound ?? -1
    for tensor in file.tensors {
      #expect(tensor.byteRange.lowerBound == position, "\(tensor.name)")
      position = tensor.byteRange.upperBound
    }
  }

  @Test("F32 data are offered in place exactly where the file holds them as the machine does")
  func mappedFloats() throws {
    let file = try TensorFile.open(GoldenFiles.folder + "f4.npy")
    let tensor = file.tensors[0]
    let mapped = try file.withMappedFloat32(tensor) { $0.map(\.bitPattern) }
    let copied = try file.readFloat32(tensor).map(\.bitPattern)
    #expect(mapped == copied)
    file.releasePages(tensor)
    for name in ["f4.big-endian.npy", "f8.npy", "fortran2.npy"] {
      let other = try TensorFile.open(GoldenFiles.folder + name)
      #expect(try other.withMappedFloat32(other.tensors[0]) { _ in true } == nil, "\(name)")
    }
  }

  @Test("Elements beyond the first 4 GiB of a file are found")
  func largeFiles() throws {
    let scratch = try Scratch()
    let count = (1 << 30) + 3
    let header = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (\(count),), }  ")
    let path = try scratch.file("large.npy", holding: header)
    // All but the ends is a hole, so that the file takes no space.
    let descriptor = open(path, O_WRONLY)
    defer { close(descriptor) }
    try #require(ftruncate(descriptor, off_t(header.count + 4 * count)) == 0)
    let last: [Float] = [1.5, -2.5]
    let written = last.withUnsafeBytes {
      pwrite(descriptor, $0.baseAddress, 8, off_t(header.count + 4 * (count - 2)))
    }
    try #require(written == 8)
    let file = try TensorFile.open(path)
    var values = [Float](repeating: 9, count: 3)
    try values.withUnsafeMutableBufferPointer {
      _ = try file.readFloat32(file.tensors[0], range: (count - 3)..<count, into: $0)
    }
    #expect(values == [0, 1.5, -2.5])
  }
}

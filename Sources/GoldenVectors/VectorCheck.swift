import TensorIO

/// A device's results compared with golden vectors.
public struct VectorCheck: Sendable {
  /// One case that differs.
  public struct Mismatch: Sendable {
    public var index: Int
    public var className: String
    public var inputs: [UInt64]
    public var expected: [UInt64]
    public var observed: [UInt64]
  }

  public struct ClassCount: Sendable {
    public var name: String
    public var compared: Int
    public var mismatches: Int
  }

  public let manifest: VectorManifest
  public private(set) var classes: [ClassCount] = []
  /// The first mismatches of each class, in the order of cases.
  public private(set) var first: [Mismatch] = []
  public var compared: Int { classes.reduce(0) { $0 + $1.compared } }
  public var mismatches: Int { classes.reduce(0) { $0 + $1.mismatches } }

  /// - Parameters:
  ///   - results: the device's file, as `WordFile` reads it.
  ///   - anyNaN: whether every NaN stands for every other, in float results.
  ///   - mask: the bits of a word that count, in hexadecimal; nil: all.
  ///   - limit: mismatches kept for explanation.
  /// - Throws: `TensorIOError` for files that cannot be read, hold anything but the words expected,
  ///   or are more or fewer.
  public init(
    _ folder: VectorFolder, results: String, anyNaN: Bool = false, mask: String? = nil,
    limit: Int = 20
  ) throws(TensorIOError) {
    manifest = folder.manifest
    let layout = manifest.expected
    let counting = try Self.mask(mask, layout)
    let (inputs, expected) = try folder.words()
    let observed = try WordFile(results: results, layout: layout, mask: counting)
    guard observed.count == expected.count else {
      throw VectorFolder.bad(
        results, "\(observed.count) results", expected: "\(expected.count)")
    }
    for range in manifest.classes {
      var count = ClassCount(name: range.name, compared: range.count, mismatches: 0)
      for index in range.first..<(range.first + range.count) {
        let golden = expected.word(index)
        let device = observed.word(index)
        guard
          zip(golden, device).enumerated().contains(where: { place, pair in
            (pair.0 ^ pair.1) & counting[place] != 0
          })
        else { continue }
        let lanes = (golden: layout.unpack(golden), device: layout.unpack(device))
        if anyNaN, equalButForNaN(lanes.golden, lanes.device, layout.unpack(counting)) { continue }
        count.mismatches += 1
        if first.count < limit {
          first.append(
            Mismatch(
              index: index, className: range.name,
              inputs: manifest.inputs.unpack(inputs.word(index)), expected: lanes.golden,
              observed: lanes.device))
        }
      }
      classes.append(count)
    }
  }

  private func equalButForNaN(
    _ golden: [UInt64], _ device: [UInt64], _ mask: [UInt64]
  ) -> Bool {
    let infinity: UInt64
    switch manifest.resultType {
    case "float32": infinity = 0x7F80_0000
    case "float16": infinity = 0x7C00
    default: return false
    }
    let magnitude = manifest.resultType == "float32" ? UInt64(0x7FFF_FFFF) : 0x7FFF
    return golden.indices.allSatisfy { place in
      (golden[place] ^ device[place]) & mask[place] == 0
        || golden[place] & magnitude > infinity && device[place] & magnitude > infinity
    }
  }

  private static func mask(
    _ text: String?, _ layout: WordLayout
  ) throws(TensorIOError) -> [UInt8] {
    guard let text else { return [UInt8](repeating: 0xFF, count: layout.bytes) }
    let word = try WordFile(memory: Array(text.utf8), path: "--mask", layout: layout)
    guard word.count == 1 else { throw VectorFolder.bad("--mask", "expected one word") }
    return word.word(0)
  }
}

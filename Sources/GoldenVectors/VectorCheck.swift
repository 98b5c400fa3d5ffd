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
  ///   - results: the device's file: packed words in `.bin` and `.raw`, a column for each expected
  ///     field in `.csv`, else a memory file for `$readmemh`. It is read once, in order.
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
    let observed = try WordReader(results: results, layout: layout, mask: counting)
    for range in manifest.classes {
      var count = ClassCount(name: range.name, compared: range.count, mismatches: 0)
      for index in range.first..<(range.first + range.count) {
        guard let operands = try inputs.next(), let golden = try expected.next() else {
          throw try miscounted(inputs.count == index ? inputs : expected)
        }
        guard let device = try observed.next() else {
          throw VectorFolder.bad(results, "\(index) results", expected: "\(manifest.count)")
        }
        if golden == device || Self.areEqual(golden, device, counting) { continue }
        let lanes = (golden: layout.unpack(golden), device: layout.unpack(device))
        if anyNaN, equalButForNaN(lanes.golden, lanes.device, layout.unpack(counting)) { continue }
        count.mismatches += 1
        if first.count < limit {
          first.append(
            Mismatch(
              index: index, className: range.name, inputs: manifest.inputs.unpack(operands),
              expected: lanes.golden, observed: lanes.device))
        }
      }
      classes.append(count)
    }
    for side in [inputs, expected] {
      if try side.next() != nil { throw try miscounted(side) }
    }
    while try observed.next() != nil {}
    guard observed.count == manifest.count else {
      throw VectorFolder.bad(
        results, "\(observed.count) results", expected: "\(manifest.count)")
    }
  }

  private func miscounted(
    _ side: WordReader
  ) throws(TensorIOError) -> TensorIOError {
    while try side.next() != nil {}
    return VectorFolder.bad(
      side.path, "\(side.count) words", expected: "\(manifest.count), as the manifest has it")
  }

  private static func areEqual(_ golden: [UInt8], _ device: [UInt8], _ mask: [UInt8]) -> Bool {
    golden.indices.allSatisfy { (golden[$0] ^ device[$0]) & mask[$0] == 0 }
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
    let words = WordReader(memory: ByteReader(Array(text.utf8), path: "--mask"), layout: layout)
    guard let word = try words.next(), try words.next() == nil else {
      throw VectorFolder.bad("--mask", "expected one word")
    }
    guard word.contains(where: { $0 != 0 }) else {
      throw VectorFolder.bad("--mask", "no bit counts", expected: "a bit that is compared")
    }
    return word
  }
}

/// A field of a packed word: `lanes` numbers of `laneWidth` bits, lane 0 in the least significant
/// bits. A matrix lies row by row, the first of its rows lowest.
public struct VectorField: Sendable, Hashable, Codable {
  public var name: String
  public var msb: Int
  public var lsb: Int
  public var lanes: Int
  public var laneWidth: Int
  /// Rows and columns of a matrix; nil for a single number and for a vector.
  public var shape: [Int]?

  public init(name: String, lsb: Int, lanes: Int, laneWidth: Int, shape: [Int]? = nil) {
    self.name = name
    self.lsb = lsb
    self.lanes = lanes
    self.laneWidth = laneWidth
    self.shape = shape
    msb = lsb + lanes * laneWidth - 1
  }
}

/// The fields of a packed word, the first one in the least significant bits.
public struct WordLayout: Sendable, Hashable, Codable {
  public private(set) var fields: [VectorField] = []

  public init() {}

  public init(fields: [VectorField]) { self.fields = fields }

  mutating func add(_ name: String, width: Int, lanes: Int = 1) {
    fields.append(VectorField(name: name, lsb: self.width, lanes: lanes, laneWidth: width))
  }

  mutating func add(_ name: String, width: Int, matrix rows: Int, _ columns: Int) {
    fields.append(
      VectorField(
        name: name, lsb: self.width, lanes: rows * columns, laneWidth: width,
        shape: [rows, columns]))
  }

  /// Bits of the word.
  public var width: Int { fields.last.map { $0.msb + 1 } ?? 0 }
  /// Bytes of the word in a raw file.
  public var bytes: Int { (width + 7) / 8 }
  /// Hexadecimal digits of the word.
  public var digits: Int { (width + 3) / 4 }
  /// Numbers in all fields together.
  public var laneCount: Int { fields.reduce(0) { $0 + $1.lanes } }

  /// Where a field's numbers begin among all of them.
  public func start(of name: String) -> Int? {
    var start = 0
    for field in fields {
      if field.name == name { return start }
      start += field.lanes
    }
    return nil
  }

  /// Packs numbers, in the order of fields and lanes, into `bytes` bytes, little-endian.
  public func pack(_ lanes: [UInt64], into output: inout [UInt8]) {
    output.removeAll(keepingCapacity: true)
    var pending: UInt64 = 0
    var held = 0
    var next = 0
    for field in fields {
      for _ in 0..<field.lanes {
        var value = lanes[next]
        next += 1
        var left = field.laneWidth
        while left > 0 {
          let taken = min(left, 8 - held)
          pending |= (value & ((1 << UInt64(taken)) - 1)) << UInt64(held)
          value = value >> UInt64(taken)
          held += taken
          left -= taken
          if held == 8 {
            output.append(UInt8(truncatingIfNeeded: pending))
            pending = 0
            held = 0
          }
        }
      }
    }
    if held > 0 { output.append(UInt8(truncatingIfNeeded: pending)) }
  }

  /// The numbers of a packed word.
  public func unpack(_ bytes: [UInt8]) -> [UInt64] {
    var result: [UInt64] = []
    result.reserveCapacity(laneCount)
    for field in fields {
      for lane in 0..<field.lanes {
        var value: UInt64 = 0
        for bit in 0..<field.laneWidth {
          let place = field.lsb + lane * field.laneWidth + bit
          value |= UInt64(bytes[place / 8] >> UInt8(place % 8) & 1) << UInt64(bit)
        }
        result.append(value)
      }
    }
    return result
  }
}

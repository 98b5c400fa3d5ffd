import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("The table of boundaries")
struct BoundaryTableTests {
  /// Every BF16 and FP16 number but the NaNs, in the order of their patterns: small steps, in which
  /// a table's search starts from its last answer.
  static let halves: [Float] =
    (0...UInt16.max).map { Float(bitPattern: UInt32($0) << 16) }.filter { !$0.isNaN }
    + (0...UInt16.max).map { Float(Float16(bitPattern: $0)) }.filter { !$0.isNaN }
  /// The same, each far from the one before it.
  static let scattered: [Float] = {
    let step = 40_503
    return halves.indices.map { halves[$0 * step % halves.count] }
  }()
  static let nearest: [Rounding] = [.tiesToEven, .tiesToAway, .tiesTowardZero]
  /// Codebooks have no table.
  static let narrow: [String] =
    (try? standard().elements.filter { $0.bits <= 8 && !$0.isCodebook }.map(\.name)) ?? []

  private static func encode(
    _ values: [Float], _ element: ElementFormat, _ options: EncodeOptions, tables: Bool
  ) throws -> [UInt32] {
    var codes = [UInt8](repeating: 0xAA, count: values.count)
    try values.withUnsafeBufferPointer { input in
      try codes.withUnsafeMutableBytes {
        try MPFREngine(tables: tables).encode(input, element: element, options: options, into: $0)
      }
    }
    return codes.map { UInt32($0) }
  }

  private static func encodeScales(
    _ values: [Float], _ format: ScaleFormat, tables: Bool
  ) -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: values.count) { output, count in
      count = values.count
      values.withUnsafeBufferPointer {
        MPFREngine(tables: tables).encodeScales(
          $0, format: format, into: UnsafeMutableBufferPointer(rebasing: output[..<values.count]))
      }
    }
  }

  @Test("gives the neighbour search's code of every BF16 and FP16 number", arguments: narrow)
  func elements(name: String) throws {
    let element = try #require(standard().element(name))
    var values = Self.halves
    if element.canonicalNaN != nil { values += [.nan, -.nan] }
    for rounding in Self.nearest {
      for overflow in Overflow.allCases {
        let options = EncodeOptions(rounding: rounding, overflow: overflow)
        expectEqual(
          try Self.encode(values, element, options, tables: true),
          try Self.encode(values, element, options, tables: false), inputs: values,
          "\(name), \(rounding), \(overflow)")
      }
    }
  }

  @Test("gives the same codes in an order without order", arguments: ["e2m1", "e4m3", "int8"])
  func order(name: String) throws {
    let element = try #require(standard().element(name))
    expectEqual(
      try Self.encode(Self.scattered, element, EncodeOptions(), tables: true),
      try Self.encode(Self.scattered, element, EncodeOptions(), tables: false),
      inputs: Self.scattered, name)
  }

  @Test("gives the neighbour search's scale", arguments: ["e8m0", "ue4m3", "ue5m3"])
  func scales(name: String) throws {
    let format = try #require(standard().scale(name))
    for values in [Self.halves + [.nan, -.nan], Self.scattered] {
      expectEqual(
        Self.encodeScales(values, format, tables: true),
        Self.encodeScales(values, format, tables: false), inputs: values, name)
    }
  }

  /// BF16 and FP16 numbers do not come as near to a boundary as float32 numbers.
  @Test("gives the neighbour search's code next to every boundary", arguments: narrow)
  func boundaries(name: String) throws {
    let element = try #require(standard().element(name))
    guard let model = TableModel(element) else { return }
    let values = model.landmarks.map { Float($0) }
      .flatMap { [$0, $0.nextUp, $0.nextDown, -$0, -$0.nextUp, -$0.nextDown] }
    for rounding in Self.nearest {
      let options = EncodeOptions(rounding: rounding, overflow: .nonFinite)
      expectEqual(
        try Self.encode(values, element, options, tables: true),
        try Self.encode(values, element, options, tables: false), inputs: values,
        "\(name), \(rounding)")
    }
  }

  @Test("E8M0 next to every middle of two powers, and where 2^128 begins")
  func powers() throws {
    let format = try #require(standard().scale("e8m0"))
    let middles = (-127...127).map { Float(sign: .plus, exponent: $0, significand: 1.5) }
    let values = middles.flatMap { [$0.nextDown, $0, $0.nextUp] }
    // Code c is 2^(c − 127); 1.5 · 2^127 rounds to 2^128, which has none.
    let expected = (UInt32(0)...254).flatMap { [$0, $0 + 1, $0 + 1] }
    for tables in [true, false] {
      expectEqual(
        Self.encodeScales(values, format, tables: tables), expected, inputs: values,
        "tables: \(tables)")
    }
  }
}

extension ElementFormat {
  fileprivate var isCodebook: Bool {
    if case .codebook = kind { true } else { false }
  }
}

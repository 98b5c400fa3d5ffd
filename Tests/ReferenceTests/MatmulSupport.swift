import FormatCatalog
import NumberFormats
import Reference
import Testing

/// The table, read once: these tests look thousands of rows up.
private let sharedCatalog = Result { try FormatCatalog.standard() }

/// Lines of `values` as an operand; every value must be one of the element's.
func operand(
  _ values: [Float], _ element: String, lines: Int = 1, block: Int? = nil, scale: String = "e8m0",
  scales: [Float] = [], tensorScale: Float? = nil
) throws -> MatmulOperand {
  let catalog = try sharedCatalog.get()
  let format = element == "fp32" ? .float32 : try #require(catalog.element(element))
  let codes =
    element == "fp32"
    ? values.map(\.bitPattern) : try encode(values, format, EncodeOptions(overflow: .nonFinite))
  let back = decode(codes, format)
  for (value, decoded) in zip(values, back) {
    #expect(value.isNaN ? decoded.isNaN : value == decoded, "\(value) is no \(element)")
  }
  var stored: MatmulOperand.Scales?
  if let block {
    let scaleFormat = try #require(catalog.scale(scale))
    stored = MatmulOperand.Scales(
      format: scaleFormat, block: block,
      codes: scales.map { $0.isNaN ? scaleFormat.canonicalNaN : encodeScales([$0], scaleFormat)[0] }
    )
    let read = decodeScales(stored?.codes ?? [], scaleFormat)
    for (value, decoded) in zip(scales, read) {
      #expect(value.isNaN ? decoded.isNaN : value == decoded, "\(value) is no \(scale)")
    }
  }
  return MatmulOperand(
    element: format, lines: lines, depth: lines == 0 ? 0 : values.count / lines,
    codes: codes.flatMap { code in
      (0..<format.codeBytes).map { UInt8(truncatingIfNeeded: code >> UInt32(8 * $0)) }
    }, scales: stored, tensorScale: tensorScale)
}

func accumulator(_ name: String) throws -> Accumulator {
  try #require(try sharedCatalog.get().accumulator(name), "\(name)")
}

/// D's only pattern.
func dot(
  _ a: MatmulOperand, _ b: MatmulOperand, _ unit: Accumulator, c: Int64? = nil
) throws -> Int64 {
  let problem = MatmulProblem(a: a, b: b, c: c.map { [$0] }, accumulator: unit)
  return try #require(try MPFREngine().multiply(problem).first)
}

/// The dot product of values of one element format, with a float32 c and D.
func dot(
  _ a: [Float], _ b: [Float], _ element: String, _ unit: Accumulator, c: Float? = nil
) throws -> UInt32 {
  let pattern = try dot(
    operand(a, element), operand(b, element), unit, c: c.map { Int64($0.bitPattern) })
  return UInt32(truncatingIfNeeded: pattern)
}

func dot(
  _ a: [Float], _ b: [Float], _ element: String, _ unit: String, c: Float? = nil
) throws -> UInt32 {
  try dot(a, b, element, accumulator(unit), c: c)
}

func expectPattern(
  _ observed: UInt32, _ expected: UInt32, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    observed == expected, "\(what): expected \(pattern(expected)), observed \(pattern(observed))",
    sourceLocation: sourceLocation)
}

func expectValue(
  _ observed: UInt32, _ expected: Float, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectPattern(observed, expected.bitPattern, what, sourceLocation: sourceLocation)
}

extension Accumulator {
  /// The row with another fused step.
  func with(_ change: (inout FusedStep) -> Void) -> Accumulator {
    guard case .fused(var step) = datapath else { return self }
    change(&step)
    var row = self
    row.datapath = .fused(step)
    return row
  }

  /// An element that the unit takes.
  var someElement: String {
    switch operands {
    case .any: "e4m3"
    case .integers: "int8"
    case .named(let names): names[0]
    }
  }
}

extension TestBits {
  /// Small multiples of a power of two that every element format of the rows holds.
  mutating func plainValues(_ count: Int) -> [Float] {
    let values: [Float] = [0, 1, -1, 2, -2, 3, -3, 4, -4, 6, -6]
    return (0..<count).map { _ in values[Int(next() % 11)] }
  }
}

import FastPath
import NumberFormats
import Reference

/// A finished case.
struct VectorCase: Sendable {
  var kind: CaseClass
  var inputs: [UInt64]
  var expected: [UInt64]
  var isInformative: Bool
}

/// Makes cases and proves their results: the reference's, equal to those of every other engine.
struct CaseMaker: Sendable {
  let spec: VectorSpec
  let codes: ElementCodes
  let seed: UInt64
  let engines: VectorEngines
  /// One output of a tile; nil for the other operations.
  private let line: VectorSpec?
  /// Nil where cases are made.
  let operands: VectorOperands?

  init(
    _ spec: VectorSpec, seed: UInt64, operands: VectorOperands? = nil, engines: VectorEngines
  ) throws(VectorsError) {
    self.spec = spec
    self.operands = operands
    self.seed = seed
    self.engines = engines
    line = spec.operation == .matmul ? try spec.line() : nil
    codes = ElementCodes(spec.quantization.format.element, engine: engines.reference)
    guard !codes.positive.isEmpty else {
      throw .usage("\(codes.element.name) has no positive value")
    }
  }

  /// The classes that mean something here.
  var classes: [CaseClass] {
    // The inputs of a tile are never few enough to exhaust.
    (line ?? spec).classes(codes).filter { line == nil || $0 != .exhaustive }
  }

  /// How many cases the class needs to meet everything it stands for; 0: any number will do.
  func cases(of kind: CaseClass) -> Int {
    guard let line else { return spec.cases(of: kind, codes) }
    let count = line.cases(of: kind, codes)
    let sides = max(spec.rows, spec.columns)
    switch kind {
    // One line of a tile at a time, each in turn.
    case .nanInfPerLane, .nanScales, .walkingElement: return min(count * sides, 512)
    default: return (count + sides - 1) / sides
    }
  }

  /// Classes by the number of their random streams: those added later take the last ones, so that
  /// they change no other's cases.
  private static let streams: [CaseClass] = {
    let later: [CaseClass] = [.subnormalOperands, .zeroExponent]
    return CaseClass.allCases.filter { !later.contains($0) } + later
  }()

  /// The inputs of a class's case.
  func inputs(_ kind: CaseClass, _ index: Int, attempt: Int = 0) throws(VectorsError) -> [UInt64] {
    if let operands { return operands.inputs(index, of: spec) }
    let place = Self.streams.firstIndex(of: kind) ?? 0
    // Both cases of a permuted pair draw the same terms.
    var words = CaseRandom(
      seed: seed, class: place, index: kind == .permuted ? index / 2 : index, attempt: attempt)
    guard spec.operation.isSum else {
      return ValueCases(spec: spec, codes: codes).make(kind, index, &words)
    }
    let sum = line ?? spec
    let reference = engines.reference
    let cases = SumCases(spec: sum, codes: codes) { (inputs) throws(VectorsError) in
      try sum.result(inputs, engine: reference)
    }
    guard line != nil else { return try cases.make(kind, index, &words) }
    return try TileCases(spec: spec, sums: cases).make(kind, index, &words)
  }

  /// A case and its result. Random cases that tell nothing are drawn again, but for a quarter that
  /// stays as it fell.
  func makeCase(_ kind: CaseClass, _ index: Int) throws(VectorsError) -> VectorCase {
    var made = try evaluated(kind, inputs(kind, index))
    var attempt = 1
    while kind == .random, !made.isInformative, index % 4 > 0, attempt < 8 {
      made = try evaluated(kind, inputs(kind, index, attempt: attempt))
      attempt += 1
    }
    for engine in engines.compared {
      let other = try spec.result(made.inputs, engine: engine)
      guard other == made.expected else { throw difference(made, index, engine.name, other) }
    }
    return made
  }

  /// Whether a case has a result, rather than a refusal.
  func isTaken(_ kind: CaseClass, _ index: Int) -> Bool {
    guard let inputs = try? inputs(kind, index) else { return false }
    return (try? spec.result(inputs, engine: engines.quickest)) != nil
  }

  private func evaluated(
    _ kind: CaseClass, _ inputs: [UInt64]
  ) throws(VectorsError) -> VectorCase {
    let result = try spec.result(inputs, engine: engines.reference)
    return VectorCase(
      kind: kind, inputs: inputs, expected: result,
      isInformative: spec.isInformative(result, codes: codes))
  }

  private func difference(
    _ made: VectorCase, _ index: Int, _ engine: String, _ other: [UInt64]
  ) -> VectorsError {
    var bytes: [UInt8] = []
    func text(_ layout: WordLayout, _ lanes: [UInt64]) -> String {
      layout.pack(lanes, into: &bytes)
      return hexadecimal(bytes, digits: layout.digits)
    }
    return .difference(
      "\(spec.operation.rawValue), class \(made.kind.rawValue), case \(index): the engines differ,"
        + " and nothing is written: inputs \(text(spec.inputs, made.inputs)), reference"
        + " \(text(spec.expected, made.expected)), \(engine) \(text(spec.expected, other))")
  }
}

private let lowerDigits = Array("0123456789abcdef".utf8)
private let upperDigits = Array("0123456789ABCDEF".utf8)

/// Appends the last `digits` hexadecimal digits of a little-endian number.
func appendHexadecimal(
  _ bytes: [UInt8], digits: Int, upper: Bool = false, to output: inout [UInt8]
) {
  let table = upper ? upperDigits : lowerDigits
  for digit in stride(from: digits - 1, through: 0, by: -1) {
    let byte = bytes[digit / 2]
    output.append(table[Int(digit % 2 == 0 ? byte & 15 : byte >> 4)])
  }
}

func hexadecimal(_ bytes: [UInt8], digits: Int) -> String {
  var output: [UInt8] = []
  appendHexadecimal(bytes, digits: digits, to: &output)
  return String(decoding: output, as: UTF8.self)
}

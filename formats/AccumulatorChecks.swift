import NumberFormats

// Combinations that contradict themselves, or that the engines are not proven on, are refused.
extension AccumulatorRow {
  func outputField(
    _ datapath: Accumulator.Datapath, file: String
  ) throws(CatalogError) -> Accumulator.Output {
    func bad(_ reason: String) -> CatalogError { .badRow(file: file, row: name, reason: reason) }
    let format: Accumulator.Output.Format
    switch datapath {
    case .integer(let register): format = register.width > 32 ? .int64 : .int32
    case .fixed: format = .int64
    default:
      let text = output?.lowercased() ?? "fp32"
      if text == "fp32" {
        format = .float32(mantissaBits: 23)
      } else if text == "bf16" {
        format = .float32(mantissaBits: 7)
      } else if text == "fp16" {
        format = .float16
      } else if text.hasPrefix("e8m"), let bits = Int(text.dropFirst(3)), (1...23).contains(bits) {
        format = .float32(mantissaBits: bits)
      } else {
        throw bad("output: \"\(text)\": expected fp32, e8mN, bf16 or fp16")
      }
    }
    let isFloat16 = format == .float16
    var mode = Rounding.tiesToEven
    if let text = rounding {
      guard let found = Rounding(text), Rounding.deterministic.contains(found) else {
        throw bad("rounding: \"\(text)\": expected a rounding other than stochastic")
      }
      mode = found
    }
    let pattern = nan ?? (isFloat16 ? 0x7E00 : 0x7FC0_0000)
    let magnitude = pattern & (isFloat16 ? 0x7FFF : 0x7FFF_FFFF)
    guard magnitude > (isFloat16 ? 0x7C00 : 0x7F80_0000), !isFloat16 || pattern <= 0xFFFF else {
      throw bad("nan: expected a pattern that means NaN")
    }
    return Accumulator.Output(
      format: format, rounding: mode, overflow: overflow ?? .infinity,
      flushesSubnormals: flushSubnormals ?? false, nan: pattern)
  }

  func check(_ accumulator: Accumulator, file: String) throws(CatalogError) {
    func bad(_ reason: String) -> CatalogError { .badRow(file: file, row: name, reason: reason) }
    if let every = accumulator.promoteEvery, every < 1 {
      throw bad("promoteEvery: expected at least 1")
    }
    if accumulator.promoteEvery != nil, accumulator.appliesScales {
      throw bad("promoteEvery: only for a unit that knows no scales")
    }
    switch accumulator.datapath {
    case .exact:
      guard accumulator.output.format == .float32(mantissaBits: 23) else {
        throw bad("output: exact gives fp32")
      }
    case .float32(let steps):
      guard (1...65536).contains(steps.step ?? 1) else {
        throw bad("float32.step: expected 1 to 65536")
      }
      if case .chains(let count) = steps.order, count > 1024 {
        throw bad("float32.chains: expected at most 1024")
      }
      guard accumulator.output.format == .float32(mantissaBits: 23),
        accumulator.output.rounding == .tiesToEven
      else { throw bad("output: float32 steps give fp32 by tiesToEven") }
      if steps.fusedMultiplyAdd {
        guard case .chains = steps.order, !steps.scalesProducts else {
          throw bad("float32.fusedMultiplyAdd: expected with chains and without scalesProducts")
        }
      }
    case .fused(let step): try check(step, bad)
    case .integer(let register):
      guard (2...64).contains(register.width) else { throw bad("integer.width: expected 2 to 64") }
      if let step = register.step, step < 1 { throw bad("integer.step: expected at least 1") }
      guard case .integers = accumulator.operands else {
        throw bad("operands: an integer register takes \"integers\"")
      }
    case .fixed(let register):
      guard (2...64).contains(register.width) else { throw bad("fixed.width: expected 2 to 64") }
      guard (-1000...1000).contains(register.lsb) else {
        throw bad("fixed.lsb: expected -1000 to 1000")
      }
      guard register.terms >= 1 else { throw bad("fixed.terms: expected at least 1") }
    }
  }

  private func check(
    _ step: FusedStep, _ bad: (String) -> CatalogError
  ) throws(CatalogError) {
    guard (1...1024).contains(step.terms) else { throw bad("fused.terms: expected 1 to 1024") }
    guard (1...step.terms).contains(step.group) else {
      throw bad("fused.group: expected 1 to terms")
    }
    guard (step.group > 1) == (step.scaling == .groups) else {
      throw bad("fused.group: more than 1 exactly where scaling is groups")
    }
    if let alignment = step.alignment {
      guard (-1...64).contains(alignment.fraction) else {
        throw bad("fused.fraction: expected -1 to 64")
      }
      if let zero = alignment.zeroExponent, !(-1000...1000).contains(zero) {
        throw bad("fused.zero: expected -1000 to 1000")
      }
    }
    if case .late(let late) = step.join {
      guard step.alignment != nil else { throw bad("fused.late: expected with a fraction") }
      for bits in [late.sumFraction, late.addendFraction, late.resultFraction ?? 31]
      where !(0...64).contains(bits) {
        throw bad("fused.late: expected fractions from 0 to 64")
      }
    }
    if step.splitsEvenOdd {
      guard case .late = step.join else { throw bad("fused.splitsEvenOdd: expected with late") }
    }
    if step.scaling != .none {
      guard step.join == .fused else { throw bad("fused.scaling: expected with c in the sum") }
    }
  }
}

/// `fixed(W,lsb,wrap|saturate)`: an architect's own adder, named on the command line.
public func fixedAccumulator(named text: String) -> Accumulator? {
  let compact = text.lowercased().filter { !$0.isWhitespace }
  guard compact.hasPrefix("fixed("), compact.hasSuffix(")") else { return nil }
  let parts = compact.dropFirst(6).dropLast().split(
    separator: ",", omittingEmptySubsequences: false)
  guard parts.count == 3, let width = Int(parts[0]), let lsb = Int(parts[1]),
    let overflow = RegisterOverflow(rawValue: String(parts[2])), (2...64).contains(width),
    (-1000...1000).contains(lsb)
  else { return nil }
  return Accumulator(
    name: compact, source: "the command line", operands: .any,
    datapath: .fixed(FixedPointRegister(width: width, lsb: lsb, overflow: overflow)),
    output: Accumulator.Output(format: .int64, nan: 0x7FC0_0000))
}

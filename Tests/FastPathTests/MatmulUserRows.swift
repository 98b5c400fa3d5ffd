import NumberFormats

// Accumulators that no unit has, for every parameter that a row of one's own can set.

private func output(
  _ format: Accumulator.Output.Format = .float32(mantissaBits: 23),
  _ rounding: Rounding = .tiesToEven, overflow: Accumulator.Output.Overflow = .infinity,
  flushes: Bool = false
) -> Accumulator.Output {
  Accumulator.Output(
    format: format, rounding: rounding, overflow: overflow, flushesSubnormals: flushes,
    nan: format == .float16 ? 0x7E01 : 0x7FA0_0001)
}

private let small = Accumulator.Operands.named(["e4m3", "e5m2", "e2m1"])
private let halves = Accumulator.Operands.named(["fp16", "bf16"])

private func row(
  _ name: String, _ operands: Accumulator.Operands, _ datapath: Accumulator.Datapath,
  _ out: Accumulator.Output = output(), promoteEvery: Int? = nil
) -> Accumulator {
  Accumulator(
    name: name, operands: operands, datapath: datapath, output: out, promoteEvery: promoteEvery)
}

private func aligned(
  _ fraction: Int, _ rounding: Rounding = .towardZero, zero: Int? = nil
) -> FusedStep.Alignment {
  FusedStep.Alignment(fraction: fraction, rounding: rounding, zeroExponent: zero)
}

/// Fused steps with c in the sum.
let fusedUserRows: [Accumulator] = widthRows + roundingRows + zeroRows + otherRows

private let widthRows: [Accumulator] =
  [-1, 0, 1, 30, 44, 47, 60, 64].map { (fraction: Int) -> Accumulator in
    row(
      "F=\(fraction)", small, .fused(FusedStep(terms: 5, alignment: aligned(fraction, zero: -20))))
  }

private let roundingRows: [Accumulator] =
  Rounding.deterministic.enumerated().flatMap { (index: Int, rounding: Rounding) -> [Accumulator] in
    [
      row(
        "align \(rounding)", .any,
        .fused(FusedStep(terms: 7, alignment: aligned(9, rounding, zero: index - 30)))),
      row(
        "output \(rounding) e8m3", small, .fused(FusedStep(terms: 6, alignment: aligned(20))),
        output(.float32(mantissaBits: 3), rounding, overflow: .largestFinite)),
      row(
        "output \(rounding) fp16", halves, .fused(FusedStep(terms: 6, alignment: aligned(20))),
        output(.float16, rounding, flushes: index % 2 == 0)),
      row(
        "exact \(rounding) bf16", .any, .fused(FusedStep(terms: 9, alignment: nil)),
        output(.float32(mantissaBits: 7), rounding, flushes: index % 2 == 1)),
      row(
        "add \(rounding)", halves,
        .fused(
          FusedStep(terms: 6, alignment: aligned(12, rounding, zero: -8), join: .add(rounding))),
        output(.float32(mantissaBits: 10), rounding)),
      row(
        "exact add \(rounding)", .any,
        .fused(FusedStep(terms: 3, alignment: nil, join: .add(rounding))),
        output(.float16, .tiesToAway, overflow: .largestFinite)),
    ]
  }

private let zeroRows: [Accumulator] =
  [1000, 300, 0, -140, -1000].map { (zero: Int) -> Accumulator in
    row("zero \(zero)", .any, .fused(FusedStep(terms: 4, alignment: aligned(25, zero: zero))))
  }

private let otherRows: [Accumulator] = [
  row("infinite", halves, .fused(FusedStep(terms: 5, alignment: nil, infiniteProducts: true))),
  row(
    "promoted", small, .fused(FusedStep(terms: 8, alignment: aligned(13, zero: -133))),
    output(.float16), promoteEvery: 11),
]

/// Units that know scales.
let scaledUserRows: [Accumulator] = scaledRoundingRows + otherScaledRows

private let scaledRoundingRows: [Accumulator] = Rounding.deterministic.flatMap {
  (rounding: Rounding) -> [Accumulator] in
  [
    row(
      "products \(rounding)", .any,
      .fused(
        FusedStep(terms: 9, scaling: .products, alignment: aligned(22, rounding, zero: -250)))),
    row(
      "groups \(rounding)", small,
      .fused(
        FusedStep(
          terms: 20, group: 7, scaling: .groups, alignment: aligned(18, rounding, zero: -130))),
      output(.float32(mantissaBits: 11), rounding)),
  ]
}

private let otherScaledRows: [Accumulator] = [
  row("products exact", .any, .fused(FusedStep(terms: 5, scaling: .products, alignment: nil))),
  row(
    "groups exact", small,
    .fused(FusedStep(terms: 12, group: 4, scaling: .groups, alignment: nil))),
  row(
    "groups of 40", .named(["e2m1"]),
    .fused(FusedStep(terms: 80, group: 40, scaling: .groups, alignment: aligned(30)))),
  row(
    "infinite scaled", small,
    .fused(
      FusedStep(
        terms: 5, scaling: .products, alignment: aligned(24, zero: -100), infiniteProducts: true))),
]

/// CDNA3's kind.
let lateUserRows: [Accumulator] = Rounding.deterministic.enumerated().map { index, rounding in
  let late = FusedStep.LateJoin(
    sumFraction: [31, 4, 40, 0, 28][index % 5], addendFraction: [24, 30, 3, 20, 64][index % 5],
    dropsBelow: index % 2 == 0 ? index : nil, resultFraction: index % 3 == 0 ? nil : 9 * index)
  return row(
    "late \(rounding)", index % 2 == 0 ? halves : .any,
    .fused(
      FusedStep(
        terms: index + 1, alignment: aligned(20 + index, rounding, zero: index > 3 ? -40 : nil),
        join: .late(late), splitsEvenOdd: index % 3 != 1, infiniteProducts: index % 2 == 1)),
    output(.float32(mantissaBits: 23 - index), rounding))
}

/// Float32 steps.
let float32UserRows: [Accumulator] = [
  row("step 5", .any, .float32(Float32Steps(step: 5, order: .pairwise, scalesProducts: true))),
  row("step 4", small, .float32(Float32Steps(step: 4, order: .sequential))),
  row(
    "3 chains", .any,
    .float32(
      Float32Steps(
        step: 8, order: .chains(count: 3), inputSubnormals: .flushToPositiveZero,
        flushesResults: true))),
  row(
    "40 chains", .any,
    .float32(Float32Steps(order: .chains(count: 40), fusedMultiplyAdd: true))),
  row(
    "4 fused chains", .any,
    .float32(
      Float32Steps(
        order: .chains(count: 4), fusedMultiplyAdd: true, inputSubnormals: .flushToSignedZero)),
    output(flushes: true), promoteEvery: 13),
  row(
    "scaled chains", .any,
    .float32(Float32Steps(step: 6, order: .chains(count: 2), scalesProducts: true))),
  row(
    "flushing", halves,
    .float32(
      Float32Steps(
        order: .sequential, inputSubnormals: .flushToSignedZero, flushesResults: true))),
  row("promoted", halves, .float32(Float32Steps(order: .pairwise)), promoteEvery: 9),
]

/// Integer and fixed-point registers.
let registerUserRows: [Accumulator] = registerWidths + fixedRoundings + fixedGrids + otherRegisters

private let registerWidths: [Accumulator] = [2, 12, 32, 33, 53, 62, 63, 64].flatMap {
  (width: Int) -> [Accumulator] in
  [RegisterOverflow.wrap, .saturate].flatMap { (overflow: RegisterOverflow) -> [Accumulator] in
    let register = Accumulator.Output(
      format: width > 32 ? .int64 : .int32, nan: 0x7FC0_0000)
    let fixed = Accumulator.Output(format: .int64, nan: 0x7FC0_0000)
    return [
      row(
        "integer \(width) \(overflow)", .integers(bits: 8),
        .integer(
          IntegerRegister(width: width, overflow: overflow, step: width % 5 == 0 ? nil : width % 5)),
        register),
      row(
        "fixed \(width) \(overflow)", .any,
        .fixed(
          FixedPointRegister(
            width: width, lsb: 20 - width, overflow: overflow, terms: 1 + width % 4,
            rounding: Rounding.deterministic[width % 7])), fixed),
    ]
  }
}

private let fixedRoundings: [Accumulator] = Rounding.deterministic.map {
  (rounding: Rounding) -> Accumulator in
  row(
    "fixed \(rounding)", small,
    .fixed(
      FixedPointRegister(width: 24, lsb: -6, overflow: .saturate, terms: 1, rounding: rounding)),
    Accumulator.Output(format: .int64, nan: 0x7FC0_0000))
}

private let fixedGrids: [Accumulator] = [-1000, 1000, -300].map { (lsb: Int) -> Accumulator in
  row(
    "fixed lsb \(lsb)", small,
    .fixed(FixedPointRegister(width: 40, lsb: lsb, overflow: .wrap, terms: 2, rounding: .toOdd)),
    Accumulator.Output(format: .int64, nan: 0x7FC0_0000))
}

private let otherRegisters: [Accumulator] = [
  row(
    "integer whole", .integers(bits: 8), .integer(IntegerRegister(width: 64, overflow: .saturate)),
    Accumulator.Output(format: .int64, nan: 0x7FC0_0000)),
  row(
    "integer promoted", .integers(bits: 8), .integer(IntegerRegister(width: 16, overflow: .wrap)),
    Accumulator.Output(format: .int32, nan: 0x7FC0_0000), promoteEvery: 10),
]

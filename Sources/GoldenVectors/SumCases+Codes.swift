import NumberFormats

// Every code of the elements, of the scales, and of c.
extension SumCases {
  private func oneScales(_ operands: inout SumOperands) {
    let one = scale.code(exponent: 0)
    operands.scalesA = operands.scalesA.map { _ in one }
    operands.scalesB = operands.scalesB.map { _ in one }
  }

  /// A code of A or of B against ones, the other lanes of its operand zero; later against anything.
  func elementCodes(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let sample = codes.sample(refusesSpecials: spec.refusesSpecials)
    let item = index / 2 % sample.count
    let lane = words.below(depth)
    var block = operands.a
    var other = operands.b
    if index < 2 * sample.count {
      block = block.map { _ in codes.plusZero }
      other = other.map { _ in codes.code(nearest: 1) }
      oneScales(&operands)
      operands.c = 0
    }
    block[lane] = sample[item]
    (operands.a, operands.b) = index % 2 == 0 ? (block, other) : (other, block)
  }

  /// A code of a scale of A or of B beside scales of 1, in the only block that is not zero; then
  /// pairs of codes.
  func scaleCodes(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let sample = scale.sample(refusesSpecials: spec.refusesSpecials)
    let block = words.below(blocks)
    for k in 0..<depth where k / spec.lanes != block {
      operands.a[k] = codes.plusZero
      operands.b[k] = codes.plusZero
    }
    let isZero = (0..<depth).allSatisfy {
      codes.value(operands.a[$0]) == 0 || codes.value(operands.b[$0]) == 0
    }
    if isZero {
      operands.a[block * spec.lanes] = codes.code(nearest: 1)
      operands.b[block * spec.lanes] = codes.largest
    }
    oneScales(&operands)
    operands.c = 0
    let code = sample[index / 2 % sample.count]
    let second = words.pick(sample, else: 0)
    if index >= 2 * sample.count {
      operands.scalesA[block] = words.pick(sample, else: 0)
      operands.scalesB[block] = second
    } else if index % 2 == 0 {
      operands.scalesA[block] = code
    } else {
      operands.scalesB[block] = code
    }
  }

  /// Sets bits of scales that reading ignores, in one block of eight.
  func ignoredBits(_ operands: inout SumOperands, _ words: inout CaseRandom) {
    let ignored = scale.ignoredBits
    guard spec.isScaled, ignored != 0 else { return }
    for block in 0..<blocks {
      if words.below(8) == 0 { operands.scalesA[block] |= ignored }
      if words.below(8) == 0 { operands.scalesB[block] |= ignored }
    }
  }

  /// A special c over zeros, over ordinary data, then any subnormal c (any c of a register).
  func specialAddend(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let list = spec.specialAddends
    let turn = index / list.count
    if turn != 1 && index % 2 == 0 || turn == 0 {
      operands.a = operands.a.map { _ in codes.plusZero }
    }
    guard turn > 1 else {
      operands.c = list[index % list.count]
      return
    }
    let any = UInt64(words.next()) << 32 | UInt64(words.next())
    let width = UInt64(spec.expected.width)
    let dropped: UInt64 = width == 32 ? UInt64(23 - spec.outputMantissa) : 0
    let below = spec.isRegister ? width : UInt64(spec.outputMantissa)
    operands.c = (any & (below == 64 ? .max : (1 << below) - 1)) << (spec.isRegister ? 0 : dropped)
    if words.flip() { operands.c |= negativeC }
  }
}

extension VectorSpec {
  /// What c can be beside ordinary numbers, in the patterns that the output has.
  var specialAddends: [UInt64] {
    let width = UInt64(expected.width)
    let end: UInt64 = 1 << (width - 1)
    if isRegister {
      let bits = (0..<width).map { UInt64(1) << $0 }
      let alternating: UInt64 = 0x5555_5555_5555_5555 & (end | (end - 1))
      return [
        0, end - 1, end | (end - 1), end - 2, end + 1, alternating, alternating << 1 & (end - 1),
      ]
        + bits
    }
    let mantissa: UInt64 = width == 16 ? 10 : 23
    let last: UInt64 = 1 << (mantissa - UInt64(outputMantissa))
    let normal: UInt64 = 1 << mantissa
    let infinity = end - normal
    let one = (infinity >> 1) & ~(normal - 1)
    let fraction = normal - last
    let quiet = infinity | normal >> 1
    let magnitudes = [
      0, last, fraction, normal, normal + last, one, one + last, one - last, infinity - last,
      infinity, quiet, quiet | last, infinity | last, infinity | fraction,
    ]
    let exponents = (mantissa..<(width - 1)).map { UInt64(1) << $0 | last }
    let fractions = (0..<UInt64(outputMantissa)).map { one | last << $0 }
    return magnitudes + magnitudes.map { $0 | end } + exponents + fractions.map { $0 | end }
  }
}

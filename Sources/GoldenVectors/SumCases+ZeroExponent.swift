import NumberFormats

// Zeros beside terms whose exponents lie below that of a zero.
extension SumCases {
  /// A sum near the smallest result, a bit beside the last one that a zero's exponent keeps, which
  /// decides the result, and zeros.
  ///
  /// Where results are rounded to the nearest the sum is a tie, else a multiple of the smallest
  /// result from which the bit takes.
  func zeroExponents(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    quiet(&operands, &words)
    guard let (_, alignment) = spec.aligned, let zero = alignment.zeroExponent else { return }
    let isTie = spec.accumulator.output.rounding != .towardZero
    let isOdd = isTie && index / 4 % 2 == 1
    let base = spec.smallestExponent + (isTie ? -1 : words.below(3))
    let lowest =
      codes.productPowers.lowerBound + (spec.alignsScales ? 2 * scale.exponents.lowerBound : 0)
    let last = zero - alignment.fraction
    let wanted = [last, last - 1, last + words.below(8), last - 1 - words.below(4)][index % 4]
    let bit = max(lowest, min(wanted, base - 1))
    let isNegative = words.flip()
    let lanes = stepLanes(&words)
    guard lanes.count > 1 else { return }
    let (far, near) = setScales(&operands, lanes, base: base, bit: bit, &words)
    let (baseLane, bitLane) = (far.lane, near.lane)
    place(&operands, 0, from: baseLane, power: base - far.scale, negative: isNegative)
    place(
      &operands, 0, from: bitLane, power: bit - near.scale,
      negative: isNegative != (!isTie || isOdd))
    var rest = lanes.filter { $0 != baseLane && $0 != bitLane }
    if isOdd, let place = rest.firstIndex(where: { sharesBlock($0, baseLane) }) {
      self.place(
        &operands, 0, from: rest.remove(at: place), power: base + 1 - far.scale,
        negative: isNegative)
    }
    fill(&operands, rest, beside: baseLane, power: base - far.scale, &words)
    if spec.operation == .mma, words.flip() { operands.c = negativeC }
  }

  private func sharesBlock(_ lane: Int, _ other: Int) -> Bool {
    !spec.alignsScales || lane / spec.lanes == other / spec.lanes
  }

  /// The lanes of the base and of the bit, with the exponents of their scales: of one block where its
  /// products span both, of two blocks, or without scales.
  private func setScales(
    _ operands: inout SumOperands, _ lanes: [Int], base: Int, bit: Int, _ words: inout CaseRandom
  ) -> (far: (lane: Int, scale: Int), near: (lane: Int, scale: Int)) {
    let powers = codes.productPowers
    guard spec.alignsScales else {
      if spec.isScaled { setScales(&operands, exponent: 0) }
      return ((lanes[0], 0), (lanes[1], 0))
    }
    let other = lanes.first { !sharesBlock($0, lanes[0]) }
    let beside = lanes.dropFirst().first { sharesBlock($0, lanes[0]) }
    // One more for a tie's odd neighbour.
    let room = powers.count - 2 - (base - bit)
    if let beside, room >= 0, other == nil || words.flip() {
      let exponent = bit - (powers.lowerBound + words.below(room + 1))
      setScales(&operands, exponent: exponent)
      return ((lanes[0], exponent), (beside, exponent))
    }
    guard let other else {
      // The base is then the largest product there is.
      let exponent = bit - powers.lowerBound
      setScales(&operands, exponent: exponent)
      return ((lanes[0], exponent), (beside ?? lanes[0], exponent))
    }
    let far = base - words.within(powers.lowerBound...max(powers.lowerBound, powers.upperBound - 1))
    let near = bit - words.within(powers)
    setScales(&operands, exponent: far)
    setScales(&operands, exponent: near, block: other / spec.lanes)
    return ((lanes[0], far), (other, near))
  }

  /// The other lanes: zeros in both operands, in one of them beside anything, or none but what pairs
  /// that cancel leave.
  private func fill(
    _ operands: inout SumOperands, _ lanes: [Int], beside base: Int, power: Int,
    _ words: inout CaseRandom
  ) {
    switch words.below(4) {
    case 0: break
    case 1:
      for lane in lanes { operands.b[lane] = words.pick(codes.finite, else: codes.plusZero) }
    case 2:
      for lane in lanes {
        operands.a[lane] = words.pick(codes.finite, else: codes.plusZero)
        if words.flip() { operands.b[lane] = codes.negativeZero ?? codes.plusZero }
      }
    default:
      let own = lanes.filter { sharesBlock($0, base) }
      for (place, lane) in own.prefix(own.count / 2 * 2).enumerated() {
        self.place(&operands, 0, from: lane, power: power, negative: place % 2 == 1)
      }
    }
  }
}

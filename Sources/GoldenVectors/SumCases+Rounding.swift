import NumberFormats

// Ties, what decides them, carries, and the ends of the output's range.
extension SumCases {
  /// Places of a float's last bit: where the output keeps fewer than float32's 23, as many above.
  private var dropped: UInt32 { spec.expected.width == 16 ? 13 : UInt32(23 - spec.outputMantissa) }

  /// Puts the product 2^exponent into a lane, counted from `start`; nothing where there is none.
  func place(
    _ operands: inout SumOperands, _ lane: Int, from start: Int, power: Int, negative: Bool = false
  ) {
    guard lane < depth else { return }
    let (a, b) = codes.pair(power: power)
    operands.a[(start + lane) % depth] = codes.signed(a, negative: negative)
    operands.b[(start + lane) % depth] = b
  }

  /// The smallest product below the others: nothing, of the same sign, of the other one.
  private func placeTail(
    _ operands: inout SumOperands, _ lane: Int, from start: Int, kind: Int, negative: Bool
  ) {
    guard kind > 0 else { return }
    place(
      &operands, lane, from: start, power: codes.productPowers.lowerBound,
      negative: negative != (kind == 2))
  }

  /// How many cases meet every combination of `ties`.
  static let ties = 306

  /// Results halfway between two neighbours, and what decides them however far below it lies: c above
  /// the products, the products above c, or both halves within the products.
  func ties(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let turn = index % Self.ties
    guard spec.operation == .mma, !spec.isRegister, turn < 270 else {
      tiesWithin(&operands, index, &words)
      return
    }
    quiet(&operands, &words)
    let mantissa = spec.outputMantissa
    let isAbove = turn < 180
    let combination = isAbove ? turn : turn - 180
    let (steps, shape) = (isAbove ? 6 : 5, combination / (isAbove ? 6 : 5))
    let start = words.below(depth)
    let negative = words.flip()
    let powers = codes.productPowers
    place(
      &operands, 0, from: start,
      power: shape % 2 == 0 ? min(max(0, powers.lowerBound), powers.upperBound) : powers.upperBound,
      negative: negative)
    placeTail(&operands, 1, from: start, kind: shape / 2 % 3, negative: negative)
    let far = mantissa - 1 + combination % steps
    let any = words.next()
    let ones = (UInt32(1) << UInt32(mantissa)) - 1
    let fractions: [UInt32] = isAbove ? [0, 1, 2, ones, any & ones] : [0, 1, any & ones]
    operands.c = c(
      exponent: top(operands) + (isAbove ? far : -far), negative: words.flip(),
      fractions[shape / 6 % fractions.count] << dropped)
  }

  /// A tie within the sum of products; what decides it is a product, or c.
  private func tiesWithin(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    quiet(&operands, &words)
    let powers = codes.productPowers
    var tie = powers.upperBound - spec.outputMantissa - 1
    var head = powers.upperBound
    if case .fixed(let register) = spec.accumulator.datapath {
      tie = register.lsb - 1
      head = tie + 1 + words.below(4)
      let one = scale.code(exponent: 0)
      operands.scalesA = operands.scalesA.map { _ in one }
      operands.scalesB = operands.scalesA
    }
    let start = words.below(depth)
    let negative = words.flip()
    place(&operands, 0, from: start, power: head, negative: negative)
    if tie >= powers.lowerBound {
      place(&operands, 1, from: start, power: tie, negative: negative)
    }
    let tail = index % 3
    placeTail(
      &operands, 2, from: start, kind: tie > powers.lowerBound ? tail : 0, negative: negative)
    // An odd last bit.
    if index / 3 % 2 == 1 { place(&operands, 3, from: start, power: tie + 1, negative: negative) }
    guard spec.operation == .mma, !spec.isRegister else { return }
    let far = [30, 50, 80, 150][index / 6 % 4]
    if index / 24 % 3 > 0 {
      operands.c = c(exponent: top(operands) - far, negative: index / 24 % 3 == 1, words.next())
    }
  }

  /// c (or the products) ends on a run of ones of every length, and half a unit, or a whole one, is
  /// added; a quarter of the cases borrows.
  func carries(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    quiet(&operands, &words)
    let mantissa = spec.outputMantissa
    let length = index / 4 % (mantissa + 1)
    let start = words.below(depth)
    let negative = words.flip()
    guard spec.operation == .mma else {
      carriesWithin(&operands, index, length: length, start: start, negative: negative)
      return
    }
    place(&operands, 0, from: start, power: codes.productPowers.upperBound, negative: negative)
    if index % 2 == 1 { placeTail(&operands, 1, from: start, kind: 1, negative: negative) }
    let run = (UInt32(1) << UInt32(length)) - 1
    let above = length == mantissa ? 0 : words.next() << UInt32(length + 1)
    let borrows = index % 4 == 3
    let fraction = above & ((1 << UInt32(mantissa)) - 1) | (borrows ? 0 : run)
    let far = index % 4 == 2 || borrows && words.flip() ? mantissa : mantissa + 1
    operands.c = c(
      exponent: top(operands) + far, negative: negative != borrows, fraction << dropped)
  }

  private func carriesWithin(
    _ operands: inout SumOperands, _ index: Int, length: Int, start: Int, negative: Bool
  ) {
    let powers = codes.productPowers
    let head = powers.upperBound
    let last = head - spec.outputMantissa
    place(&operands, 0, from: start, power: head, negative: negative)
    if index % 2 == 0 || depth < 4 || length == 0 {
      // Just below a power of two: ones, then more than half a unit.
      let room = last - 2 - powers.lowerBound
      place(
        &operands, 1, from: start, power: last - 2 - index / 2 % (room + 1), negative: !negative)
      return
    }
    place(
      &operands, 1, from: start, power: min(head - 1, last + length), negative: negative)
    place(&operands, 2, from: start, power: last, negative: !negative)
    place(&operands, 3, from: start, power: last - 1, negative: negative)
  }

  func overflow(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let negative = index % 2 == 1
    let end = spec.isRegister ? spec.expected.width - 2 : spec.expected.width == 16 ? 15 : 127
    if spec.isScaled, spec.operation == .mma, !spec.isRegister, index % 8 > 5 {
      // Half a unit beside the largest number, and what decides it.
      quiet(&operands, &words)
      let start = words.below(depth)
      let powers = codes.productPowers
      place(&operands, 0, from: start, power: powers.upperBound, negative: negative)
      placeTail(&operands, 1, from: start, kind: index / 8 % 3, negative: negative)
      let half = end - spec.outputMantissa - 1 + words.below(2)
      setScales(&operands, exponent: half - powers.upperBound)
      operands.c = c(exponent: 2000, negative: negative, 0)
      return
    }
    for k in 0..<depth where words.below(4) > 0 {
      operands.a[k] = codes.signed(codes.largest, negative: negative)
      operands.b[k] = codes.largest
    }
    if spec.isScaled {
      // The products' top lies a few binades around the output's.
      let wanted = end + words.within(-30...2) - 2 * codes.exponents.upperBound
      aim(&operands, exponent: wanted, &words)
    }
    // c at the very end, or in the last binade.
    let top = spec.isRegister ? spec.expected.width : end
    operands.c = c(
      exponent: index % 4 < 2 ? 2000 : top, negative: negative != (words.below(6) == 0),
      words.next())
  }

  func underflow(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    for k in 0..<depth {
      operands.a[k] =
        words.below(3) == 0 ? codes.plusZero : codes.signed(codes.smallest, negative: words.flip())
      operands.b[k] = codes.smallest
    }
    let end = spec.smallestExponent
    if spec.isScaled {
      aim(&operands, exponent: end + words.within(-3...3) - 2 * codes.exponents.lowerBound, &words)
    }
    operands.c = index % 2 == 0 ? 0 : c(exponent: end + words.below(2), negative: words.flip(), 0)
  }

  /// How many cases meet every combination of `subnormals`.
  static let subnormals = 360

  /// Anything in the subnormal range, and every second case a tie on the subnormal grid.
  func subnormals(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let reaches = spec.reachesHalfSubnormal(scale, codes)
    if reaches, index % 2 == 0 {
      subnormalTies(&operands, index / 2, &words)
      return
    }
    let end = spec.smallestExponent...(spec.expected.width == 16 ? -15 : -127)
    if reaches {
      aim(&operands, exponent: words.within(end) - top(unscaled: operands), &words)
    } else {
      clearTail(&operands, from: 0)
    }
    operands.c =
      index % 4 == 1 && reaches
      ? 0 : c(exponent: words.within(end), negative: words.flip(), words.next())
  }

  /// A product of half the smallest subnormal, one or a quarter, a larger one above it, the smallest
  /// far below; c of 0, the smallest, the largest subnormal, any, or the smallest normal number.
  private func subnormalTies(
    _ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom
  ) {
    quiet(&operands, &words)
    let powers = codes.productPowers
    // None above it, one just above it with the tail as far below as can be, one far above it.
    let above = [0, 1, 2, powers.count / 2][index / 3 % 4]
    let tie = max(powers.upperBound - above, powers.lowerBound)
    let start = words.below(depth)
    let negative = words.flip()
    place(&operands, 0, from: start, power: tie, negative: negative)
    placeTail(&operands, 1, from: start, kind: index % 3, negative: negative)
    if above > 0 {
      place(&operands, 2, from: start, power: powers.upperBound, negative: negative)
    }
    let wanted = spec.smallestExponent + [-1, 0, -2][index / 12 % 3]
    setScales(&operands, exponent: wanted - tie)
    guard spec.operation == .mma else { return }
    let normal: UInt64 = spec.expected.width == 16 ? 1 << 10 : 1 << 23
    let last: UInt64 = spec.expected.width == 16 ? 1 : 1 << UInt64(dropped)
    let any = UInt64(words.next()) & (normal - 1) & ~(last - 1)
    operands.c = [0, last, normal - last, any, normal][index / 36 % 5]
    if operands.c != 0, negative != (words.below(3) == 0) { operands.c |= negativeC }
  }

  /// Scales whose product is 2^exponent, as far as the format reaches, of one block or of all.
  func setScales(_ operands: inout SumOperands, exponent: Int, block: Int? = nil) {
    let range = scale.exponents
    let first = min(max(exponent / 2, range.lowerBound), range.upperBound)
    for block in block.map({ $0..<($0 + 1) }) ?? 0..<blocks {
      operands.scalesA[block] = scale.code(exponent: first)
      operands.scalesB[block] = scale.code(exponent: exponent - first)
    }
  }
}

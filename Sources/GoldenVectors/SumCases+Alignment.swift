import NumberFormats

// Alignment and cancellation.
extension SumCases {
  /// Zeros but for scales of powers of two near 1.
  func quiet(_ operands: inout SumOperands, _ words: inout CaseRandom) {
    for k in 0..<depth {
      operands.a[k] = codes.plusZero
      operands.b[k] = codes.plusZero
    }
    let exponents = (words.within(-2...2), words.within(-2...2))
    operands.scalesA = operands.scalesA.map { _ in scale.code(exponent: exponents.0) }
    operands.scalesB = operands.scalesB.map { _ in scale.code(exponent: exponents.1) }
    operands.c = 0
  }

  /// Puts a product of about 2^exponent into a lane.
  private func put(
    _ operands: inout SumOperands, lane: Int, exponent: Int, negative: Bool,
    _ words: inout CaseRandom
  ) {
    let range = codes.exponents
    let first = min(max(range.lowerBound, exponent - range.upperBound), range.upperBound)
    operands.a[lane] = codes.signed(codes.code(exponent: first, &words), negative: negative)
    operands.b[lane] = codes.code(exponent: exponent - first, &words)
  }

  /// Two terms `distance` binades apart: two products, or a product and c.
  func ladder(
    _ operands: inout SumOperands, _ index: Int, distance: Int, _ words: inout CaseRandom
  ) {
    quiet(&operands, &words)
    let turn = index / (fraction + 4)
    let largest = 2 * codes.exponents.upperBound
    let reach = 2 * (codes.exponents.upperBound - codes.exponents.lowerBound)
    let lane = words.below(depth)
    if spec.isScaled, blocks > 1, turn % 4 == 3 {
      scaledApart(&operands, turn, distance: distance, &words)
      return
    }
    let usesC = spec.operation == .mma && (depth == 1 || distance > reach || turn % 3 == 2)
    if usesC {
      put(&operands, lane: lane, exponent: largest, negative: turn % 2 == 1, &words)
      let away = turn % 4 < 2 ? distance : -distance
      operands.c = c(exponent: top(operands) + away, negative: turn / 4 % 2 == 1, words.next())
      return
    }
    let near = distance > reach ? distance % (reach + 1) : distance
    let other = (lane + 1 + words.below(depth - 1)) % depth
    put(&operands, lane: lane, exponent: largest, negative: turn % 2 == 1, &words)
    put(&operands, lane: other, exponent: largest - near, negative: turn / 2 % 2 == 1, &words)
  }

  /// Equal products in two blocks, `distance` binades apart by their scales.
  private func scaledApart(
    _ operands: inout SumOperands, _ turn: Int, distance: Int, _ words: inout CaseRandom
  ) {
    let first = words.below(blocks)
    let second = (first + 1 + words.below(blocks - 1)) % blocks
    let range = scale.exponents
    let top = min(range.upperBound, distance / 2 + words.below(3))
    for (place, block) in [first, second].enumerated() {
      let lane = block * spec.lanes + words.below(min(spec.lanes, depth - block * spec.lanes))
      let negative = turn / 4 >> place & 1 == 1
      put(&operands, lane: lane, exponent: codes.exponents.upperBound, negative: negative, &words)
      let exponent = place == 0 ? top : top - distance / 2
      operands.scalesA[block] = scale.code(exponent: exponent)
      operands.scalesB[block] = scale.code(
        exponent: place == 0 ? top : top - (distance - distance / 2))
    }
  }

  /// c far above or far below the products; a quarter of the cases as far as makes a shift counter of
  /// 5 to 8 bits start again.
  func apart(
    _ operands: inout SumOperands, _ kind: CaseClass, _ index: Int, _ words: inout CaseRandom
  ) {
    let isAbove = kind == .cDominates
    var far = words.within(isAbove ? 1...(fraction + 4) : (fraction - 4)...(fraction + 12))
    if index % 4 == 3, !spec.isRegister, spec.expected.width == 32 {
      far = 32 << (index / 4 % 4) + words.below(fraction + 2)
      let place = top(operands)
      let wanted = isAbove ? min(place, 126 - far) : max(place, far - 140)
      if spec.isScaled, wanted != place {
        aim(&operands, exponent: wanted - top(unscaled: operands), &words)
      }
    }
    operands.c = c(
      exponent: top(operands) + (isAbove ? far : -far), negative: words.flip(), words.next())
  }

  /// A large product, the others at the far end of the element's range.
  func tails(_ operands: inout SumOperands, _ words: inout CaseRandom) {
    let lane = words.below(depth)
    for k in 0..<depth where k != lane {
      let pool = Array(codes.positive.prefix(max(1, codes.positive.count / 8)))
      operands.a[k] = codes.signed(words.pick(pool, else: 0), negative: words.flip())
      operands.b[k] = words.below(3) == 0 ? codes.plusZero : words.pick(pool, else: 0)
    }
    put(
      &operands, lane: lane, exponent: 2 * codes.exponents.upperBound, negative: words.flip(),
      &words)
    let far = words.within((fraction - 6)...(fraction + 6))
    operands.c = c(
      exponent: top(operands) + (words.flip() ? far : -far), negative: words.flip(), words.next())
  }

  /// Pairs that cancel, then perhaps one code beside, and c that cancels the rest.
  func cancel(
    _ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom
  ) throws(VectorsError) {
    if index % 4 == 3, spec.alignsAddend, spec.alignsScales, spec.aligned?.step.scaling == .groups {
      cancelledGroup(&operands, &words)
      return
    }
    for k in stride(from: 1, to: depth, by: 2) where k / spec.lanes == (k - 1) / spec.lanes {
      operands.a[k] = codes.negated(operands.a[k - 1])
      operands.b[k] = operands.b[k - 1]
    }
    if depth % 2 == 1 { operands.a[depth - 1] = codes.plusZero }
    operands.c = 0
    if index % 3 > 0 {
      // One lane moves to a neighbouring value.
      let lane = words.below(depth)
      let magnitude =
        codes.value(operands.a[lane]) < 0 ? codes.negated(operands.a[lane]) : operands.a[lane]
      let place = codes.positive.firstIndex(of: magnitude) ?? 0
      let beside = codes.positive[min(place + 1, codes.positive.count - 1)]
      operands.a[lane] = codes.signed(beside, negative: codes.value(operands.a[lane]) < 0)
    }
    guard spec.operation == .mma, index % 3 == 2 else { return }
    // c cancels what is left, to zero or to one ulp.
    let sum = try evaluate(operands.numbers(spec))[0]
    let width = UInt64(spec.expected.width)
    let mask: UInt64 = width == 64 ? .max : (1 << width) - 1
    if spec.isRegister {
      operands.c = (0 &- sum &+ UInt64(words.below(3)) &- 1) & mask
      return
    }
    let unit = UInt64(1) << UInt64(width == 16 ? 0 : 23 - spec.outputMantissa)
    let magnitude = sum & (mask >> 1)
    let limit: UInt64 = width == 16 ? 0x7C00 : 0x7F80_0000
    guard magnitude < limit - unit, magnitude >= unit else { return }
    let shifted = [magnitude, magnitude + unit, magnitude - unit][words.below(3)]
    operands.c = shifted | ((sum ^ (mask ^ mask >> 1)) & (mask ^ mask >> 1))
  }

  func top(unscaled operands: SumOperands) -> Int {
    let products = zip(operands.a, operands.b).map {
      abs(Double(codes.value($0)) * Double(codes.value($1)))
    }
    let largest = products.filter(\.isFinite).max() ?? 0
    return largest > 0 ? Int(largest.exponent) : 0
  }

  /// Scales whose product is near 2^exponent, as far as the format reaches.
  func aim(_ operands: inout SumOperands, exponent: Int, _ words: inout CaseRandom) {
    let first = exponent / 2
    for block in 0..<blocks {
      operands.scalesA[block] = scale.code(exponent: first, mantissa: words.next())
      operands.scalesB[block] = scale.code(exponent: exponent - first, mantissa: words.next())
    }
  }
}

import NumberFormats

// Alignment, cancellation, ties and the ends of the output's range.
extension SumCases {
  /// Zeros but for scales of powers of two near 1.
  private func quiet(_ operands: inout SumOperands, _ words: inout CaseRandom) {
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

  /// A power of two half a unit of the result's last place below the other term, exact, or with a
  /// further term that breaks the tie.
  func ties(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let below = spec.outputMantissa + 1
    quiet(&operands, &words)
    let lane = words.below(depth)
    if spec.operation == .mma {
      let one = codes.code(nearest: 1)
      operands.a[lane] = codes.signed(one, negative: words.flip())
      operands.b[lane] = one
      let far = spec.isRegister ? words.within(0...3) : below
      operands.c = c(exponent: top(operands) + far, negative: words.flip(), words.next())
      if operands.c & 1 == 0, words.flip() {
        operands.c |= spec.outputMantissa == 23 || spec.expected.width == 16 ? 1 : 0
      }
    } else {
      let largest = 2 * codes.exponents.upperBound
      put(&operands, lane: lane, exponent: largest, negative: words.flip(), &words)
      let other = (lane + 1) % depth
      put(
        &operands, lane: other, exponent: top(unscaled: operands) - below, negative: words.flip(),
        &words)
    }
    guard index % 3 == 2, depth > 2 else { return }
    let third = (lane + 2) % depth
    operands.a[third] = codes.signed(codes.smallest, negative: words.flip())
    operands.b[third] = codes.smallest
  }

  private func top(unscaled operands: SumOperands) -> Int {
    let products = zip(operands.a, operands.b).map {
      abs(Double(codes.value($0)) * Double(codes.value($1)))
    }
    let largest = products.filter(\.isFinite).max() ?? 0
    return largest > 0 ? Int(largest.exponent) : 0
  }

  func overflow(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let negative = index % 2 == 1
    for k in 0..<depth where words.below(4) > 0 {
      operands.a[k] = codes.signed(codes.largest, negative: negative)
      operands.b[k] = codes.largest
    }
    if spec.isScaled {
      // The products' top lies a few binades around the output's.
      let end = spec.isRegister ? spec.expected.width - 2 : spec.expected.width == 16 ? 15 : 127
      let wanted = end + words.within(-30...2) - 2 * codes.exponents.upperBound
      aim(&operands, exponent: wanted, &words)
    }
    // c at the very end, or in the last binade.
    let top = spec.isRegister ? spec.expected.width : spec.expected.width == 16 ? 15 : 127
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
    let end = spec.expected.width == 16 ? -24 : -149
    if spec.isScaled {
      aim(&operands, exponent: end + words.within(-3...3) - 2 * codes.exponents.lowerBound, &words)
    }
    operands.c = index % 2 == 0 ? 0 : c(exponent: end + words.below(2), negative: words.flip(), 0)
  }

  func subnormals(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let end = spec.expected.width == 16 ? -24...(-15) : -149...(-127)
    if spec.isScaled {
      aim(&operands, exponent: words.within(end) - top(unscaled: operands), &words)
    } else {
      clearTail(&operands, from: 0)
    }
    operands.c =
      index % 2 == 0 && spec.isScaled
      ? 0 : c(exponent: words.within(end), negative: words.flip(), words.next())
  }

  /// Scales whose product is near 2^exponent, as far as the format reaches.
  private func aim(_ operands: inout SumOperands, exponent: Int, _ words: inout CaseRandom) {
    let first = exponent / 2
    for block in 0..<blocks {
      operands.scalesA[block] = scale.code(exponent: first, mantissa: words.next())
      operands.scalesB[block] = scale.code(exponent: exponent - first, mantissa: words.next())
    }
  }
}

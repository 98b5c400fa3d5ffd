import NumberFormats

// Zeros, specials, ends of the range, and the order of lanes.
extension SumCases {
  var negativeC: UInt64 { spec.isRegister ? 0 : 1 << UInt64(spec.expected.width - 1) }

  func clear(_ operands: inout SumOperands) {
    operands.a = operands.a.map { _ in codes.plusZero }
    operands.b = operands.b.map { _ in codes.plusZero }
    operands.c = 0
  }

  /// A zero, B zero, both zero, and scales of zero where the format has one.
  func zeros(_ operands: inout SumOperands, _ index: Int) {
    let isZero = [UInt32](repeating: codes.plusZero, count: depth)
    switch index % 4 {
    case 0: operands.a = isZero
    case 1: operands.b = isZero
    case 2 where scale.hasZero && spec.isScaled:
      operands.scalesA = operands.scalesA.map { _ in 0 }
    default:
      operands.a = isZero
      operands.b = isZero
    }
    if index / 4 % 3 != 2 { operands.c = index / 4 % 3 == 1 ? negativeC : 0 }
  }

  func signedZeros(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let minus = codes.negativeZero ?? codes.plusZero
    for k in 0..<depth {
      let allAlike = index % 3 == 0
      operands.a[k] = (allAlike ? index % 2 == 0 : words.flip()) ? minus : codes.plusZero
      if index % 4 == 1 { operands.b[k] = words.flip() ? minus : codes.plusZero }
    }
    operands.c = words.flip() ? negativeC : 0
  }

  func specials(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let inA = index % 2 == 0
    let lane = index / 2 % depth
    let code = codes.special[(index / (2 * depth) + lane) % codes.special.count]
    if inA { operands.a[lane] = code } else { operands.b[lane] = code }
    switch words.below(4) {
    case 0:
      if inA { operands.b[lane] = codes.plusZero } else { operands.a[lane] = codes.plusZero }
    case 1 where !codes.infinite.isEmpty && depth > 1:
      operands.a[(lane + 1) % depth] = words.pick(codes.infinite, else: 0)
    case 2 where spec.operation == .mma && !spec.isRegister:
      operands.c = spec.expected.width == 16 ? 0x7C00 : 0x7F80_0000
      if words.flip() { operands.c |= negativeC }
    default: break
    }
  }

  func nanScales(_ operands: inout SumOperands, _ index: Int) {
    let nan = spec.quantization.format.scale.canonicalNaN
    let block = index / 3 % blocks
    if index % 3 != 1 { operands.scalesA[block] = nan }
    if index % 3 != 0 { operands.scalesB[block] = nan }
    // Over zeros the rule is the project's own: NaN all the same.
    if index / 3 / blocks % 2 == 1 {
      for k in 0..<depth { operands.a[k] = codes.plusZero }
    }
  }

  /// The ends of the element's range in every lane, of either sign and mixed; scales of 1 first.
  func largest(_ operands: inout SumOperands, _ index: Int) {
    let (plus, minus) = (codes.largest, codes.lowest)
    for k in 0..<depth {
      switch index % 8 {
      case 0: (operands.a[k], operands.b[k]) = (plus, plus)
      case 1: (operands.a[k], operands.b[k]) = (minus, minus)
      case 2: (operands.a[k], operands.b[k]) = (plus, minus)
      case 3: (operands.a[k], operands.b[k]) = (minus, plus)
      case 4: (operands.a[k], operands.b[k]) = (k % 2 == 1 ? minus : plus, plus)
      case 5: (operands.a[k], operands.b[k]) = (k % 2 == 1 ? minus : plus, minus)
      case 6: (operands.a[k], operands.b[k]) = (k < depth / 2 ? plus : minus, minus)
      default: (operands.a[k], operands.b[k]) = (k == index / 8 % depth ? plus : minus, minus)
      }
    }
    let one = scale.code(exponent: 0)
    switch index / 8 % 4 {
    case 0:
      operands.c = 0
      fallthrough
    case 1:
      operands.scalesA = operands.scalesA.map { _ in one }
      operands.scalesB = operands.scalesA
    case 2:
      operands.scalesA = operands.scalesA.map { _ in scale.largest }
      operands.scalesB = operands.scalesB.map { _ in one }
    default: break
    }
  }

  func clearTail(_ operands: inout SumOperands, from count: Int) {
    for k in count..<depth {
      operands.a[k] = codes.plusZero
      operands.b[k] = codes.plusZero
    }
  }

  /// One product: lane by lane, the code walking too, in A and in B.
  func walk(_ operands: inout SumOperands, _ index: Int) {
    let lane = index % depth
    let turn = index / depth
    let code = codes.positive[(turn / 2 + lane) % codes.positive.count]
    let walking = codes.signed(code, negative: (turn / 2 + lane) % 2 == 1)
    let one = codes.code(nearest: 1)
    clear(&operands)
    operands.a[lane] = turn % 2 == 0 ? walking : one
    operands.b[lane] = turn % 2 == 0 ? one : walking
    let scaleOne = scale.code(exponent: 0)
    operands.scalesA = operands.scalesA.map { _ in scaleOne }
    operands.scalesB = operands.scalesA
  }

  /// Case 2i is a multiset of terms, case 2i + 1 the same in another order within each block. Both
  /// draw from one stream (see `CaseMaker`).
  func permute(_ operands: inout SumOperands, _ index: Int) {
    guard index % 2 == 1 else { return }
    for block in 0..<blocks {
      let range = (block * spec.lanes)..<min(depth, (block + 1) * spec.lanes)
      let turn = 1 + index / 2 % max(1, range.count - 1)
      for (offset, k) in range.enumerated() where offset < range.count / 2 {
        let other = range.upperBound - 1 - offset
        operands.a.swapAt(k, other)
        operands.b.swapAt(k, other)
      }
      let a = Array(operands.a[range])
      let b = Array(operands.b[range])
      for (offset, k) in range.enumerated() {
        operands.a[k] = a[(offset + turn) % range.count]
        operands.b[k] = b[(offset + turn) % range.count]
      }
    }
  }

  /// c at an end of the register, products that push over it and back.
  func registerEnds(_ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let end: UInt64 = 1 << UInt64(spec.expected.width - 1)
    let near = UInt64(words.below(4))
    operands.c = index % 2 == 0 ? end - 1 - near : end + near
    let outward = index % 2 == 1
    if index / 2 % 3 > 0 {
      for k in 0..<depth {
        let negative = index / 2 % 3 == 1 ? outward : words.flip()
        operands.a[k] = codes.signed(codes.largest, negative: negative)
        operands.b[k] = codes.largest
      }
    }
  }
}

extension ElementCodes {
  /// The positive code whose value is nearest to a number.
  func code(nearest number: Float) -> UInt32 {
    positive.min { abs(value($0) - number) < abs(value($1) - number) } ?? 0
  }
}

import NumberFormats

// Alignment, cancellation, ties and the ends of the output's range.
extension SumCases {
  /// Zeros but for scales of powers of two near 1.
  private func quiet(_ case_: inout SumOperands, _ words: inout CaseRandom) {
    for k in 0..<depth {
      case_.a[k] = codes.plusZero
      case_.b[k] = codes.plusZero
    }
    let exponents = (words.within(-2...2), words.within(-2...2))
    case_.scalesA = case_.scalesA.map { _ in scale.code(exponent: exponents.0) }
    case_.scalesB = case_.scalesB.map { _ in scale.code(exponent: exponents.1) }
    case_.c = 0
  }

  /// Puts a product of about 2^exponent into a lane.
  private func put(
    _ case_: inout SumOperands, lane: Int, exponent: Int, negative: Bool, _ words: inout CaseRandom
  ) {
    let range = codes.exponents
    let first = min(max(range.lowerBound, exponent - range.upperBound), range.upperBound)
    case_.a[lane] = codes.signed(codes.code(exponent: first, &words), negative: negative)
    case_.b[lane] = codes.code(exponent: exponent - first, &words)
  }

  /// Two terms `distance` binades apart: two products, or a product and c.
  func ladder(
    _ case_: inout SumOperands, _ index: Int, distance: Int, _ words: inout CaseRandom
  ) {
    quiet(&case_, &words)
    let turn = index / (fraction + 4)
    let largest = 2 * codes.exponents.upperBound
    let reach = 2 * (codes.exponents.upperBound - codes.exponents.lowerBound)
    let lane = words.below(depth)
    let usesC = spec.operation == .mma && (depth == 1 || distance > reach || turn % 3 == 2)
    if usesC {
      put(&case_, lane: lane, exponent: largest, negative: turn % 2 == 1, &words)
      let away = turn % 4 < 2 ? distance : -distance
      case_.c = c(exponent: top(case_) + away, negative: turn / 4 % 2 == 1, words.next())
      return
    }
    let near = distance > reach ? distance % (reach + 1) : distance
    let other = (lane + 1 + words.below(depth - 1)) % depth
    put(&case_, lane: lane, exponent: largest, negative: turn % 2 == 1, &words)
    put(&case_, lane: other, exponent: largest - near, negative: turn / 2 % 2 == 1, &words)
  }

  /// A large product, the others at the far end of the element's range.
  func tails(_ case_: inout SumOperands, _ words: inout CaseRandom) {
    let lane = words.below(depth)
    for k in 0..<depth where k != lane {
      let pool = Array(codes.positive.prefix(max(1, codes.positive.count / 8)))
      case_.a[k] = codes.signed(words.pick(pool, else: 0), negative: words.flip())
      case_.b[k] = words.below(3) == 0 ? codes.plusZero : words.pick(pool, else: 0)
    }
    put(
      &case_, lane: lane, exponent: 2 * codes.exponents.upperBound, negative: words.flip(), &words)
    let far = words.within((fraction - 6)...(fraction + 6))
    case_.c = c(
      exponent: top(case_) + (words.flip() ? far : -far), negative: words.flip(), words.next())
  }

  /// Pairs that cancel, then perhaps one code beside, and c that cancels the rest.
  func cancel(
    _ case_: inout SumOperands, _ index: Int, _ words: inout CaseRandom
  ) throws(VectorsError) {
    for k in stride(from: 1, to: depth, by: 2) where k / spec.lanes == (k - 1) / spec.lanes {
      case_.a[k] = codes.negated(case_.a[k - 1])
      case_.b[k] = case_.b[k - 1]
    }
    if depth % 2 == 1 { case_.a[depth - 1] = codes.plusZero }
    case_.c = 0
    if index % 3 > 0 {
      // One lane moves to a neighbouring value.
      let lane = words.below(depth)
      let magnitude = codes.value(case_.a[lane]) < 0 ? codes.negated(case_.a[lane]) : case_.a[lane]
      let place = codes.positive.firstIndex(of: magnitude) ?? 0
      let beside = codes.positive[min(place + 1, codes.positive.count - 1)]
      case_.a[lane] = codes.signed(beside, negative: codes.value(case_.a[lane]) < 0)
    }
    guard spec.operation == .mma, index % 3 == 2 else { return }
    // c cancels what is left, to zero or to one ulp.
    let sum = try evaluate(case_.numbers(spec))[0]
    let width = UInt64(spec.expected.width)
    let mask: UInt64 = width == 64 ? .max : (1 << width) - 1
    if spec.isRegister {
      case_.c = (0 &- sum &+ UInt64(words.below(3)) &- 1) & mask
      return
    }
    let unit = UInt64(1) << UInt64(width == 16 ? 0 : 23 - spec.outputMantissa)
    let magnitude = sum & (mask >> 1)
    let limit: UInt64 = width == 16 ? 0x7C00 : 0x7F80_0000
    guard magnitude < limit - unit, magnitude >= unit else { return }
    let shifted = [magnitude, magnitude + unit, magnitude - unit][words.below(3)]
    case_.c = shifted | ((sum ^ (mask ^ mask >> 1)) & (mask ^ mask >> 1))
  }

  /// A power of two half a unit of the result's last place below the other term, exact, or with a
  /// further term that breaks the tie.
  func ties(_ case_: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let below = spec.outputMantissa + 1
    quiet(&case_, &words)
    let lane = words.below(depth)
    if spec.operation == .mma {
      let one = codes.code(nearest: 1)
      case_.a[lane] = codes.signed(one, negative: words.flip())
      case_.b[lane] = one
      let far = spec.isRegister ? words.within(0...3) : below
      case_.c = c(exponent: top(case_) + far, negative: words.flip(), words.next())
      if case_.c & 1 == 0, words.flip() {
        case_.c |= spec.outputMantissa == 23 || spec.expected.width == 16 ? 1 : 0
      }
    } else {
      let largest = 2 * codes.exponents.upperBound
      put(&case_, lane: lane, exponent: largest, negative: words.flip(), &words)
      let other = (lane + 1) % depth
      put(
        &case_, lane: other, exponent: top(unscaled: case_) - below, negative: words.flip(), &words)
    }
    guard index % 3 == 2, depth > 2 else { return }
    let third = (lane + 2) % depth
    case_.a[third] = codes.signed(codes.smallest, negative: words.flip())
    case_.b[third] = codes.smallest
  }

  private func top(unscaled case_: SumOperands) -> Int {
    let products = zip(case_.a, case_.b).map {
      abs(Double(codes.value($0)) * Double(codes.value($1)))
    }
    let largest = products.filter(\.isFinite).max() ?? 0
    return largest > 0 ? Int(largest.exponent) : 0
  }

  func overflow(_ case_: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let negative = index % 2 == 1
    for k in 0..<depth where words.below(4) > 0 {
      case_.a[k] = codes.signed(codes.largest, negative: negative)
      case_.b[k] = codes.largest
    }
    if spec.isScaled {
      // The products' top lies a few binades around the output's.
      let end = spec.isRegister ? spec.expected.width - 2 : spec.expected.width == 16 ? 15 : 127
      let wanted = end + words.within(-4...2) - 2 * codes.exponents.upperBound
      aim(&case_, exponent: wanted, &words)
    }
    case_.c = c(exponent: 2000, negative: negative != (words.below(6) == 0), 0)
  }

  func underflow(_ case_: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    for k in 0..<depth {
      case_.a[k] =
        words.below(3) == 0 ? codes.plusZero : codes.signed(codes.smallest, negative: words.flip())
      case_.b[k] = codes.smallest
    }
    let end = spec.expected.width == 16 ? -24 : -149
    if spec.isScaled {
      aim(&case_, exponent: end + words.within(-3...3) - 2 * codes.exponents.lowerBound, &words)
    }
    case_.c = index % 2 == 0 ? 0 : c(exponent: end + words.below(2), negative: words.flip(), 0)
  }

  func subnormals(_ case_: inout SumOperands, _ index: Int, _ words: inout CaseRandom) {
    let end = spec.expected.width == 16 ? -24...(-15) : -149...(-127)
    if spec.isScaled {
      aim(&case_, exponent: words.within(end) - top(unscaled: case_), &words)
    } else {
      clearTail(&case_, from: 0)
    }
    case_.c =
      index % 2 == 0 && spec.isScaled
      ? 0 : c(exponent: words.within(end), negative: words.flip(), words.next())
  }

  /// Scales whose product is near 2^exponent, as far as the format reaches.
  private func aim(_ case_: inout SumOperands, exponent: Int, _ words: inout CaseRandom) {
    let first = exponent / 2
    for block in 0..<blocks {
      case_.scalesA[block] = scale.code(exponent: first, mantissa: words.next())
      case_.scalesB[block] = scale.code(exponent: exponent - first, mantissa: words.next())
    }
  }
}

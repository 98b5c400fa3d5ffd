import NumberFormats

// Subnormal operands, and groups that cancel, as the term that all others are aligned to.
extension SumCases {
  /// A term whose exponent is the largest, while a case is made.
  private struct LargestTerm {
    var exponent: Int
    /// How far its exponent would fall if its factors were normalised.
    var shortfall: Int
    /// Whether another term takes its value away, its exponent staying.
    var isCancelled: Bool
    var isNegative: Bool
  }

  /// The lanes of one step of the unit, from any of them on; of one run where it sums runs.
  func stepLanes(_ words: inout CaseRandom) -> [Int] {
    guard let step = spec.aligned?.step else { return Array(0..<depth) }
    var range = 0..<depth
    if spec.sumsRuns {
      let first = words.below(blocks) * spec.lanes
      range = first..<min(depth, first + spec.lanes)
    }
    let isRegular =
      step.scaling != .groups || spec.lanes % step.group == 0 || step.group % spec.lanes == 0
    // Where groups are of any size, a step ends somewhere in its last group's length.
    let size = isRegular ? step.terms : max(2, step.terms - step.group)
    let steps = isRegular ? (range.count - 1) / size + 1 : 1
    var start = range.lowerBound + words.below(steps) * size
    if range.upperBound - start < 2 { start = range.lowerBound }
    let lanes = Array(start..<min(start + size, range.upperBound))
    let turn = words.below(lanes.count)
    let turned = Array(lanes[turn...] + lanes[..<turn])
    return step.splitsEvenOdd ? turned.filter { ($0 - turned[0]) % 2 == 0 } : turned
  }

  func subnormalOperands(
    _ operands: inout SumOperands, _ index: Int, _ words: inout CaseRandom
  ) {
    quiet(&operands, &words)
    let kinds = spec.subnormalOperands(codes)
    guard !kinds.isEmpty else { return }
    let turn = index / kinds.count
    switch kinds[index % kinds.count] {
    case .element: subnormalElements(&operands, turn, &words)
    case .scale: subnormalScales(&operands, turn, &words)
    case .addend: subnormalAddend(&operands, &words)
    }
  }

  // MARK: Elements

  /// A subnormal element of A, of B or of both times a large one, alone or taken away again, and
  /// terms below the grid of its own exponent, above that of a normalised one.
  private func subnormalElements(
    _ operands: inout SumOperands, _ turn: Int, _ words: inout CaseRandom
  ) {
    guard let aligned = spec.aligned else { return }
    let lanes = stepLanes(&words)
    let steps = codes.subnormalSteps
    let role = turn / steps % 3
    var scaleExponent = 0
    if spec.alignsScales {
      scaleExponent =
        scale.alignmentExponent(operands.scalesA[0]) + scale.alignmentExponent(operands.scalesB[0])
    }
    let first = codes.subnormal(turn, &words)
    let range = codes.exponents
    let least = codes.smallestNormalExponent ?? range.lowerBound
    let spread = spec.expected.width == 16 ? 2 : 4
    var second = codes.code(
      exponent: max(least, range.upperBound - words.below(spread)), &words)
    let fraction = aligned.alignment.fraction
    let lowestProduct = codes.productPowers.lowerBound + scaleExponent
    if role == 2 {
      let both = 2 * least + scaleExponent - fraction
      if lowestProduct < both || spec.alignsAddend && both > spec.smallestExponent {
        second = codes.subnormal(words.below(steps), &words)
      }
    }
    let term = LargestTerm(
      exponent: codes.alignmentExponent(first) + codes.alignmentExponent(second) + scaleExponent,
      shortfall: codes.alignmentExponent(first) - codes.ownExponent(first)
        + codes.alignmentExponent(second) - codes.ownExponent(second),
      isCancelled: lanes.count > 2 && words.flip(), isNegative: words.flip())
    for (place, lane) in lanes.prefix(term.isCancelled ? 2 : 1).enumerated() {
      let isNegative = term.isNegative != (place == 1)
      let pair = role == 1 ? (second, first) : (first, second)
      operands.a[lane] = codes.signed(pair.0, negative: isNegative)
      operands.b[lane] = pair.1
    }
    let others = lanes.dropFirst(term.isCancelled ? 2 : 1)
    let grid = term.exponent - fraction
    let reachesAddend = spec.alignsAddend && grid > spec.smallestExponent
    if lowestProduct < grid, !others.isEmpty, !reachesAddend || words.flip() {
      placeBelow(&operands, others, term, grid: grid, scaleExponent: scaleExponent, &words)
    } else if reachesAddend {
      addBelow(&operands, term, fraction: fraction, &words)
    }
  }

  /// Equal products below the grid of the largest term.
  private func placeBelow(
    _ operands: inout SumOperands, _ lanes: ArraySlice<Int>, _ term: LargestTerm, grid: Int,
    scaleExponent: Int, _ words: inout CaseRandom
  ) {
    // Where the result is rounded to the nearest, one bit alone would not show.
    let rounds = spec.accumulator.output.rounding != .towardZero
    let below = rounds ? 1 : 1 + words.below(max(1, term.shortfall))
    let power = max(grid - below - scaleExponent, codes.productPowers.lowerBound)
    let isNegative = term.isCancelled ? words.flip() : term.isNegative == (words.below(4) == 0)
    for lane in lanes.prefix(rounds ? 8 : 1 + words.below(8)) {
      place(&operands, 0, from: lane, power: power, negative: isNegative)
    }
  }

  /// A c with a bit below the grid of the largest term, others above it where they show.
  private func addBelow(
    _ operands: inout SumOperands, _ term: LargestTerm, fraction: Int, _ words: inout CaseRandom
  ) {
    let grid = term.exponent - fraction
    let bit = max(grid - 1 - words.below(max(1, term.shortfall)), spec.smallestExponent)
    guard term.isCancelled else {
      operands.c = c(exponent: bit, negative: !term.isNegative, 0)
      return
    }
    let room = max(1, min(spec.outputMantissa, fraction - term.shortfall - 1))
    let above = words.below(room + 1)
    var mantissa = words.next()
    if above > 0 { mantissa |= 1 << UInt32(23 - above) }
    operands.c = c(exponent: bit + above, negative: words.flip(), mantissa)
  }

  // MARK: Scales

  /// A subnormal scale of A, of B or of both.
  private func subnormalScales(
    _ operands: inout SumOperands, _ turn: Int, _ words: inout CaseRandom
  ) {
    let count = scale.subnormalCount
    let subnormal = UInt32(1 + turn % count)
    let role = turn / count % 3
    let other =
      role == 2
      ? UInt32(1 + words.below(count))
      : scale.code(exponent: words.within(scale.exponents), mantissa: words.next())
    scaledTerm(
      &operands, role == 1 ? (other, subnormal) : (subnormal, other), shape: words.below(3), &words)
  }

  /// A group whose products cancel, its scales' exponent the largest.
  func cancelledGroup(_ operands: inout SumOperands, _ words: inout CaseRandom) {
    quiet(&operands, &words)
    let range = scale.exponents
    let middle = min(max(0, range.lowerBound), range.upperBound)
    let near = max(range.lowerBound, middle - 20)...min(range.upperBound, middle + 20)
    let codes = (0..<2).map { _ in
      scale.code(exponent: words.within(near), mantissa: words.next())
    }
    scaledTerm(&operands, (codes[0], codes[1]), shape: 0, &words)
  }

  /// A block of these scales: its products cancel (shape 0), another block of the same scales takes
  /// them away (1), or they stay (2); beside it c.
  private func scaledTerm(
    _ operands: inout SumOperands, _ scales: (UInt32, UInt32), shape: Int,
    _ words: inout CaseRandom
  ) {
    guard let aligned = spec.aligned else { return }
    let lanes = stepLanes(&words)
    let block = lanes[0] / spec.lanes
    let group = aligned.step.scaling == .groups ? aligned.step.group : spec.lanes
    let own = lanes.filter {
      $0 / spec.lanes == block && $0 % spec.lanes / group == lanes[0] % spec.lanes / group
    }
    let elsewhere = lanes.first { $0 / spec.lanes != block }
    let partner = shape == 0 ? own.dropFirst().first : shape == 1 ? elsewhere : nil
    let isNegative = words.flip()
    let (x, y) = (words.pick(codes.positive, else: 0), words.pick(codes.positive, else: 0))
    for (lane, isNegative) in [(lanes[0], isNegative), (partner, !isNegative)] {
      guard let lane else { continue }
      operands.a[lane] = codes.signed(x, negative: isNegative)
      operands.b[lane] = y
      operands.scalesA[lane / spec.lanes] = scales.0
      operands.scalesB[lane / spec.lanes] = scales.1
    }
    let elements =
      aligned.step.scaling == .groups ? 0 : codes.alignmentExponent(x) + codes.alignmentExponent(y)
    let kept = scale.alignmentExponent(scales.0) + scale.alignmentExponent(scales.1)
    let normalised = scale.ownExponent(scales.0) + scale.ownExponent(scales.1)
    let term = LargestTerm(
      exponent: kept + elements, shortfall: kept > normalised ? kept - normalised : 8,
      isCancelled: partner != nil, isNegative: isNegative)
    addBelow(&operands, term, fraction: aligned.alignment.fraction, &words)
  }

  // MARK: c

  /// A subnormal c, and a product of the other sign between the grids of its two exponents.
  private func subnormalAddend(_ operands: inout SumOperands, _ words: inout CaseRandom) {
    guard let (_, alignment) = spec.aligned else { return }
    let lane = stepLanes(&words)[0]
    let top = words.within(spec.smallestExponent...(-127))
    let isNegative = words.flip()
    operands.c = c(exponent: top, negative: isNegative, words.next())
    let reach = alignment.zeroExponent.map { max(1, -126 - $0) } ?? .max
    let below = 1 + words.below(min(-126 - top, reach))
    let powers = codes.productPowers
    let bit = -126 - alignment.fraction - below
    var power = bit
    if spec.alignsScales {
      power = words.within(powers)
      setScales(&operands, exponent: bit - power)
    }
    place(&operands, 0, from: lane, power: power, negative: !isNegative)
  }
}

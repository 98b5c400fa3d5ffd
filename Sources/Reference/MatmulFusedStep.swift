import NumberFormats

// Fused steps (A.2): products and c aligned to a common exponent, cut to a grid, added exactly,
// rounded once.
extension MatmulDot {
  /// Steps over `range`; each one's rounded result is the next one's c.
  func fusedChain(_ step: FusedStep, _ range: Range<Int>, from c: MatmulValue) -> MatmulValue {
    var sum = c
    for lanes in steps(step, range) {
      sum = fusedStep(step, lanes, k: lanes.first?.k.lowerBound ?? 0, sum)
    }
    return sum
  }

  private func fusedStep(
    _ step: FusedStep, _ lanes: [MatmulTerm], k start: Int, _ c: MatmulValue
  ) -> MatmulValue {
    let end = lanes.reduce(start) { max($0, $1.k.upperBound) }
    let k = start..<end
    let addend = MatmulTerm(k: 0..<0, value: c, exponent: addendExponent(c))
    // NaN and infinities pass by all alignment.
    if MatmulValue.specialSum(lanes.map(\.value) + [c]) != nil {
      let terms = lanes + [addend]
      return converted(sum(of: terms), record: .init("fused", k: k), terms: terms)
    }
    switch step.join {
    case .fused: return fused(lanes, with: addend, step.alignment, k)
    case .late(let late): return join(late, lanes, addend, step, k)
    case .add(let rounding): return add(rounding, lanes, addend, step.alignment, k)
    }
  }

  /// c as one more term.
  private func fused(
    _ lanes: [MatmulTerm], with addend: MatmulTerm, _ alignment: FusedStep.Alignment?,
    _ k: Range<Int>
  ) -> MatmulValue {
    var c = addend
    if c.value.isZero { c.exponent = alignment?.zeroExponent }
    let aligned = AlignedTerms(lanes + [c], alignment)
    return converted(
      MatmulValue(aligned.sum),
      record: .init("fused", k: k, maximumExponent: aligned.maximumExponent),
      terms: aligned.terms)
  }

  /// The exponent of c in its own format; nil for zero and what is not finite.
  private func addendExponent(_ c: MatmulValue) -> Int? {
    guard c.isFinite, !c.isZero else { return nil }
    let format: MatmulFormat = accumulator.output.format == .float16 ? .float16 : .float32
    return format.exponent(of: c)
  }

  /// CDNA3: products, or those of even and of odd lanes apart, aligned without c; then their sum
  /// and c floored to grids below the larger of the two exponents.
  private func join(
    _ late: FusedStep.LateJoin, _ lanes: [MatmulTerm], _ addend: MatmulTerm, _ step: FusedStep,
    _ k: Range<Int>
  ) -> MatmulValue {
    var parts = [lanes]
    if step.splitsEvenOdd {
      parts = [0, 1].map { odd in lanes.indices.filter { $0 % 2 == odd }.map { lanes[$0] } }
    }
    let partial = parts.map { AlignedTerms($0, step.alignment) }
    for part in partial {
      trace?.add(
        .init("products", k: k, maximumExponent: part.maximumExponent), terms: part.terms,
        sum: MatmulValue(part.sum), result: nil)
    }
    let dotExponent = partial.compactMap(\.maximumExponent).max()
    var dot = Dyadic.zero
    for part in partial {
      if let dotExponent, let fraction = step.alignment?.fraction {
        dot = dot + part.sum.rounded(toMultiplesOf: dotExponent - fraction, .towardNegative)
      } else {
        dot = dot + part.sum
      }
    }

    var c = addend
    let addendExponent = c.exponent ?? -126
    c.exponent = addendExponent
    let top = max(dotExponent ?? addendExponent, addendExponent)
    var products = MatmulTerm(k: k, value: MatmulValue(dot), exponent: dotExponent)
    products.aligned = dot.rounded(toMultiplesOf: top - late.sumFraction, .towardNegative)
    let isDropped = late.dropsBelow.map { addendExponent < top - $0 } ?? false
    c.aligned =
      isDropped
      ? .zero : c.value.number.rounded(toMultiplesOf: top - late.addendFraction, .towardNegative)
    var sum = products.added + c.added
    if let bits = late.resultFraction, !sum.isZero {
      sum = sum.rounded(
        toMultiplesOf: max(sum.leadingExponent, -126) - bits, .towardNegative)
    }
    return converted(
      MatmulValue(sum), record: .init("join", k: k, maximumExponent: top), terms: [products, c])
  }

  /// The products' sum rounded to float32, then added to c in float32.
  private func add(
    _ rounding: Rounding, _ lanes: [MatmulTerm], _ addend: MatmulTerm,
    _ alignment: FusedStep.Alignment?, _ k: Range<Int>
  ) -> MatmulValue {
    let format = MatmulFormat.float32
    let overflow = sums.result.overflow
    let aligned = AlignedTerms(lanes, alignment)
    let exact = MatmulValue(aligned.sum)
    let dot = format.round(exact, rounding, overflow: overflow)
    trace?.add(
      .init("products", k: k, maximumExponent: aligned.maximumExponent), terms: aligned.terms,
      sum: exact, result: format.pattern(dot, nan: sums.result.nan))
    let total = dot + addend.value
    let result = format.round(total, rounding, overflow: overflow)
    trace?.add(
      .init("add", k: k, terms: [dot, addend.value]), sum: total,
      result: format.pattern(result, nan: sums.result.nan))
    return converted(result)
  }
}

/// Finite terms on the grid of their largest exponent.
struct AlignedTerms {
  var terms: [MatmulTerm]
  /// e_max; nil where the sum is exact or no term takes part.
  var maximumExponent: Int?

  init(_ terms: [MatmulTerm], _ alignment: FusedStep.Alignment?) {
    self.terms = terms
    guard let alignment else { return }
    maximumExponent = terms.compactMap(\.exponent).max()
    guard let maximumExponent else { return }
    for index in terms.indices {
      self.terms[index].aligned = terms[index].value.number.rounded(
        toMultiplesOf: maximumExponent - alignment.fraction, alignment.rounding)
    }
  }

  var sum: Dyadic { terms.map(\.added).reduce(.zero, +) }
}

import NumberFormats

// What a fused step adds: its lanes, each with the exponent that it aligns by.
extension MatmulDot {
  /// The lanes of every step over `range`. A step with fewer than `terms` k is filled up with
  /// products +0.
  func steps(_ step: FusedStep, _ range: Range<Int>) -> [[MatmulTerm]] {
    if step.scaling == .groups { return groupedSteps(step, range) }
    return stride(from: range.lowerBound, to: range.upperBound, by: step.terms).map { start in
      let end = min(start + step.terms, range.upperBound)
      let lanes = (start..<end).map { product($0, step) }
      return lanes + padding(step.terms - lanes.count, at: end, step)
    }
  }

  /// Products +0 beyond the last k.
  private func padding(_ count: Int, at end: Int, _ step: FusedStep) -> [MatmulTerm] {
    let zero = MatmulTerm(k: end..<end, value: .zero, exponent: step.alignment?.zeroExponent)
    return Array(repeating: zero, count: count)
  }

  /// s_a·s_b·2^(e_a+e_b), with the scales' significands and exponents where the unit knows scales.
  private func product(_ k: Int, _ step: FusedStep) -> MatmulTerm {
    let (a, b) = (a(k), b(k))
    var exponent = a.exponent + b.exponent
    var value: MatmulValue
    if step.scaling == .products {
      value = scaledProduct(k)
      exponent += scaleA(k).exponent + scaleB(k).exponent
    } else {
      value = a.value * b.value
    }
    if step.infiniteProducts, value.isFinite, !value.isZero, value.number.leadingExponent >= 128 {
      value = .infinity(isNegative: value.isNegative)
    }
    return MatmulTerm(
      k: k..<(k + 1), value: value,
      exponent: value.isZero ? step.alignment?.zeroExponent : exponent)
  }

  // MARK: Groups

  /// Whole groups, as many as a step of `terms` k holds.
  private func groupedSteps(_ step: FusedStep, _ range: Range<Int>) -> [[MatmulTerm]] {
    var result: [[MatmulTerm]] = []
    var lanes: [MatmulTerm] = []
    var held = 0
    func finish(at end: Int) {
      // The step's empty lanes are a group of products +0.
      result.append(lanes + padding(held < step.terms ? 1 : 0, at: end, step))
      (lanes, held) = ([], 0)
    }
    for group in groups(step.group, range) {
      if held + group.count > step.terms { finish(at: group.lowerBound) }
      lanes.append(groupTerm(group, step))
      held += group.count
    }
    if held > 0 { finish(at: range.upperBound) }
    return result
  }

  /// Maximal runs of at most `size` k within one block of both operands, counted from its borders.
  private func groups(_ size: Int, _ range: Range<Int>) -> [Range<Int>] {
    segments(range).flatMap { segment in
      stride(from: segment.lowerBound, to: segment.upperBound, by: size).map {
        $0..<min($0 + size, segment.upperBound)
      }
    }
  }

  /// `range` cut at every block border of either operand.
  func segments(_ range: Range<Int>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let ends = [sums.a.block, sums.b.block].compactMap(\.self).map { block in
        // The end of start's block; past the range's end where it would exceed Int.
        range.upperBound - start <= block - start % block
          ? range.upperBound : start + (block - start % block)
      }
      let end = ends.min() ?? range.upperBound
      result.append(start..<end)
      start = end
    }
    return result
  }

  /// The exact sum of a group's products times the scales' significands; it aligns by the scales'
  /// exponents alone, even where its products cancel.
  private func groupTerm(_ group: Range<Int>, _ step: FusedStep) -> MatmulTerm {
    let products = group.map(scaledProduct)
    if let special = MatmulValue.specialSum(products) {
      return MatmulTerm(k: group, value: special)
    }
    // Every product is zero where a scale is.
    let isZero = products.allSatisfy(\.isZero)
    let exponent = scaleA(group.lowerBound).exponent + scaleB(group.lowerBound).exponent
    return MatmulTerm(
      k: group, value: MatmulValue(products.map(\.number).reduce(.zero, +)),
      exponent: isZero ? step.alignment?.zeroExponent : exponent)
  }
}

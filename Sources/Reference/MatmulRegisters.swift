import NumberFormats

// Two's complement registers: exact sums, and what happens beyond the range.
extension MatmulDot {
  /// c + Σ of the codes' products.
  func integer(_ register: IntegerRegister) -> Int64 {
    let c = BigInteger(Int(addend))
    guard depth > 0 else { return pattern(overflowed(c, register.width, register.overflow)) }
    return pattern(registerSum(register, 0..<depth, from: c))
  }

  /// The register after `range`: the overflow rule falls on c plus the exact sum of each `step`
  /// terms.
  func registerSum(
    _ register: IntegerRegister, _ range: Range<Int>, from c: BigInteger
  ) -> BigInteger {
    let step = register.step ?? max(1, range.count)
    var sum = c
    for start in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      let end = range.upperBound - start <= step ? range.upperBound : start + step
      let terms = (start..<end).map { k in
        MatmulTerm(
          k: k..<(k + 1),
          value: MatmulValue((a(k).value * b(k).value).number.scaled(fractionBits)))
      }
      let exact = terms.reduce(sum) { $0 + $1.value.number.units(0) }
      let before = sum
      sum = overflowed(exact, register.width, register.overflow)
      trace?.add(
        .init("integer", k: start..<end),
        terms: terms + [MatmulTerm(k: 0..<0, value: MatmulValue(Dyadic(before, exponent: 0)))],
        sum: MatmulValue(Dyadic(exact, exponent: 0)), result: pattern(sum))
    }
    return sum
  }

  /// Binary digits after the point of a product of integer elements: a product of codes is
  /// 2^fractionBits times the product of the values.
  var fractionBits: Int {
    [problem.a.element, problem.b.element].reduce(0) { bits, element in
      if case .integer(let layout) = element.kind { return bits + layout.fractionBits }
      return bits
    }
  }

  /// Exact sums of `terms` scaled products, each rounded to the register's grid and added.
  func fixed(_ register: FixedPointRegister) -> Int64 {
    var sum = BigInteger(Int(addend))
    guard depth > 0 else { return pattern(overflowed(sum, register.width, register.overflow)) }
    for start in stride(from: 0, to: depth, by: register.terms) {
      let end = depth - start <= register.terms ? depth : start + register.terms
      let terms = (start..<end).map { k in
        MatmulTerm(k: k..<(k + 1), value: scaledProduct(k) * (tensorScale ?? .one))
      }
      let cut = self.sum(of: terms).number.rounded(
        toMultiplesOf: register.lsb, register.rounding)
      let exact = sum + cut.units(register.lsb)
      let before = Dyadic(sum, exponent: register.lsb)
      sum = overflowed(exact, register.width, register.overflow)
      trace?.add(
        .init("fixed", k: start..<end),
        terms: terms + [MatmulTerm(k: 0..<0, value: MatmulValue(before))],
        sum: MatmulValue(Dyadic(exact, exponent: register.lsb)), result: pattern(sum))
    }
    return pattern(sum)
  }

  private func overflowed(
    _ value: BigInteger, _ width: Int, _ rule: RegisterOverflow
  ) -> BigInteger {
    switch rule {
    case .wrap: return value.wrapped(width)
    case .saturate:
      let lowest = BigInteger(-1).shiftedLeft(width - 1)
      let highest = BigInteger(1).shiftedLeft(width - 1) + BigInteger(-1)
      if value.isLess(than: lowest) { return lowest }
      return highest.isLess(than: value) ? highest : value
    }
  }

  /// A register of at most 64 bits, sign-extended.
  private func pattern(_ register: BigInteger) -> Int64 { Int64(register.int ?? 0) }
}

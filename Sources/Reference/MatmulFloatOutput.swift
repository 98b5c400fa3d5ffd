import NumberFormats

// Outputs that are floating point: c, the sum over K, then what A.6b does after the unit.
extension MatmulDot {
  /// The format that D and C are stored in.
  private var stored: MatmulFormat { MatmulFormat(problem.outputType) }

  func float() -> Int64 {
    let c = stored.value(addend)
    // Under the run rule D is the float32 accumulator, which holds c as it is.
    guard depth > 0 else { return pattern(problem.sumsRuns ? c : converted(c)) }
    if case .exact = accumulator.datapath { return pattern(exactSum(c)) }
    return pattern(afterTheUnit(unitSum(c)))
  }

  private func pattern(_ value: MatmulValue) -> Int64 {
    stored.pattern(value, nan: sums.result.nan)
  }

  /// What the unit, or the run rule around it, makes of all of K.
  private func unitSum(_ c: MatmulValue) -> MatmulValue {
    if problem.sumsRuns { return sumOfRuns(c) }
    // An integer register whose sum a tensor scale multiplies is one run without block scales.
    if case .integer = accumulator.datapath { return addRun(0..<depth, to: c) }
    return chain(0..<depth, from: c)
  }

  /// Tensor scales in float32: D = fl(D · fl(T_A·T_B)); then FP16 where D is FP16 and is not yet.
  private func afterTheUnit(_ sum: MatmulValue) -> MatmulValue {
    var d = sum
    if let tensorScale {
      let factor = MatmulFormat.float32.round(tensorScale)
      d = rounded(d * factor, .init("tensorScale", terms: [d, factor]))
    }
    if problem.outputType == .float16, problem.sumsRuns || tensorScale != nil {
      d = rounded(d, .init("output", terms: [d]), to: .float16)
    }
    return d
  }

  /// c + T_A·T_B·Σ a·b·s_A·s_B, rounded once to float32. A sum of 0 is +0.
  private func exactSum(_ c: MatmulValue) -> MatmulValue {
    var products = (0..<depth).map { MatmulTerm(k: $0..<($0 + 1), value: scaledProduct($0)) }
    if let tensorScale {
      for index in products.indices { products[index].value = products[index].value * tensorScale }
    }
    let terms = products + [MatmulTerm(k: 0..<0, value: c)]
    return converted(
      positiveZero(sum(of: terms)), record: .init("fused", k: 0..<depth), terms: terms)
  }

  /// The chain of steps over `range`, the first of them starting from `c`.
  func chain(_ range: Range<Int>, from c: MatmulValue) -> MatmulValue {
    switch accumulator.datapath {
    case .fused(let step): return fusedChain(step, range, from: c)
    case .float32(let steps): return float32Chain(steps, range, from: c)
    case .exact, .integer, .fixed: return c
    }
  }

  // MARK: Rounding

  /// A sum of 0 without a sign.
  func positiveZero(_ value: MatmulValue) -> MatmulValue { value.isZero ? .zero : value }

  /// The exact sum of terms, some of which may be infinite or NaN.
  func sum(of terms: [MatmulTerm]) -> MatmulValue {
    let values = terms.map(\.value)
    return MatmulValue.specialSum(values) ?? MatmulValue(values.map(\.number).reduce(.zero, +))
  }

  /// A sum as it leaves the unit's datapath: in the row's output format, stored as D is.
  func converted(
    _ sum: MatmulValue, record: MatmulRecorder.Step? = nil, terms: [MatmulTerm] = []
  ) -> MatmulValue {
    let output = sums.result
    let format: MatmulFormat
    switch output.format {
    case .float32(let bits): format = MatmulFormat(mantissaBits: bits)
    case .float16: format = .float16
    case .int32, .int64: format = .float32
    }
    var value = format.round(sum, output.rounding, overflow: output.overflow)
    if output.flushesSubnormals { value = format.flushed(value) }
    if let trace, let record {
      trace.add(record, terms: terms, sum: sum, result: format.pattern(value, nan: output.nan))
    }
    return value
  }

  /// One rounding by tiesToEven outside the unit, or of one float32 step.
  func rounded(
    _ exact: MatmulValue, _ record: @autoclosure () -> MatmulRecorder.Step,
    to format: MatmulFormat = .float32
  ) -> MatmulValue {
    let value = format.round(exact)
    trace?.add(record(), sum: exact, result: format.pattern(value, nan: sums.result.nan))
    return value
  }
}

import NumberFormats

// Sums of float32 operations, each rounded by tiesToEven.
extension MatmulDot {
  /// Steps over `range`; each adds its own sum to c, and its result is the next one's c.
  func float32Chain(_ steps: Float32Steps, _ range: Range<Int>, from c: MatmulValue) -> MatmulValue
  {
    let size = steps.step ?? max(1, range.count)
    var acc = flushedInput(c)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
      let end = range.upperBound - start <= size ? range.upperBound : start + size
      // Lanes beyond the range are products +0.
      let lanes =
        (start..<end).map(Optional.some) + Array(repeating: nil, count: size - (end - start))
      switch steps.order {
      case .sequential:
        for k in start..<end {
          acc = add(acc, product(k, steps), k..<(k + 1), steps)
        }
      case .pairwise:
        let products = lanes.map { product($0, steps) }
        acc = add(acc, tree(products, start..<end, steps), start..<end, steps)
      case .chains(let count):
        let chains = (0..<count).map { first in
          chain(stride(from: first, to: lanes.count, by: count).map { lanes[$0] }, steps)
        }
        acc = add(acc, tree(chains, start..<end, steps), start..<end, steps)
      }
    }
    return converted(acc)
  }

  /// c, or an element, as the unit reads it; `isSubnormal` in its own format.
  private func flushed(
    _ value: MatmulValue, isSubnormal: Bool, _ rule: Float32Steps.Subnormals
  ) -> MatmulValue {
    switch rule {
    case .keep: return value
    case .flushToPositiveZero: return isSubnormal || value.isZero ? .zero : value
    case .flushToSignedZero:
      return isSubnormal ? MatmulValue(.zero, zeroIsNegative: value.isNegative) : value
    }
  }

  /// c as a unit of float32 steps reads it; other units read it as it stands.
  func flushedInput(_ c: MatmulValue) -> MatmulValue {
    guard case .float32(let steps) = accumulator.datapath else { return c }
    return flushed(
      c, isSubnormal: MatmulFormat.float32.isSubnormal(c), steps.inputSubnormals)
  }

  private func element(_ factor: MatmulFactor, _ steps: Float32Steps) -> MatmulValue {
    flushed(factor.value, isSubnormal: factor.isSubnormal, steps.inputSubnormals)
  }

  /// a·b, with the scales where the unit knows them, not rounded; +0 for a lane beyond K.
  private func exactProduct(_ k: Int?, _ steps: Float32Steps) -> MatmulValue {
    guard let k else { return .zero }
    let product = element(a(k), steps) * element(b(k), steps)
    guard steps.scalesProducts, problem.isScaled else { return product }
    return product * scaleA(k).value * scaleB(k).value
  }

  private func product(_ k: Int?, _ steps: Float32Steps) -> MatmulValue {
    guard let k else { return .zero }
    return rounded(exactProduct(k, steps), .init("product", k: k..<(k + 1)), steps)
  }

  private func add(
    _ x: MatmulValue, _ y: MatmulValue, _ k: Range<Int>, _ steps: Float32Steps
  ) -> MatmulValue {
    rounded(x + y, .init("add", k: k, terms: [x, y]), steps)
  }

  /// One operation's result.
  private func rounded(
    _ exact: MatmulValue, _ record: @autoclosure () -> MatmulRecorder.Step, _ steps: Float32Steps
  ) -> MatmulValue {
    let format = MatmulFormat.float32
    var value = format.round(exact)
    if steps.flushesResults { value = format.flushed(value) }
    trace?.add(record(), sum: exact, result: format.pattern(value, nan: sums.result.nan))
    return value
  }

  /// Adjacent pairs until one value is left; an odd value is carried up.
  private func tree(
    _ values: [MatmulValue], _ k: Range<Int>, _ steps: Float32Steps
  ) -> MatmulValue {
    var level = values
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map { index in
        index + 1 < level.count ? add(level[index], level[index + 1], k, steps) : level[index]
      }
    }
    return level.first ?? .zero
  }

  /// The sum of one chain's products, from +0.
  private func chain(_ lanes: [Int?], _ steps: Float32Steps) -> MatmulValue {
    lanes.reduce(MatmulValue.zero) { acc, k in
      let place = k.map { $0..<($0 + 1) } ?? 0..<0
      guard steps.fusedMultiplyAdd else { return add(acc, product(k, steps), place, steps) }
      let exact = exactProduct(k, steps)
      return rounded(acc + exact, .init("fma", k: place, terms: [acc, exact]), steps)
    }
  }
}

import NumberFormats

/// Cases of operations that take one code, or float32 values.
struct ValueCases: Sendable {
  let spec: VectorSpec
  let codes: ElementCodes

  var scale: ScaleCodes { ScaleCodes(spec.quantization.format.scale) }
  var lanes: Int { spec.lanes }
  var hasNaN: Bool { codes.element.canonicalNaN != nil }

  func make(_ kind: CaseClass, _ index: Int, _ words: inout CaseRandom) -> [UInt64] {
    switch spec.operation {
    case .decode: [UInt64(code(kind, index, &words))]
    case .encode: [bits(number(kind, index, &words))]
    case .scale: [bits(amax(kind, index, &words))] + tensorScale(kind, &words)
    case .quantize:
      values(kind, index, &words).map(bits) + tensorScale(kind, &words)
    default: stored(kind, index, &words)
    }
  }

  func bits(_ value: Float) -> UInt64 { UInt64(value.bitPattern) }

  /// T near 1, or 1 where a class aims at exact numbers.
  private func tensorScale(_ kind: CaseClass, _ words: inout CaseRandom) -> [UInt64] {
    guard spec.hasTensorScale else { return [] }
    switch kind {
    case .random, .permuted, .tailBlocks, .zeros:
      return [bits(float(exponent: words.within(-8...4), words.next()))]
    case .overflow: return [bits(float(exponent: words.within(-100...(-20)), words.next()))]
    case .underflow: return [bits(float(exponent: words.within(20...100), words.next()))]
    default: return [bits(1)]
    }
  }

  /// 2^exponent · 1.mantissa
  func float(exponent: Int, _ mantissa: UInt32) -> Float {
    Float(
      sign: .plus, exponentBitPattern: UInt(min(max(exponent + 127, 1), 254)),
      significandBitPattern: mantissa & 0x7F_FFFF)
  }

  func code(_ kind: CaseClass, _ index: Int, _ words: inout CaseRandom) -> UInt32 {
    switch kind {
    case .exhaustive: UInt32(index)
    case .zeros: codes.plusZero
    case .signedZeros: index % 2 == 0 ? codes.plusZero : codes.negativeZero ?? codes.plusZero
    case .nanInfPerLane: codes.special[index % codes.special.count]
    case .maxMagnitude: codes.signed(codes.largest, negative: index % 2 == 1)
    case .elementCodes: sample(index)
    default: codes.signed(words.pick(codes.positive, else: 0), negative: words.flip())
    }
  }

  /// A code of those that stand for all.
  func sample(_ index: Int) -> UInt32 {
    let all = codes.sample(refusesSpecials: false)
    return all[index % all.count]
  }

  /// A scale's code of those that stand for all.
  func scaleSample(_ index: Int) -> UInt32 {
    let all = scale.sample(refusesSpecials: false)
    return all[index % all.count]
  }

  /// A value halfway between two neighbouring codes, or one float32 beside it.
  func midpoint(_ index: Int, _ words: inout CaseRandom) -> Float {
    let magnitudes = [Float(0)] + codes.positive.map(codes.value)
    let place = index / 3 % max(1, magnitudes.count - 1)
    let middle = Float(
      (Double(magnitudes[place]) + Double(magnitudes[min(place + 1, magnitudes.count - 1)])) / 2)
    let near = [middle, middle.nextUp, middle.nextDown][index % 3]
    return words.flip() ? -near : near
  }

  /// One number for `encode`.
  func number(_ kind: CaseClass, _ index: Int, _ words: inout CaseRandom) -> Float {
    let largest = codes.value(codes.largest)
    let smallest = codes.value(codes.smallest)
    let sign: Float = words.flip() ? -1 : 1
    switch kind {
    case .zeros: return 0
    case .signedZeros: return index % 2 == 0 ? 0 : -0.0
    case .nanInfPerLane:
      if index % 3 == 2, hasNaN {
        return Float(bitPattern: 0x7FC0_0000 | words.next() & 0x803F_FFFF)
      }
      return index % 2 == 0 ? .infinity : -.infinity
    case .maxMagnitude: return sign * largest
    case .ties: return midpoint(index, &words)
    case .elementCodes: return codes.value(sample(index))
    case .overflow:
      let beyond = float(exponent: Int(largest.exponent) + words.below(3), words.next())
      return sign * beyond
    case .underflow:
      return sign * float(exponent: Int(smallest.exponent) - words.below(4), words.next())
    case .subnormalOutput:
      return sign * smallest * Float(words.below(1 << 12)) / Float(1 << 8)
    default:
      let range = codes.exponents.clamped(to: -40...40)
      return sign * float(exponent: words.within(range), words.next())
    }
  }

  /// A block's largest magnitude for `scale`.
  func amax(_ kind: CaseClass, _ index: Int, _ words: inout CaseRandom) -> Float {
    let full = codes.value(codes.largest)
    switch kind {
    case .zeros, .signedZeros: return 0
    case .nanScales: return .nan
    case .maxMagnitude: return .greatestFiniteMagnitude
    case .ties:
      let range = scale.exponents.clamped(to: -100...100)
      let exponent = words.within(range)
      let mantissa = words.next()
      let first = scale.value(scale.code(exponent: exponent, mantissa: mantissa))
      let second = scale.value(
        min(scale.largest, scale.code(exponent: exponent, mantissa: mantissa) + 1))
      let middle = Float((index / 3 % 2 == 0 ? (first + second) / 2 : first) * Double(full))
      return [middle, middle.nextUp, middle.nextDown][index % 3]
    case .scaleCodes: return Float(scale.value(scaleSample(index))) * full
    case .overflow: return float(exponent: words.within(100...127), words.next())
    case .underflow:
      let low = float(exponent: words.within(-126...(-100)), words.next())
      return index % 4 == 0 ? Float(bitPattern: words.next() & 0x7F_FFFF) : low
    default: return abs(float(exponent: words.within(-6...6), words.next())) * full
    }
  }
}

import NumberFormats

// Blocks of values to quantise, and of codes to dequantise.
extension ValueCases {
  private func ordinary(_ words: inout CaseRandom) -> [Float] {
    // The scale the block asks for lies where its format has one, and far enough inside it.
    let middle = Int(codes.value(codes.largest).exponent) + words.within(-3...3)
    return (0..<lanes).map { _ in
      let sign: Float = words.flip() ? -1 : 1
      switch words.below(16) {
      case 0: return 0
      case 1: return sign * float(exponent: middle, words.next())
      default: return sign * float(exponent: middle - words.below(7), words.next())
      }
    }
  }

  /// A block's values.
  func values(_ kind: CaseClass, _ index: Int, _ words: inout CaseRandom) -> [Float] {
    var block = ordinary(&words)
    let full = codes.value(codes.largest)
    let lane = index % lanes
    switch kind {
    case .zeros: block = block.map { _ in 0 }
    case .signedZeros:
      let keepsOne = index % 3 == 0
      block = block.enumerated().map {
        keepsOne && $0.offset == lane ? $0.element : index % 3 == 1 || words.flip() ? -0.0 : 0
      }
    case .nanInfPerLane:
      switch index / lanes % 4 {
      case 0: block[lane] = .nan
      case 1: block[lane] = .infinity
      case 2: block[lane] = -.infinity
      default:
        block = block.map { _ in 0 }
        block[lane] = .nan
      }
    case .maxMagnitude:
      let size = index % 3 == 0 ? Float.greatestFiniteMagnitude : full
      block = block.indices.map { index / 3 % 2 == 1 && $0 % 2 == 1 ? -size : size }
    case .ties:
      let unit = float(exponent: words.within(-4...4), 0)
      block = block.indices.map { _ in
        midpoint(words.below(3 * (codes.positive.count + 1)), &words) * unit
      }
      block[lane] = full * unit
    case .alignmentLadder:
      block = block.indices.map { float(exponent: 10 - ($0 + index) % 40, words.next()) }
      block[lane] = float(exponent: 10, words.next())
    case .overflow:
      block = block.map { _ in
        float(exponent: words.within(120...127), words.next()) * (words.flip() ? -1 : 1)
      }
    case .underflow:
      block = block.map { _ in Float(bitPattern: words.next() & 0x80FF_FFFF) }
    case .subnormalOutput:
      let size = codes.value(codes.smallest)
      block = block.map { _ in size * Float(words.below(1 << 11)) / 256 * (words.flip() ? -1 : 1) }
      block[lane] = full
    case .tailBlocks:
      for place in (1 + index % (lanes - 1))..<lanes { block[place] = 0 }
    case .walkingElement:
      let value = words.flip() ? -full : full
      block = block.map { _ in 0 }
      block[lane] = value
    case .permuted:
      if index % 2 == 1 { block = rotated(block, by: index / 2) }
    case .elementCodes:
      // Each code's own value, under the scale that the largest magnitude asks for.
      let unit = float(exponent: words.within(-4...4), 0)
      let all = codes.sample(refusesSpecials: true)
      block = block.indices.map { codes.value(all[(index * (lanes - 1) + $0) % all.count]) * unit }
      block[lanes - 1] = full * unit
      block = rotated(block, by: words.below(lanes))
    case .scaleCodes:
      let unit = Float(scale.value(scaleSample(index)))
      block = block.map { _ in codes.value(words.pick(codes.finite, else: 0)) * unit }
      block[lane] = full * unit
    default: break
    }
    return block
  }

  /// The second of a permuted pair: reversed, then rotated.
  private func rotated<Item>(_ items: [Item], by turn: Int) -> [Item] {
    let back = Array(items.reversed())
    let shift = turn % items.count
    return Array(back[shift...] + back[..<shift])
  }

  /// Codes, a scale and, where there is one, T.
  func stored(_ kind: CaseClass, _ index: Int, _ words: inout CaseRandom) -> [UInt64] {
    if kind == .exhaustive {
      var bytes = [UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8)]
      bytes.removeLast(bytes.count - spec.inputs.bytes)
      return spec.inputs.unpack(bytes)
    }
    var block = (0..<lanes).map { _ in codes.random(&words) }
    var shared = scale.central(&words)
    var factor: Float = 1
    let lane = index % lanes
    switch kind {
    case .random: factor = float(exponent: words.within(-8...4), words.next())
    case .zeros: block = block.map { _ in codes.plusZero }
    case .signedZeros:
      block = block.map { _ in words.flip() ? codes.negativeZero ?? codes.plusZero : codes.plusZero
      }
    case .nanInfPerLane: block[lane] = codes.special[index / lanes % codes.special.count]
    case .nanScales: shared = spec.quantization.format.scale.canonicalNaN
    case .maxMagnitude:
      block = block.map { _ in codes.signed(codes.largest, negative: words.flip()) }
    case .overflow:
      shared = scale.largest - UInt32(words.below(2))
      factor = float(exponent: 127 - words.below(20), words.next())
    case .underflow:
      shared = scale.smallest + UInt32(words.below(3))
      factor = float(exponent: -126 + words.below(10), words.next())
    case .subnormalOutput:
      let middle = Int(codes.value(codes.largest).exponent)
      shared = scale.code(exponent: -127 - middle, mantissa: words.next())
      factor = float(exponent: -120 - scale.exponents.lowerBound / 2, words.next())
    case .tailBlocks:
      for place in (1 + index % (lanes - 1))..<lanes { block[place] = codes.plusZero }
    case .walkingElement:
      let turn = index / lanes + lane
      block = block.map { _ in codes.plusZero }
      block[lane] = codes.positive[turn % codes.positive.count]
      shared = scale.code(exponent: 0)
    case .permuted:
      if index % 2 == 1 { block = rotated(block, by: index / 2) }
    case .elementCodes:
      block = block.indices.map { sample(index * lanes + $0) }
      shared = scale.code(exponent: 0)
    case .scaleCodes: shared = scaleSample(index)
    default: break
    }
    return block.map(UInt64.init) + [UInt64(shared)] + (spec.hasTensorScale ? [bits(factor)] : [])
  }
}

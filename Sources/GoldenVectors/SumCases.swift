import NumberFormats

/// Operands of a sum of products while a case is made.
struct SumOperands {
  var a: [UInt32]
  var b: [UInt32]
  var scalesA: [UInt32]
  var scalesB: [UInt32]
  var c: UInt64

  /// All numbers in the order of the layout's fields.
  func numbers(_ spec: VectorSpec) -> [UInt64] {
    var all = a.map(UInt64.init) + b.map(UInt64.init)
    if spec.isScaled { all += scalesA.map(UInt64.init) + scalesB.map(UInt64.init) }
    if spec.operation == .mma { all.append(c) }
    return all
  }
}

/// Cases of products, dots and mma steps. Every case is a function of the seed, its class and its
/// number.
struct SumCases: Sendable {
  let spec: VectorSpec
  let codes: ElementCodes
  /// The result of a case, for classes that aim c at it.
  let evaluate: @Sendable ([UInt64]) throws(VectorsError) -> [UInt64]

  var scale: ScaleCodes { ScaleCodes(spec.quantization.format.scale) }
  var depth: Int { spec.depth }
  var blocks: Int { (depth - 1) / spec.lanes + 1 }
  /// F of the aligner, or what a tie takes.
  var fraction: Int { spec.alignedBits }

  func make(
    _ kind: CaseClass, _ index: Int, _ words: inout CaseRandom
  ) throws(VectorsError) -> [UInt64] {
    var operands = ordinary(&words)
    switch kind {
    case .exhaustive: return exhausted(index)
    case .operands: break
    case .random: ignoredBits(&operands, &words)
    case .zeros: zeros(&operands, index)
    case .signedZeros: signedZeros(&operands, index, &words)
    case .nanInfPerLane: specials(&operands, index, &words)
    case .nanScales: nanScales(&operands, index)
    case .maxMagnitude: largest(&operands, index)
    case .cancellation: try cancel(&operands, index, &words)
    case .alignmentLadder: ladder(&operands, index, distance: index % (fraction + 4), &words)
    case .stickyTails: tails(&operands, &words)
    case .ties: ties(&operands, index, &words)
    case .overflow: overflow(&operands, index, &words)
    case .underflow: underflow(&operands, index, &words)
    case .subnormalOutput: subnormals(&operands, index, &words)
    case .cDominates, .cVanishes: apart(&operands, kind, index, &words)
    case .tailBlocks: clearTail(&operands, from: 1 + index % (depth - 1))
    case .walkingElement: walk(&operands, index)
    case .permuted: permute(&operands, index)
    case .wrapSaturate: registerEnds(&operands, index, &words)
    case .elementCodes: elementCodes(&operands, index, &words)
    case .scaleCodes: scaleCodes(&operands, index, &words)
    case .specialC: specialAddend(&operands, index, &words)
    case .roundingCarries: carries(&operands, index, &words)
    case .subnormalOperands: subnormalOperands(&operands, index, &words)
    case .zeroExponent: zeroExponents(&operands, index, &words)
    }
    return operands.numbers(spec)
  }

  /// Ordinary data: central scales, codes as `ElementCodes.random`, c near the products.
  func ordinary(_ words: inout CaseRandom) -> SumOperands {
    var operands = SumOperands(
      a: (0..<depth).map { _ in finite(&words) }, b: (0..<depth).map { _ in finite(&words) },
      scalesA: (0..<blocks).map { _ in scale.central(&words) },
      scalesB: (0..<blocks).map { _ in scale.central(&words) }, c: 0)
    if words.below(8) > 0 {
      let exponent = top(operands) + words.within(-6...3)
      operands.c = c(exponent: exponent, negative: words.flip(), words.next())
    }
    return operands
  }

  /// A finite code; near 1 where the result has 16 bits, which a product of ends would leave.
  private func finite(_ words: inout CaseRandom) -> UInt32 {
    let code = codes.random(&words)
    let value = codes.value(code)
    guard spec.expected.width == 16, !spec.isRegister, value != 0, abs(value.exponent) > 4,
      words.below(64) > 0
    else { return code }
    return codes.signed(codes.code(exponent: words.within(-4...4), &words), negative: value < 0)
  }

  /// The exponent of the largest scaled product; 0 where all are zero.
  func top(_ operands: SumOperands) -> Int {
    var largest = 0.0
    for k in 0..<depth {
      var product =
        Double(codes.value(operands.a[k])) * Double(codes.value(operands.b[k]))
      if spec.isScaled {
        product *= scale.value(operands.scalesA[k / spec.lanes])
        product *= scale.value(operands.scalesB[k / spec.lanes])
      }
      if product.isFinite { largest = max(largest, abs(product)) }
    }
    return largest > 0 ? Int(largest.exponent) : 0
  }

  /// A c of a binade, with 23 bits of mantissa as far as the output has them; the ends of its range
  /// beyond it.
  func c(exponent: Int, negative: Bool, _ mantissa: UInt32) -> UInt64 {
    let fraction = mantissa & 0x7F_FFFF
    if spec.isRegister { return integer(exponent: exponent, negative: negative, fraction) }
    if spec.expected.width == 16 {
      let bits = binary(
        exponent: exponent, fraction >> 13, mantissaBits: 10, bias: 15, top: 30)
      return UInt64(bits | (negative ? 0x8000 : 0))
    }
    let bits = binary(exponent: exponent, fraction, mantissaBits: 23, bias: 127, top: 254)
    let kept = UInt32.max << UInt32(23 - spec.outputMantissa)
    return UInt64(bits & kept | (negative ? 0x8000_0000 : 0))
  }

  private func binary(
    exponent: Int, _ fraction: UInt32, mantissaBits: UInt32, bias: Int, top: Int
  ) -> UInt32 {
    let field = exponent + bias
    if field > top { return (UInt32(top) + 1) << mantissaBits - 1 }
    if field >= 1 { return UInt32(field) << mantissaBits | fraction }
    let shift = UInt32(min(31, 1 - field))
    return (1 << mantissaBits | fraction) >> shift
  }

  private func integer(exponent: Int, negative: Bool, _ fraction: UInt32) -> UInt64 {
    let width = spec.expected.width
    var unit = 0
    switch spec.accumulator.datapath {
    case .fixed(let register): unit = register.lsb
    default:
      if case .integer(let layout) = codes.element.kind { unit = -2 * layout.fractionBits }
    }
    let shift = exponent - unit
    let end: UInt64 = 1 << UInt64(width - 1)
    var magnitude: UInt64 = end - 1
    if shift < width - 1 {
      let whole = UInt64(0x80_0000 | fraction)
      magnitude =
        shift < 0 ? 0 : shift >= 23 ? whole << UInt64(shift - 23) : whole >> UInt64(23 - shift)
      magnitude = min(magnitude, end - 1)
    }
    let mask = end | (end - 1)
    return (negative ? 0 &- magnitude : magnitude) & mask
  }

  func exhausted(_ index: Int) -> [UInt64] {
    let count = codes.element.codeCount
    if spec.operation == .product { return [UInt64(index % count), UInt64(index / count)] }
    var bytes = [UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8)]
    bytes.removeLast(bytes.count - spec.inputs.bytes)
    return spec.inputs.unpack(bytes)
  }
}

import NumberFormats

extension VectorSpec {
  /// The words that exhaust the inputs, where there are at most 2^16.
  var exhaustiveCount: Int? {
    guard inputs.width <= 16 else { return nil }
    let codes = quantization.format.element.codeCount
    switch operation {
    case .decode: return codes
    case .product: return codes * codes
    default: return 1 << inputs.width
    }
  }

  /// The classes that mean something for this operation, format and accumulator.
  func classes(_ codes: ElementCodes) -> [CaseClass] {
    CaseClass.allCases.filter { isApplicable($0, codes) }
  }

  private func isApplicable(_ kind: CaseClass, _ codes: ElementCodes) -> Bool {
    if refusesSpecials, kind == .nanInfPerLane || kind == .nanScales { return false }
    let scale = ScaleCodes(quantization.format.scale)
    switch kind {
    case .exhaustive:
      guard let count = exhaustiveCount else { return false }
      return count <= 1 << 16 && !(refusesSpecials && !codes.special.isEmpty)
    case .random, .maxMagnitude: return true
    case .zeros: return takesFloats || codes.zero != nil
    case .signedZeros: return takesFloats || codes.negativeZero != nil
    case .nanInfPerLane:
      switch operation {
      case .scale: return false
      case .quantize: return scale.hasNaN || codes.element.canonicalNaN != nil
      case .encode: return true
      default: return !codes.special.isEmpty
      }
    case .nanScales:
      switch operation {
      case .scale: return scale.hasNaN || codes.element.canonicalNaN != nil
      case .dequantize: return scale.hasNaN
      default: return isScaled && scale.hasNaN
      }
    case .cancellation, .stickyTails:
      return (operation == .dot || operation == .mma) && depth > 1
    case .alignmentLadder:
      return operation == .quantize || operation == .mma || operation == .dot && depth > 1
    case .ties:
      switch operation {
      case .encode, .scale, .quantize: return true
      case .mma: return true
      case .dot: return depth > 1 && !isRegister && reachesTies(codes)
      default: return false
      }
    case .overflow, .underflow:
      return operation != .decode && operation != .product && (operation != .dot || isScaled)
    case .subnormalOutput:
      switch operation {
      case .decode, .product, .scale: return false
      case .dot, .mma: return !isRegister && (operation == .mma || reachesSubnormals(scale, codes))
      default: return true
      }
    case .cDominates, .cVanishes: return operation == .mma
    case .tailBlocks:
      guard !takesFloats else { return operation == .quantize && lanes > 1 }
      let count = operation == .dequantize ? lanes : depth
      return operation != .decode && count > 1 && codes.zero != nil
    case .walkingElement, .permuted:
      switch operation {
      case .quantize: return lanes > 1
      case .dequantize: return lanes > 1 && codes.zero != nil
      case .dot, .mma: return depth > 1 && codes.zero != nil
      default: return false
      }
    case .wrapSaturate: return operation == .mma && isRegister
    case .elementCodes:
      switch operation {
      case .decode: return codes.element.codeCount > VectorLevel.smoke.exhausted
      case .scale: return false
      case .quantize: return lanes > 1
      default: return true
      }
    case .scaleCodes:
      return operation == .scale || operation == .quantize || operation == .dequantize || isScaled
    case .specialC: return operation == .mma
    case .roundingCarries:
      guard !isRegister else { return false }
      return operation == .mma
        || operation == .dot && depth > 1 && codes.productPowers.count > outputMantissa + 2
    case .subnormalOperands: return !subnormalOperands(codes).isEmpty
    case .zeroExponent: return reachesZeroExponent(codes)
    case .operands: return false
    }
  }

  /// How many cases a class needs to meet each thing that it is there for; 0 where the level's number
  /// does.
  func cases(of kind: CaseClass, _ codes: ElementCodes) -> Int {
    let scale = ScaleCodes(quantization.format.scale)
    switch kind {
    case .elementCodes:
      let count = codes.sample(refusesSpecials: refusesSpecials).count
      switch operation {
      case .quantize: return (count - 1) / (lanes - 1) + 1
      case .dequantize: return (count - 1) / lanes + 1
      case .product, .dot, .mma: return 2 * count
      default: return count
      }
    case .scaleCodes:
      let count = scale.sample(refusesSpecials: refusesSpecials).count
      return operation.isSum ? 2 * count + 64 : count
    case .specialC: return 2 * specialAddends.count + 32
    case .nanInfPerLane, .walkingElement: return operation.isSum ? min(2 * depth, 512) : lanes
    // Each distance with both signs of both terms, and of c above and below a product.
    case .alignmentLadder where operation.isSum: return 8 * (alignedBits + 4)
    case .ties where operation == .encode: return min(768, 3 * codes.positive.count)
    case .ties where operation == .mma && !isRegister: return SumCases.ties
    case .roundingCarries: return 4 * (outputMantissa + 1)
    case .subnormalOutput where operation.isSum && reachesHalfSubnormal(scale, codes):
      return operation == .mma ? SumCases.subnormals : 128
    default: return 0
    }
  }

  /// Whether scales bring a power of two between two others below the smallest subnormal result.
  func reachesHalfSubnormal(_ scale: ScaleCodes, _ codes: ElementCodes) -> Bool {
    isScaled && codes.productPowers.count > 2
      && 2 * scale.exponents.lowerBound + codes.productPowers.upperBound < smallestExponent
  }

  /// The exponent of a floating output's smallest subnormal.
  var smallestExponent: Int { expected.width == 16 ? -24 : -126 - outputMantissa }

  /// F of the aligner, or what a tie takes.
  var alignedBits: Int {
    if case .fused(let step) = accumulator.datapath, let alignment = step.alignment {
      return alignment.fraction
    }
    return outputMantissa + 3
  }

  /// Whether operands are float32 values.
  var takesFloats: Bool { operation == .encode || operation == .scale || operation == .quantize }

  /// Mantissa bits of a floating output.
  var outputMantissa: Int {
    switch accumulator.output.format {
    case .float32(let bits): bits
    case .float16: 10
    case .int32, .int64: 23
    }
  }

  /// Whether two products of one block can lie as far apart as a tie takes.
  private func reachesTies(_ codes: ElementCodes) -> Bool {
    2 * (codes.exponents.upperBound - codes.exponents.lowerBound) > outputMantissa
  }

  private func reachesSubnormals(_ scale: ScaleCodes, _ codes: ElementCodes) -> Bool {
    let smallest = accumulator.output.format == .float16 ? -14 : -126
    return 2 * (scale.exponents.lowerBound + codes.exponents.lowerBound) < smallest
  }
}

import NumberFormats

/// Seeded problems on which matmul engines are compared: the classes of
/// spec/accumulation-and-vectors.md B.5 that the sum of products can tell apart.
public enum MatmulProblems {
  public enum Kind: String, Sendable, CaseIterable {
    /// Every code alike, NaN and infinity rarely.
    case uniform
    /// As `uniform` with every code allowed, so that most sums are special in formats with NaN.
    case specials
    /// Half of the lines and a third of the addends hold NaN or infinity.
    case nonFinite
    /// Most codes zero, of both signs; c zero in part.
    case sparse
    /// Zeros only, all of a line of one sign, and c of both: what becomes of −0.
    case zeros
    /// Products in pairs of opposite sign, so that sums cancel to zero or to a little.
    case cancelling
    /// Largest and smallest magnitudes only.
    case extremes
    /// One large product, the others falling by a binary digit each: sticky tails.
    case ladder
    /// c at every distance from the products, from far below to far above.
    case addend
  }

  /// A problem's sizes and how it is scaled.
  public struct Setting: Sendable, Hashable {
    public var rows: Int
    public var columns: Int
    public var depth: Int
    /// Block sizes of A and B; nil: unscaled.
    public var blockA: Int?
    public var blockB: Int?
    public var tensorScales: Bool
    /// How many binades scales spread over.
    public var scaleSpread: Int

    public init(
      rows: Int, columns: Int, depth: Int, blockA: Int? = nil, blockB: Int? = nil,
      tensorScales: Bool = false, scaleSpread: Int = 3
    ) {
      self.rows = rows
      self.columns = columns
      self.depth = depth
      self.blockA = blockA
      self.blockB = blockB
      self.tensorScales = tensorScales
      self.scaleSpread = scaleSpread
    }
  }

  /// One problem; equal arguments give equal problems on every machine.
  public static func make(
    _ kind: Kind, _ setting: Setting, accumulator: Accumulator,
    elements: (a: ElementFormat, b: ElementFormat), scale: ScaleFormat?, seed: UInt64
  ) -> MatmulProblem {
    var words = Words(seed: seed)
    let codesA = codes(kind, elements.a, setting.rows, setting.depth, isA: true, &words)
    let codesB = codes(kind, elements.b, setting.columns, setting.depth, isA: false, &words)
    var a = MatmulOperand(
      element: elements.a, lines: setting.rows, depth: setting.depth, codes: codesA)
    var b = MatmulOperand(
      element: elements.b, lines: setting.columns, depth: setting.depth, codes: codesB)
    if let scale {
      a.scales = setting.blockA.map {
        scales(kind, scale, block: $0, lines: setting.rows, setting, &words)
      }
      b.scales = setting.blockB.map {
        scales(kind, scale, block: $0, lines: setting.columns, setting, &words)
      }
    }
    if setting.tensorScales {
      a.tensorScale = 0.0123
      b.tensorScale = 3.7e-4
    }
    var problem = MatmulProblem(a: a, b: b, accumulator: accumulator)
    if words.next() % 4 != 0 || [.addend, .nonFinite, .zeros].contains(kind) {
      problem.c = addends(kind, problem, &words)
    }
    return problem
  }

  private static func codes(
    _ kind: Kind, _ element: ElementFormat, _ lines: Int, _ depth: Int, isA: Bool,
    _ words: inout Words
  ) -> [UInt8] {
    let ranked = RankedCodes(element)
    var result: [UInt32] = []
    result.reserveCapacity(lines * depth)
    for _ in 0..<lines {
      var previous: UInt32 = 0
      let line = words.next()
      for k in 0..<depth {
        let word = words.next()
        let random = ranked.finite[Int(word >> 8) % ranked.finite.count]
        let code: UInt32
        switch kind {
        case .uniform, .addend:
          code = word % 4001 == 0 ? ranked.any(word >> 8) : random
        case .specials: code = word % 40 == 0 ? ranked.any(word >> 8) : random
        case .nonFinite:
          let isHit = line % 2 == 0 && Int(line >> 8) % max(1, depth) == k
          code = isHit ? ranked.special(word) : random
        case .zeros: code = line % 2 == 0 ? 0 : ranked.negativeZero
        case .sparse: code = word % 4 == 0 ? random : word % 8 < 5 ? 0 : ranked.negativeZero
        case .cancelling:
          // A repeats each code; B repeats it with the other sign, but for a few.
          code =
            k % 2 == 0 || word % 61 == 0 ? random : isA ? previous : ranked.negated(previous)
        case .extremes:
          let edge = [ranked.finite.count - 1, ranked.finite.count - 2, 0, 1, 2]
          code = ranked.signed(ranked.finite[edge[Int(word >> 8) % edge.count]], word)
        case .ladder:
          let step = max(0, ranked.positive.count - 1 - (k * max(1, ranked.perBinade)) / 2)
          code = ranked.signed(ranked.positive[max(step, min(1, step))], word)
        }
        previous = code
        result.append(code)
      }
    }
    return pack(result, width: element.codeBytes)
  }

  private static func scales(
    _ kind: Kind, _ format: ScaleFormat, block: Int, lines: Int, _ setting: Setting,
    _ words: inout Words
  ) -> MatmulOperand.Scales {
    let blocks = MatmulOperand.Scales.count(depth: setting.depth, block: block)
    let layout = format.layout
    let middle = layout.bias
    let largest = Int(layout.largestFiniteMagnitudeCode)
    let codes = (0..<(lines * blocks)).map { _ -> UInt32 in
      let word = words.next()
      if kind == .specials, word % 300 == 0 { return format.canonicalNaN }
      if kind == .sparse, word % 16 == 0 { return 0 }
      if kind == .extremes, word % 8 == 0 { return UInt32(word % 16 == 0 ? largest : 1) }
      let field = middle + Int(word >> 8) % (2 * setting.scaleSpread + 1) - setting.scaleSpread
      let mantissa =
        UInt32(truncatingIfNeeded: word >> 4) & ((1 << UInt32(layout.mantissaBits)) - 1)
      let code = UInt32(max(0, field)) << UInt32(layout.mantissaBits) | mantissa
      return min(code, UInt32(largest))
    }
    return MatmulOperand.Scales(format: format, block: block, codes: codes)
  }

  private static func addends(
    _ kind: Kind, _ problem: MatmulProblem, _ words: inout Words
  ) -> [Int64] {
    (0..<(problem.rows * problem.columns)).map { index -> Int64 in
      let word = words.next()
      let high = words.next()
      switch problem.outputType {
      case .float32:
        if kind == .zeros { return word % 2 == 0 ? 0 : 0x8000_0000 }
        if kind == .sparse, word % 2 == 0 { return word % 4 == 0 ? 0 : 0x8000_0000 }
        if (kind == .specials && word % 50 == 0) || (kind == .nonFinite && word % 3 == 0) {
          return [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7F80_0001][Int(high % 4)]
        }
        // Subnormals, which some units read as zeros.
        if word % 29 == 0 { return Int64(word & 0x807F_FFFF) }
        let exponent = kind == .addend ? 127 + index % 90 - 50 : 127 + Int(high % 20) - 10
        let wild = word % 97 == 0 ? Int(high % 255) : exponent
        return Int64(word & 0x8000_0000) | Int64(wild) << 23 | Int64(word & 0x7F_FFFF)
      case .float16:
        if kind == .zeros { return word % 2 == 0 ? 0 : 0x8000 }
        if (kind == .specials && word % 50 == 0) || (kind == .nonFinite && word % 3 == 0) {
          return [0x7C00, 0xFC00, 0x7E00, 1][Int(high % 4)]
        }
        return Int64(word & 0x8000) | Int64(high % 31) << 10 | Int64(word & 0x3FF)
      case .int32:
        return kind == .addend || kind == .extremes
          ? Int64(Int32(truncatingIfNeeded: word % 2 == 0 ? 0x7FFF_FF00 : 0x8000_00F0))
          : Int64(Int32(truncatingIfNeeded: word) >> 8)
      case .int64: return registerValue(problem.accumulator, word, high)
      }
    }
  }

  /// A value that the register can hold.
  private static func registerValue(
    _ accumulator: Accumulator, _ word: UInt32, _ high: UInt32
  ) -> Int64 {
    var width = 64
    if case .fixed(let register) = accumulator.datapath { width = register.width }
    if case .integer(let register) = accumulator.datapath { width = register.width }
    let pattern = Int64(bitPattern: UInt64(high) << 32 | UInt64(word))
    return word % 3 == 0 ? pattern >> Int64(64 - width) : pattern >> Int64(64 - max(2, width / 2))
  }
}

/// Words of the counter-based generator, in order.
struct Words {
  let seed: UInt64
  var index: UInt64 = 0

  init(seed: UInt64) { self.seed = seed }

  mutating func next() -> UInt32 {
    index += 1
    return philox4x32Word0(seed: seed, index: index)
  }
}

/// The codes of an element by what they are.
private struct RankedCodes {
  var finite: [UInt32]
  /// Ascending in magnitude, zero first.
  var positive: [UInt32]
  var negativeZero: UInt32 = 0
  var perBinade = 1
  private let element: ElementFormat

  init(_ element: ElementFormat) {
    self.element = element
    switch element.kind {
    case .float(let layout):
      let magnitudes = layout.largestFiniteMagnitudeCode
      // A wide format is sampled.
      let step = max(1, magnitudes / 4096)
      positive =
        stride(from: 0, through: magnitudes, by: Int(step)).map { UInt32($0) } + [magnitudes]
      perBinade = max(1, (1 << layout.mantissaBits) / Int(step))
      let sign = UInt32(1) << UInt32(layout.exponentBits + layout.mantissaBits)
      let negatives = positive.filter { $0 != 0 || layout.nonFinite != .negativeZeroNaN }
      finite = positive + negatives.map { $0 | sign }
      negativeZero = layout.nonFinite == .negativeZeroNaN ? 0 : sign
    case .integer(let layout):
      positive = Array(0..<(UInt32(1) << UInt32(layout.bits - 1)))
      finite = Array(0..<(UInt32(1) << UInt32(layout.bits)))
    case .codebook(let values):
      finite = Array(0..<UInt32(values.count))
      positive = finite
    }
  }

  func any(_ word: UInt32) -> UInt32 {
    if case .codebook = element.kind { return finite[Int(word) % finite.count] }
    return element.bits >= 32 ? word : word & ((1 << UInt32(element.bits)) - 1)
  }

  /// Infinity or NaN where the element has them.
  func special(_ word: UInt32) -> UInt32 {
    guard case .float(let layout) = element.kind else { return any(word) }
    let sign = UInt32(1) << UInt32(layout.exponentBits + layout.mantissaBits)
    switch layout.nonFinite {
    case .none: return any(word)
    case .negativeZeroNaN: return sign
    case .allOnesNaN: return layout.largestFiniteMagnitudeCode + 1 | (word & 1) * sign
    case .ieee:
      // One in four is NaN, which hides everything else.
      return layout.largestFiniteMagnitudeCode + (word % 4 == 0 ? 2 : 1) | (word >> 8 & 1) * sign
    }
  }

  func negated(_ code: UInt32) -> UInt32 {
    switch element.kind {
    case .float(let layout):
      let sign = UInt32(1) << UInt32(layout.exponentBits + layout.mantissaBits)
      return code == 0 && layout.nonFinite == .negativeZeroNaN ? 0 : code ^ sign
    case .integer(let layout):
      let mask = (UInt32(1) << UInt32(layout.bits)) - 1
      return layout.encoding == .signMagnitude
        ? code ^ (1 << UInt32(layout.bits - 1)) : (0 &- code) & mask
    case .codebook: return code
    }
  }

  func signed(_ code: UInt32, _ word: UInt32) -> UInt32 { word & 1 == 0 ? code : negated(code) }
}

private func pack(_ codes: [UInt32], width: Int) -> [UInt8] {
  codes.flatMap { code in (0..<width).map { UInt8(truncatingIfNeeded: code >> UInt32(8 * $0)) } }
}

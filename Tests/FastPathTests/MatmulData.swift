import FastPath
import NumberFormats
import Reference

/// How the codes of a product are drawn.
enum MatmulFilling: String, CaseIterable {
  /// Every code alike, NaN and infinity among them.
  case uniform
  /// Every finite code alike.
  case finite
  /// Few numbers, many zeros of both signs.
  case sparse
  /// Magnitudes near 1 with a few far below: the usual case.
  case narrow
  /// Each product of the first half of K meets its opposite in the second, one code aside.
  case cancelling
  /// Magnitudes that fall along K, from the largest to the smallest.
  case ladder
  /// The largest and the smallest magnitudes only.
  case extremes
}

/// The codes of an element format, sorted into what tests draw from.
struct CodePool {
  var codes: [UInt32]
  var finite: [UInt32] = []
  var zeros: [UInt32] = []
  /// Nonzero finite codes by rising magnitude.
  var rising: [UInt32] = []
  var negative: [UInt32: UInt32] = [:]
  var values: [UInt32: Float] = [:]

  init(_ element: ElementFormat) {
    var random = SplitMix(7)
    if element.bits <= 16 {
      codes = (0..<UInt32(element.codeCount)).map { $0 }
    } else {
      codes = (0..<4096).map { _ in
        UInt32(truncatingIfNeeded: random.next()) & UInt32((UInt64(1) << UInt64(element.bits)) - 1)
      }
    }
    let decoded = decodedCodes(codes, element)
    var byValue: [Float: UInt32] = [:]
    for (code, value) in zip(codes, decoded) {
      values[code] = value
      guard value.isFinite else { continue }
      finite.append(code)
      if value == 0 { zeros.append(code) } else { byValue[value] = code }
    }
    rising = finite.filter { values[$0] != 0 }.sorted {
      ((values[$0] ?? 0).magnitude, $0) < ((values[$1] ?? 0).magnitude, $1)
    }
    for code in rising { negative[code] = byValue[-(values[code] ?? 0)] }
  }

  func draw(_ filling: MatmulFilling, _ place: Double, _ random: inout SplitMix) -> UInt32 {
    func any(_ pool: [UInt32]) -> UInt32 {
      pool.isEmpty ? codes[0] : pool[Int(random.next() % UInt64(pool.count))]
    }
    func near(_ fraction: Double) -> UInt32 {
      let spread = max(1, rising.count / 16)
      let at = Int(fraction * Double(rising.count - 1)) + Int(random.next() % UInt64(spread))
      return rising[min(at, rising.count - 1)]
    }
    switch filling {
    case .uniform: return any(random.next() % 24 == 0 ? codes : finite)
    case .finite: return any(finite)
    case .sparse: return random.next() % 8 == 0 ? any(finite) : any(zeros.isEmpty ? finite : zeros)
    case .narrow: return random.next() % 16 == 0 ? any(finite) : near(0.5)
    case .cancelling: return near(random.next() % 4 == 0 ? 0.2 : 0.6)
    case .ladder: return near(1 - place)
    case .extremes: return near(random.next() % 2 == 0 ? 0 : 1)
    }
  }
}

private func decodedCodes(_ codes: [UInt32], _ element: ElementFormat) -> [Float] {
  let bytes = matmulBytes(codes, element.codeBytes)
  var output = [Float](repeating: 0, count: codes.count)
  bytes.withUnsafeBytes { raw in
    output.withUnsafeMutableBufferPointer {
      MPFREngine().decode(codes: raw, element: element, into: $0)
    }
  }
  return output
}

func matmulBytes(_ codes: [UInt32], _ width: Int) -> [UInt8] {
  codes.flatMap { code in (0..<width).map { UInt8(truncatingIfNeeded: code >> UInt32(8 * $0)) } }
}

/// Scales around 1, or over their whole format with NaN and zero.
enum MatmulScales: String, CaseIterable {
  case narrow, wide
}

func matmulScaleCodes(
  _ format: ScaleFormat, _ count: Int, _ kind: MatmulScales, _ random: inout SplitMix
) -> [UInt32] {
  let mantissa = UInt32(format.layout.mantissaBits)
  let one = UInt32(format.layout.bias) << mantissa
  return (0..<count).map { _ in
    let bits = UInt32(truncatingIfNeeded: random.next())
    switch kind {
    case .narrow:
      let step = (bits >> 8) % 5
      return (one &+ (step << mantissa) &- (2 << mantissa)) | (bits & ((1 << mantissa) - 1))
    case .wide:
      return bits & UInt32((UInt64(1) << UInt64(format.storedBits)) - 1)
    }
  }
}

/// c's patterns: none, ordinary, large, tiny, everything.
enum MatmulAddend: String, CaseIterable {
  case none, ordinary, large, tiny, any
}

func matmulAddends(
  _ type: MatmulOutputType, _ count: Int, _ kind: MatmulAddend, _ random: inout SplitMix
) -> [Int64]? {
  if kind == .none { return nil }
  return (0..<count).map { _ in
    let bits = random.next()
    switch type {
    case .int32:
      let full = Int64(Int32(truncatingIfNeeded: bits))
      return kind == .tiny ? full >> 24 : kind == .ordinary ? full >> 12 : full
    case .int64:
      let full = Int64(bitPattern: bits)
      return kind == .tiny ? full >> 56 : kind == .ordinary ? full >> 40 : full
    case .float32:
      if kind == .any { return Int64(UInt32(truncatingIfNeeded: bits)) }
      let exponent = kind == .large ? 230 + bits % 24 : kind == .tiny ? bits % 12 : 117 + bits % 20
      let rest = (bits >> 32) & 0x807f_ffff
      return Int64(rest | exponent << 23)
    case .float16:
      if kind == .any { return Int64(UInt16(truncatingIfNeeded: bits)) }
      let exponent = kind == .large ? 26 + bits % 5 : kind == .tiny ? bits % 3 : 10 + bits % 10
      let rest = (bits >> 32) & 0x83ff
      return Int64(rest | exponent << 10)
    }
  }
}

/// What a test multiplies.
struct MatmulShape {
  var rows: Int
  var columns: Int
  var depth: Int
  var blockA: Int
  var blockB: Int
}

struct MatmulFormats {
  var a: ElementFormat
  var b: ElementFormat
  var scaleA: ScaleFormat?
  var scaleB: ScaleFormat?
}

struct MatmulMaker {
  var accumulator: Accumulator
  var formats: MatmulFormats
  private var poolA: CodePool
  private var poolB: CodePool

  init(_ accumulator: Accumulator, _ formats: MatmulFormats) {
    self.accumulator = accumulator
    self.formats = formats
    poolA = CodePool(formats.a)
    poolB = CodePool(formats.b)
  }

  func problem(
    _ shape: MatmulShape, _ filling: MatmulFilling, scales: MatmulScales, addend: MatmulAddend,
    tensorScales: Bool, seed: UInt64
  ) -> MatmulProblem {
    var random = SplitMix(seed)
    let a = operand(
      formats.a, formats.scaleA, shape.rows, shape.depth, shape.blockA, poolA, filling, scales,
      negates: false, &random)
    var b = operand(
      formats.b, formats.scaleB, shape.columns, shape.depth, shape.blockB, poolB, filling, scales,
      negates: false, &random)
    var left = a
    if filling == .cancelling { cancel(&left, &b, shape.depth) }
    if tensorScales {
      left.tensorScale = Float(1 + Int(random.next() % 1000)) / 1024
      b.tensorScale = random.next() % 2 == 0 ? nil : 3.25
    }
    var problem = MatmulProblem(a: left, b: b, accumulator: accumulator)
    problem.c = matmulAddends(
      problem.outputType, shape.rows * shape.columns, addend, &random)
    return problem
  }

  private func operand(
    _ element: ElementFormat, _ scale: ScaleFormat?, _ lines: Int, _ depth: Int, _ block: Int,
    _ pool: CodePool, _ filling: MatmulFilling, _ scales: MatmulScales, negates: Bool,
    _ random: inout SplitMix
  ) -> MatmulOperand {
    // Some lines stay free of NaN and infinity, so that both ways through the kernels are taken.
    let codes = (0..<lines).flatMap { line in
      (0..<depth).map { k in
        pool.draw(
          filling == .uniform && line % 3 != 1 ? .finite : filling,
          Double(k) / Double(max(1, depth)), &random)
      }
    }
    var result = MatmulOperand(
      element: element, lines: lines, depth: depth, codes: matmulBytes(codes, element.codeBytes))
    if let scale {
      let blocks = (depth + block - 1) / block
      result.scales = MatmulOperand.Scales(
        format: scale, block: block, codes: matmulScaleCodes(scale, lines * blocks, scales, &random)
      )
    }
    return result
  }

  /// The second half of K repeats the first with A's signs turned, the last code aside.
  private func cancel(_ a: inout MatmulOperand, _ b: inout MatmulOperand, _ depth: Int) {
    let half = depth / 2
    for line in 0..<a.lines {
      for k in 0..<half where k + half < depth - 1 {
        let from = code(a.codes, line * depth + k, formats.a.codeBytes)
        let opposite = matmulBytes([poolA.negative[from] ?? from], formats.a.codeBytes)
        for (byte, value) in opposite.enumerated() {
          a.codes[(line * depth + k + half) * opposite.count + byte] = value
        }
      }
    }
    let width = formats.b.codeBytes
    for line in 0..<b.lines {
      for k in 0..<half where k + half < depth - 1 {
        for byte in 0..<width {
          b.codes[(line * depth + k + half) * width + byte] =
            b.codes[(line * depth + k) * width + byte]
        }
      }
    }
  }
}

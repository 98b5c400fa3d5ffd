import FastPath
import NumberFormats

/// What vectors are asked for, and how their words are laid out.
public struct VectorSpec: Sendable {
  public let operation: VectorOperation
  public let quantization: QuantizationSpec
  public let accumulator: Accumulator
  public let block: BlockShape
  /// Q_b: elements of a block.
  public let lanes: Int
  /// K: terms of a sum; 1 for products, Q_b for dots, the unit's own number for mma.
  public let depth: Int
  /// Whether operands of sums carry block scales.
  public let isScaled: Bool
  /// Whether block quantisation takes a tensor scale.
  public let hasTensorScale: Bool
  public let inputs: WordLayout
  public let expected: WordLayout

  /// - Parameters:
  ///   - block: the format's own where nil; `axis` and `tensor` have no number of lanes.
  ///   - depth: terms of an mma in place of the unit's own number, for operands from files.
  ///   - scaled: whether the terms of such an mma carry scales.
  public init(
    operation: VectorOperation, quantization: QuantizationSpec, accumulator: Accumulator,
    block: BlockShape? = nil, depth: Int? = nil, scaled: Bool? = nil
  ) throws(VectorsError) {
    self.operation = operation
    self.quantization = quantization
    self.accumulator = accumulator
    let shape = block ?? quantization.format.block
    self.block = shape
    switch shape {
    case .line(let size): lanes = size
    case .tile(let rows, let columns): lanes = rows * columns
    case .axis, .tensor:
      throw .usage("--block \(shape): a vector has a number of lanes (expected N or RxC)")
    }
    guard lanes <= 4096 else { throw .usage("--block \(shape): expected at most 4096 elements") }
    if case .stochastic = quantization.rounding {
      throw .usage("--rounding stochastic: vectors have no field for random bits")
    }
    let element = quantization.format.element
    let scale = quantization.format.scale
    if operation.isSum, !accumulator.takes(element) {
      throw .usage("the accumulator \(accumulator.name) does not take \(element.name) elements")
    }
    self.depth = depth ?? Self.depth(operation, accumulator, lanes: lanes)
    switch operation {
    case .dot: isScaled = true
    case .mma: isScaled = scaled ?? accumulator.appliesScales && accumulator.takes(scale)
    default: isScaled = false
    }
    if isScaled, !accumulator.takes(scale) {
      throw .usage("the accumulator \(accumulator.name) does not take \(scale.name) scales")
    }
    hasTensorScale = Self.takesTensorScale(quantization)
    var inputs = WordLayout()
    var expected = WordLayout()
    switch operation {
    case .decode:
      inputs.add("code", width: element.bits)
      expected.add("value", width: 32)
    case .encode:
      inputs.add("value", width: 32)
      expected.add("code", width: element.bits)
    case .scale:
      inputs.add("amax", width: 32)
      if hasTensorScale { inputs.add("tensor_scale", width: 32) }
      expected.add("scale", width: scale.storedBits)
    case .quantize:
      inputs.add("values", width: 32, lanes: lanes)
      if hasTensorScale { inputs.add("tensor_scale", width: 32) }
      expected.add("codes", width: element.bits, lanes: lanes)
      expected.add("scale", width: scale.storedBits)
    case .dequantize:
      inputs.add("codes", width: element.bits, lanes: lanes)
      inputs.add("scale", width: scale.storedBits)
      if hasTensorScale { inputs.add("tensor_scale", width: 32) }
      expected.add("values", width: 32, lanes: lanes)
    case .product, .dot, .mma:
      let terms = self.depth
      let blocks = (terms - 1) / lanes + 1
      inputs.add("a", width: element.bits, lanes: terms)
      inputs.add("b", width: element.bits, lanes: terms)
      if isScaled {
        inputs.add("scale_a", width: scale.storedBits, lanes: blocks)
        inputs.add("scale_b", width: scale.storedBits, lanes: blocks)
      }
      let width = Self.outputWidth(accumulator, runs: isScaled && !accumulator.appliesScales)
      if operation == .mma { inputs.add("c", width: width) }
      expected.add("d", width: width)
    }
    self.inputs = inputs
    self.expected = expected
  }

  /// Bits of a result: a register's own width unless its sums are scaled in float32.
  private static func outputWidth(_ accumulator: Accumulator, runs: Bool) -> Int {
    switch (accumulator.datapath, accumulator.output.format) {
    case (.fixed(let register), _): return register.width
    case (.integer(let register), _):
      return runs || accumulator.promoteEvery != nil ? 32 : register.width
    case (_, .float16): return 16
    default: return 32
    }
  }

  private static func depth(
    _ operation: VectorOperation, _ accumulator: Accumulator, lanes: Int
  ) -> Int {
    guard operation == .mma else { return operation == .product ? 1 : lanes }
    switch accumulator.datapath {
    case .exact: return lanes
    case .float32(let steps): return steps.step ?? lanes
    case .fused(let step): return step.terms
    case .integer(let register): return register.step ?? lanes
    case .fixed(let register): return register.terms
    }
  }

  private static func takesTensorScale(_ spec: QuantizationSpec) -> Bool {
    guard spec.format.hasTensorScale, spec.tensorScale != .none,
      let engine = try? VectorEngine(target: .baseline)
    else { return false }
    var given = spec
    given.tensorScale = .given(2)
    return (try? engine.tensorScale(amax: 1, spec: given)) != nil
  }

  /// Whether the register holds integers, its result sign-extended.
  var isRegister: Bool {
    switch accumulator.datapath {
    case .fixed: true
    case .integer: !(isScaled || accumulator.promoteEvery != nil)
    default: false
    }
  }

  /// Whether NaN and infinity are errors.
  var refusesSpecials: Bool {
    if case .fixed = accumulator.datapath { return operation.isSum }
    return false
  }

  /// The grid of one block.
  func grid() throws(VectorsError) -> BlockGrid {
    do {
      switch block {
      case .tile(let rows, let columns):
        return try BlockGrid(shape: [rows, columns], block: block)
      default: return try BlockGrid(shape: [lanes], block: block)
      }
    } catch { throw .usage("\(error)") }
  }

  /// A sum's operands as a problem with one output.
  public func problem(_ numbers: [UInt64]) -> MatmulProblem {
    let element = quantization.format.element
    let blocks = (depth - 1) / lanes + 1
    func operand(_ start: Int, scales: Int) -> MatmulOperand {
      var codes = [UInt8]()
      codes.reserveCapacity(depth * element.codeBytes)
      for code in numbers[start..<(start + depth)] {
        for byte in 0..<element.codeBytes {
          codes.append(UInt8(truncatingIfNeeded: code >> UInt64(8 * byte)))
        }
      }
      var result = MatmulOperand(element: element, lines: 1, depth: depth, codes: codes)
      if isScaled {
        result.scales = MatmulOperand.Scales(
          format: quantization.format.scale, block: lanes,
          codes: numbers[scales..<(scales + blocks)].map { UInt32(truncatingIfNeeded: $0) })
      }
      return result
    }
    let scales = 2 * depth
    var problem = MatmulProblem(
      a: operand(0, scales: scales), b: operand(depth, scales: scales + blocks),
      accumulator: accumulator)
    if operation == .mma, let c = numbers.last { problem.c = [extended(c)] }
    return problem
  }

  /// A pattern of the output as engines take it.
  private func extended(_ pattern: UInt64) -> Int64 {
    let width = UInt64(expected.width)
    guard isRegister else { return Int64(bitPattern: pattern) }
    return Int64(bitPattern: pattern << (64 - width)) >> Int64(64 - width)
  }
}

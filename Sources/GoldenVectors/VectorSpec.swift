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
  /// M and N: outputs of a tile; 1 for the other sums.
  public let rows: Int
  public let columns: Int
  /// K: terms of a sum; 1 for products, Q_b for dots, the unit's own number for mma.
  public let depth: Int
  /// Whether operands of sums carry block scales.
  public let isScaled: Bool
  /// Whether blocks, or the operands of a tile, take a tensor scale.
  public let hasTensorScale: Bool
  public let inputs: WordLayout
  public let expected: WordLayout

  /// - Parameters:
  ///   - block: the format's own where nil; `tensor`, and `axis` but for tiles, have no number of
  ///     lanes.
  ///   - depth: terms of a dot or an mma in place of their own number, for operands from files.
  ///   - scaled: whether the terms of a sum carry scales; nil: dots and tiles do, an mma where its
  ///     unit applies them.
  ///   - tile: for `matmul` only; nil: 4 × 4 outputs of two blocks or two of the unit's steps,
  ///     whichever is longer.
  public init(
    operation: VectorOperation, quantization: QuantizationSpec, accumulator: Accumulator,
    block: BlockShape? = nil, depth: Int? = nil, scaled: Bool? = nil, tile: TileShape? = nil
  ) throws(VectorsError) {
    self.operation = operation
    self.quantization = quantization
    self.accumulator = accumulator
    let shape = block ?? quantization.format.block
    self.block = shape
    lanes = try Self.lanes(shape, operation, tile)
    if case .stochastic = quantization.rounding {
      throw .usage("--rounding stochastic: vectors have no field for random bits")
    }
    let element = quantization.format.element
    let scale = quantization.format.scale
    if operation.isSum, !accumulator.takes(element) {
      throw .usage("the accumulator \(accumulator.name) does not take \(element.name) elements")
    }
    let step = Self.step(accumulator, lanes: lanes)
    var size = tile ?? TileShape(rows: 4, columns: 4, depth: 2 * max(step, lanes))
    switch operation {
    case .matmul:
      try size.check()
      isScaled = scaled ?? true
    case .dot:
      size = TileShape(rows: 1, columns: 1, depth: depth ?? lanes)
      isScaled = scaled ?? true
    case .mma:
      size = TileShape(rows: 1, columns: 1, depth: depth ?? step)
      isScaled = scaled ?? (accumulator.appliesScales && accumulator.takes(scale))
    default:
      size = TileShape(rows: 1, columns: 1, depth: operation == .product ? 1 : lanes)
      isScaled = false
    }
    rows = size.rows
    columns = size.columns
    self.depth = size.depth
    if isScaled, !accumulator.takes(scale) {
      throw .usage("the accumulator \(accumulator.name) does not take \(scale.name) scales")
    }
    hasTensorScale =
      (operation == .matmul ? isScaled : true) && Self.takesTensorScale(quantization)
    let layouts = VectorLayouts(
      operation, element: element, scale: scale, lanes: lanes, tile: size, isScaled: isScaled,
      hasTensorScale: hasTensorScale,
      outputWidth: Self.outputWidth(accumulator, runs: isScaled && !accumulator.appliesScales))
    inputs = layouts.inputs
    expected = layouts.expected
  }

  /// The tile of a `matmul`; nil for the other operations.
  public var tile: TileShape? {
    operation == .matmul ? TileShape(rows: rows, columns: columns, depth: depth) : nil
  }

  /// One output of a tile as a sum of its own, without tensor scales.
  func line() throws(VectorsError) -> VectorSpec {
    try VectorSpec(
      operation: .mma, quantization: quantization, accumulator: accumulator, block: .line(lanes),
      depth: depth, scaled: isScaled)
  }

  private static func lanes(
    _ shape: BlockShape, _ operation: VectorOperation, _ tile: TileShape?
  ) throws(VectorsError) -> Int {
    let lanes: Int
    switch shape {
    case .line(let size): lanes = size
    case .tile(let rows, let columns):
      guard operation != .matmul else {
        throw .usage("--block \(shape): the blocks of a tile's operands run along K (expected N)")
      }
      lanes = rows * columns
    case .axis where operation == .matmul && tile != nil: lanes = tile?.depth ?? 1
    case .axis where operation == .matmul:
      throw .usage("--block axis: expected with --tile, whose K it takes")
    case .axis, .tensor:
      throw .usage("--block \(shape): a vector has a number of lanes (expected N or RxC)")
    }
    guard lanes <= 4096 else { throw .usage("--block \(shape): expected at most 4096 elements") }
    return lanes
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

  /// Terms of the unit's step.
  private static func step(_ accumulator: Accumulator, lanes: Int) -> Int {
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
}

/// One operand of a matmul: lines of codes along K, with a scale for each block of a line.
///
/// Both operands are stored by lines along K: A as [m, k], and B transposed, as [n, k].
public struct MatmulOperand: Sendable, Hashable {
  /// Block scales along K.
  public struct Scales: Sendable, Hashable {
    public var format: ScaleFormat
    /// Q_b, at least 1.
    public var block: Int
    /// `lines` × ⌈depth / block⌉ patterns, row-major.
    public var codes: [UInt32]

    public init(format: ScaleFormat, block: Int, codes: [UInt32]) {
      self.format = format
      self.block = block
      self.codes = codes
    }

    /// ⌈depth / block⌉, for blocks of any size.
    public static func count(depth: Int, block: Int) -> Int {
      depth == 0 ? 0 : (depth - 1) / block + 1
    }
  }

  public var element: ElementFormat
  public var lines: Int
  /// K
  public var depth: Int
  /// `lines` × `depth` codes of `element.codeBytes` bytes, little-endian, row-major.
  public var codes: [UInt8]
  /// Nil: every scale is 1 and the unit's unscaled path is taken.
  public var scales: Scales?
  /// T; nil where the format has none.
  public var tensorScale: Float?

  public init(
    element: ElementFormat, lines: Int, depth: Int, codes: [UInt8], scales: Scales? = nil,
    tensorScale: Float? = nil
  ) {
    self.element = element
    self.lines = lines
    self.depth = depth
    self.codes = codes
    self.scales = scales
    self.tensorScale = tensorScale
  }

  /// Some of the lines, in their order.
  public func lines(_ range: Range<Int>) -> MatmulOperand {
    var part = self
    part.lines = range.count
    let width = depth * element.codeBytes
    part.codes = Array(codes[(range.lowerBound * width)..<(range.upperBound * width)])
    if let scales {
      let blocks = Scales.count(depth: depth, block: scales.block)
      part.scales?.codes = Array(
        scales.codes[(range.lowerBound * blocks)..<(range.upperBound * blocks)])
    }
    return part
  }
}

/// D = A · B + C under one accumulator.
public struct MatmulProblem: Sendable, Hashable {
  /// [m, k]
  public var a: MatmulOperand
  /// [n, k]: B transposed.
  public var b: MatmulOperand
  /// m × n patterns of `outputType`, row-major, in the low bits; nil: zeros.
  public var c: [Int64]?
  public var accumulator: Accumulator

  public init(a: MatmulOperand, b: MatmulOperand, c: [Int64]? = nil, accumulator: Accumulator) {
    self.a = a
    self.b = b
    self.c = c
    self.accumulator = accumulator
  }

  public var rows: Int { a.lines }
  public var columns: Int { b.lines }
  public var depth: Int { a.depth }
  public var isScaled: Bool { a.scales != nil || b.scales != nil }
  /// Whether the run rule of A.6b applies: the unit sums from 0, and scaled sums are added in FP32.
  public var sumsRuns: Bool {
    accumulator.promoteEvery != nil || (isScaled && !accumulator.appliesScales)
  }

  /// What D and C hold. An integer unit whose sums are scaled gives float32.
  public var outputType: MatmulOutputType {
    switch accumulator.output.format {
    case .float32: .float32
    case .float16: .float16
    case .int32: hasTensorScale || sumsRuns ? .float32 : .int32
    case .int64: hasTensorScale || sumsRuns ? .float32 : .int64
    }
  }

  private var hasTensorScale: Bool {
    if case .fixed = accumulator.datapath { return false }
    return a.tensorScale != nil || b.tensorScale != nil
  }

  /// Checks shapes, block sizes and what the accumulator takes.
  public func check() throws(MatmulError) {
    guard a.depth == b.depth else { throw .depths(a.depth, b.depth) }
    for (side, operand) in [(MatmulSide.a, a), (.b, b)] {
      guard operand.codes.count == operand.lines * operand.depth * operand.element.codeBytes else {
        throw .shape(side, expected: operand.lines * operand.depth)
      }
      guard accumulator.takes(operand.element) else {
        throw .element(side, operand.element.name, accumulator: accumulator.name)
      }
      if let scales = operand.scales {
        guard scales.block >= 1 else { throw .block(side, scales.block) }
        let blocks = MatmulOperand.Scales.count(depth: operand.depth, block: scales.block)
        guard scales.codes.count == operand.lines * blocks else {
          throw .scaleShape(side, expected: operand.lines * blocks)
        }
        guard accumulator.takes(scales.format) else {
          throw .scale(side, scales.format.name, accumulator: accumulator.name)
        }
      }
      if let factor = operand.tensorScale, !(factor.isFinite && factor > 0) {
        throw .tensorScale(side, factor)
      }
    }
    if let c, c.count != rows * columns { throw .addendShape(expected: rows * columns) }
  }
}

/// The stored type of D and C.
public enum MatmulOutputType: String, Sendable, Hashable, CaseIterable {
  case float32, float16, int32, int64

  public var bytes: Int {
    switch self {
    case .float16: 2
    case .float32, .int32: 4
    case .int64: 8
    }
  }
}

public enum MatmulSide: String, Sendable, Hashable {
  case a = "A"
  case b = "B"
}

/// Why two operands cannot be multiplied. The caller adds files and tensors.
public enum MatmulError: Error, Sendable, Hashable {
  case depths(Int, Int)
  case shape(MatmulSide, expected: Int)
  case scaleShape(MatmulSide, expected: Int)
  case addendShape(expected: Int)
  case block(MatmulSide, Int)
  case element(MatmulSide, String, accumulator: String)
  case scale(MatmulSide, String, accumulator: String)
  case tensorScale(MatmulSide, Float)
  /// A NaN or infinity where the register has neither.
  case notFinite(MatmulSide, line: Int, k: Int, accumulator: String)
  /// D has no such output.
  case noOutput(row: Int, column: Int, rows: Int, columns: Int)
  /// An engine's buffers do not fit into memory.
  case memory
}

extension MatmulError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .depths(let a, let b): "the inner dimensions differ: A has k = \(a), B has k = \(b)"
    case .shape(let side, let expected): "\(side.rawValue): expected \(expected) codes"
    case .scaleShape(let side, let expected): "S\(side.rawValue): expected \(expected) scales"
    case .addendShape(let expected): "C: expected \(expected) values"
    case .block(let side, let block):
      "\(side.rawValue): the block size is \(block), expected at least 1"
    case .element(let side, let name, let accumulator):
      "\(side.rawValue): the accumulator \(accumulator) does not take \(name) elements"
    case .scale(let side, let name, let accumulator):
      "\(side.rawValue): the accumulator \(accumulator) does not take \(name) scales"
    case .tensorScale(let side, let value):
      "\(side.rawValue): the tensor scale is \(value), expected a positive finite number"
    case .notFinite(let side, let line, let k, let accumulator):
      "\(side.rawValue): NaN or infinity at \(side == .a ? "row" : "column") \(line), k = \(k), in an"
        + " element or its scale: the accumulator \(accumulator) has neither"
    case .memory: "not enough memory for the product"
    case .noOutput(let row, let column, let rows, let columns):
      "no output at row \(row), column \(column): D is \(rows) × \(columns)"
    }
  }
}

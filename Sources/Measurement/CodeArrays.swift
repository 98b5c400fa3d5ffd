import FormatCatalog
import NumberFormats
import TensorIO

/// The codes and scales of a matrix unit's operands, read from .npy files as they stand.
public struct CodeArray: Sendable {
  public var path: String
  public var rows: Int
  public var columns: Int
  /// Patterns, row-major.
  public var values: [Int64]
  public var dtype: TensorDType
  /// The tensor's name; nil for an .npy file's only one.
  public var tensor: String?
  /// Whether the file has one axis, read as a matrix of one column.
  public var isLine = false

  /// Reads a matrix of one of `types`; float types give their bits.
  ///
  /// - Parameter takesLine: whether one axis will do.
  /// - Throws: `badData` for another type or rank.
  public init(_ argument: String, types: [TensorDType], takesLine: Bool = false) throws {
    let selection = try Self.onlyTensor(argument)
    let info = selection.info
    path = selection.path
    guard types.contains(info.dtype) else {
      throw MeasurementError.badData(
        file: path, tensor: info.name,
        "\(info.dtype.rawValue) values, expected \(types.map(\.rawValue).joined(separator: ", "))")
    }
    isLine = takesLine && info.shape.count == 1
    guard info.shape.count == 2 || isLine else {
      throw MeasurementError.badData(
        file: path, tensor: info.name,
        "shape \(info.shape), expected \(takesLine ? "one or two axes" : "two axes")")
    }
    dtype = info.dtype
    tensor = selection.file.container == .npy ? nil : info.name
    rows = info.shape[0]
    columns = isLine ? 1 : info.shape[1]
    values = try selection.file.withBytes(info) { bytes in
      Self.patterns(bytes, info)
    }
  }

  private static func onlyTensor(_ argument: String) throws -> InputTensor {
    let selection = try InputSelection([argument], takesAnyType: true)
    guard selection.tensors.count == 1 else {
      throw MeasurementError.usage(
        "\(argument): \(selection.tensors.count) tensors, expected one (FILE:NAME)")
    }
    return selection.tensors[0]
  }

  private static func patterns(_ bytes: UnsafeRawBufferPointer, _ info: TensorInfo) -> [Int64] {
    let width = info.dtype.bits / 8
    let isSigned = [.i8, .i16, .i32, .i64].contains(info.dtype)
    let rows = info.shape[0]
    let columns = info.shape.count > 1 ? info.shape[1] : 1
    return (0..<(rows * columns)).map { index in
      let stored =
        info.isFortranOrder ? (index % columns) * rows + index / columns : index
      var pattern: UInt64 = 0
      for byte in 0..<width {
        let position = info.isBigEndian ? width - 1 - byte : byte
        pattern |= UInt64(bytes[stored * width + position]) << UInt64(8 * byte)
      }
      let shift = UInt64(64 - 8 * width)
      return isSigned
        ? Int64(bitPattern: pattern << shift) >> Int64(shift) : Int64(bitPattern: pattern)
    }
  }

  /// The array with its axes exchanged.
  func transposed() -> CodeArray {
    var result = self
    result.rows = columns
    result.columns = rows
    result.values = (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
    return result
  }

  /// Checks every pattern against a width in bits.
  func check(bits: Int, count: Int, what: String) throws(MeasurementError) {
    for (index, value) in values.enumerated() where value < 0 || value >= Int64(count) {
      throw .badData(
        file: path, tensor: tensor,
        "position [\(index / columns), \(index % columns)]: 0x\(String(value, radix: 16)) is no"
          + " \(what) code (expected below 0x\(String(count, radix: 16)))")
    }
  }
}

/// A product of codes as `blockscale mma` is asked for it.
public struct CodeProduct: Sendable {
  public var a: CodeArray
  /// [k, n], as in the file.
  public var b: CodeArray
  public var c: CodeArray?
  public var elementA: ElementFormat
  public var elementB: ElementFormat
  public var scalesA: (array: CodeArray, format: ScaleFormat, block: Int)?
  public var scalesB: (array: CodeArray, format: ScaleFormat, block: Int)?
  public var accumulator: Accumulator
  /// Whether B is [n, k] and SB [n, blocks], as A is: row i of A is to meet row i of B, n = m.
  public var isPaired = false

  public init(
    a: CodeArray, b: CodeArray, c: CodeArray?, elementA: ElementFormat, elementB: ElementFormat,
    scalesA: (array: CodeArray, format: ScaleFormat, block: Int)?,
    scalesB: (array: CodeArray, format: ScaleFormat, block: Int)?, accumulator: Accumulator
  ) {
    self.a = a
    self.b = b
    self.c = c
    self.elementA = elementA
    self.elementB = elementB
    self.scalesA = scalesA
    self.scalesB = scalesB
    self.accumulator = accumulator
  }

  /// What C and D hold.
  public func outputType() -> MatmulOutputType {
    func operand(_ element: ElementFormat, _ format: ScaleFormat?) -> MatmulOperand {
      MatmulOperand(
        element: element, lines: 0, depth: 0, codes: [],
        scales: format.map { MatmulOperand.Scales(format: $0, block: 1, codes: []) })
    }
    return MatmulProblem(
      a: operand(elementA, scalesA?.format), b: operand(elementB, scalesB?.format),
      accumulator: accumulator
    ).outputType
  }

  /// The problem, with every shape and pattern checked.
  public func problem() throws(MeasurementError) -> MatmulProblem {
    guard isPaired || a.columns == b.rows else {
      throw .badData(
        file: b.path, tensor: b.tensor,
        "shape [\(b.rows), \(b.columns)]: expected k = \(a.columns) rows, as \(a.path) has columns")
    }
    guard !isPaired || (a.rows == b.rows && a.columns == b.columns) else {
      throw .badData(
        file: b.path, tensor: b.tensor,
        "shape [\(b.rows), \(b.columns)]: expected [\(a.rows), \(a.columns)], that of \(a.path)")
    }
    try a.check(bits: elementA.bits, count: elementA.codeCount, what: elementA.name)
    try b.check(bits: elementB.bits, count: elementB.codeCount, what: elementB.name)
    let left = MatmulOperand(
      element: elementA, lines: a.rows, depth: a.columns,
      codes: packed(a.values.map { UInt32($0) }, width: elementA.codeBytes),
      scales: try scales(scalesA, lines: a.rows, depth: a.columns, isTransposed: false))
    let right = MatmulOperand(
      element: elementB, lines: isPaired ? b.rows : b.columns, depth: a.columns,
      codes: packed(
        (isPaired ? b : b.transposed()).values.map { UInt32($0) }, width: elementB.codeBytes),
      scales: try scales(
        scalesB, lines: isPaired ? b.rows : b.columns, depth: a.columns, isTransposed: !isPaired))
    var problem = MatmulProblem(a: left, b: right, accumulator: accumulator)
    if let c {
      guard c.rows == a.rows, c.columns == b.columns else {
        throw .badData(
          file: c.path, tensor: c.tensor,
          "shape [\(c.rows), \(c.columns)], expected [\(a.rows), \(b.columns)]")
      }
      let expected = problem.outputType.dtype
      guard c.dtype == expected else {
        throw .badData(
          file: c.path, tensor: c.tensor,
          "\(c.dtype.rawValue) values, expected \(expected.rawValue)")
      }
      problem.c = c.values
    }
    do throws(MatmulError) {
      try problem.check()
    } catch {
      throw .matmul(a: a.path, b: b.path, error)
    }
    return problem
  }

  private func scales(
    _ given: (array: CodeArray, format: ScaleFormat, block: Int)?, lines: Int, depth: Int,
    isTransposed: Bool
  ) throws(MeasurementError) -> MatmulOperand.Scales? {
    guard let given else { return nil }
    guard given.block >= 1 else { throw .usage("--block: expected at least 1") }
    let blocks = MatmulOperand.Scales.count(depth: depth, block: given.block)
    let array = isTransposed ? given.array.transposed() : given.array
    guard array.rows == lines, array.columns == blocks else {
      let expected = isTransposed ? [blocks, lines] : [lines, blocks]
      throw .badData(
        file: given.array.path, tensor: given.array.tensor,
        "shape [\(given.array.rows), \(given.array.columns)], expected \(expected) for blocks of"
          + " \(given.block) along k = \(depth)")
    }
    let bits = given.format.storedBits
    try given.array.check(
      bits: bits, count: bits >= 63 ? Int.max : 1 << bits, what: given.format.name)
    return MatmulOperand.Scales(
      format: given.format, block: given.block, codes: array.values.map { UInt32($0) })
  }
}

extension MatmulOutputType {
  /// The type of D's and C's file.
  public var dtype: TensorDType {
    switch self {
    case .float32: .f32
    case .float16: .f16
    case .int32: .i32
    case .int64: .i64
    }
  }
}

/// Writes D's patterns as a .npy matrix.
public func writePatterns(
  _ patterns: [Int64], rows: Int, columns: Int, type: MatmulOutputType, to path: String
) throws {
  let writer = MatmulWriter(path: path, shape: [rows, columns], type: type)
  writer.write(patterns, rows: 0..<rows, columns: 0..<columns, firstRow: 0)
  try writer.finish()
}

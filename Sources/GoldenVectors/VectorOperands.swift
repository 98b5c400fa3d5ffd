import NumberFormats

/// Operands of sums from files, in place of generated cases.
public struct VectorOperands: Sendable {
  /// How A's rows meet B's columns.
  public enum Meeting: String, Sendable, Hashable, Codable {
    /// Every row meets every column: outputs, or tiles of them, row by row.
    case product
    /// Row i of A meets column i of B, and c has one number for each.
    case pairs
  }

  public let problem: MatmulProblem
  public let meeting: Meeting

  /// - Parameters:
  ///   - problem: A·B + C of the specification's depth, element and scales; under `pairs` A and B
  ///     have equally many lines and C is nil.
  ///   - pairedC: one number for each pair; nil: zeros.
  public init(_ problem: MatmulProblem, meeting: Meeting, pairedC: [Int64]? = nil) {
    self.problem = problem
    self.meeting = meeting
    self.pairedC = pairedC
  }

  private let pairedC: [Int64]?

  /// Cases for tiles of the specification's size.
  func count(of spec: VectorSpec) throws(VectorsError) -> Int {
    switch meeting {
    case .pairs:
      guard spec.rows == 1, spec.columns == 1 else {
        throw .usage("operands in pairs have single outputs (expected --tile 1x1x\(spec.depth))")
      }
      return problem.rows
    case .product:
      guard problem.rows % spec.rows == 0, problem.columns % spec.columns == 0 else {
        throw .usage(
          "the operands' \(problem.rows) x \(problem.columns) outputs are not tiles of"
            + " \(spec.rows) x \(spec.columns)")
      }
      return (problem.rows / spec.rows) * (problem.columns / spec.columns)
    }
  }

  /// The numbers of a case's input fields.
  func inputs(_ index: Int, of spec: VectorSpec) -> [UInt64] {
    let across = meeting == .pairs ? 1 : problem.columns / spec.columns
    let row = index / across * spec.rows
    let column = meeting == .pairs ? index : index % across * spec.columns
    let a = problem.a.lines(row..<(row + spec.rows))
    let b = problem.b.lines(column..<(column + spec.columns))
    var numbers: [UInt64] = []
    for side in [a, b] {
      let width = side.element.codeBytes
      for place in 0..<(side.lines * side.depth) {
        numbers.append(
          (0..<width).reduce(0) { $0 | UInt64(side.codes[place * width + $1]) << UInt64(8 * $1) })
      }
    }
    for side in [a, b] { numbers += (side.scales?.codes ?? []).map(UInt64.init) }
    if spec.operation == .matmul, spec.hasTensorScale {
      for side in [a, b] { numbers.append(UInt64((side.tensorScale ?? 1).bitPattern)) }
    }
    guard spec.operation == .mma || spec.operation == .matmul else { return numbers }
    if meeting == .pairs { return numbers + spec.patterns([pairedC?[index] ?? 0]) }
    for line in row..<(row + spec.rows) {
      let first = line * problem.columns + column
      numbers += spec.patterns(
        problem.c.map { Array($0[first..<(first + spec.columns)]) }
          ?? [Int64](repeating: 0, count: spec.columns))
    }
    return numbers
  }
}

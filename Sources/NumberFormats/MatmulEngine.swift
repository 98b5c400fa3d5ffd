/// What the MPFR engine and the vectorised engine both do to a matmul, equal bit for bit.
public protocol MatmulEngine: Sendable {
  /// `reference`, `avx512`, `avx2`, `baseline` or `neon`.
  var name: String { get }

  /// D = A · B + C by the problem's accumulator, on the calling thread.
  ///
  /// - Parameter output: room for m × n values of `problem.outputType`, row-major.
  func multiply(
    _ problem: MatmulProblem, into output: UnsafeMutableRawBufferPointer
  ) throws(MatmulError)
}

extension MatmulEngine {
  /// D's patterns, in the low bits: float32 and float16 zero-extended, int32 and int64
  /// sign-extended.
  public func multiply(_ problem: MatmulProblem) throws(MatmulError) -> [Int64] {
    let type = problem.outputType
    let count = problem.rows * problem.columns
    let bytes = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(1, count * type.bytes), alignment: 64)
    defer { bytes.deallocate() }
    try multiply(problem, into: bytes)
    return (0..<count).map { index in
      switch type {
      case .float32: Int64(bytes.load(fromByteOffset: 4 * index, as: UInt32.self))
      case .float16: Int64(bytes.load(fromByteOffset: 2 * index, as: UInt16.self))
      case .int32: Int64(bytes.load(fromByteOffset: 4 * index, as: Int32.self))
      case .int64: bytes.load(fromByteOffset: 8 * index, as: Int64.self)
      }
    }
  }
}

import CBlockKernels
import NumberFormats

extension VectorEngine: MatmulEngine {
  public func multiply(
    _ problem: MatmulProblem, into output: UnsafeMutableRawBufferPointer
  ) throws(MatmulError) {
    try problem.check()
    guard problem.rows > 0, problem.columns > 0 else { return }
    let kernel = KernelMatmul(problem)
    if target == .avx512, kernel.withRaw(problem, { bk_hot_matmul($0, output.baseAddress) }) != 0 {
      return
    }
    if case .exact = problem.accumulator.datapath {
      return try multiplyExact(problem, target: target, into: output)
    }
    let result = kernel.withRaw(problem) { bk_multiply(target.raw, $0, output.baseAddress) }
    switch Int(result.status) {
    case Int(BK_OK): return
    case Int(BK_NOT_FINITE):
      throw .notFinite(
        result.side == 0 ? .a : .b, line: Int(result.line), k: Int(result.k),
        accumulator: problem.accumulator.name)
    default: throw .memory
    }
  }
}

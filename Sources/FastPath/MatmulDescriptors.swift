import CBlockKernels
import KernelDescriptors
import NumberFormats

/// A matmul's descriptors as the kernels read them, with the storage they point to.
struct KernelMatmul {
  private let a: KernelElement
  private let b: KernelElement
  private let scaleA: bk_scale?
  private let scaleB: bk_scale?

  init(_ problem: MatmulProblem) {
    a = KernelElement(problem.a.element)
    b = KernelElement(problem.b.element)
    scaleA = problem.a.scales.map { kernelScale($0.format) }
    scaleB = problem.b.scales.map { kernelScale($0.format) }
  }

  /// Calls `body` with pointers that hold while it runs.
  func withRaw<Result>(
    _ problem: MatmulProblem, _ body: (UnsafePointer<bk_matmul>) -> Result
  ) -> Result {
    var raw = bk_matmul()
    raw.accumulator = kernelAccumulator(problem.accumulator)
    raw.sums_runs = problem.sumsRuns ? 1 : 0
    raw.output_type = kernelOutput(problem.outputType)
    return withExtendedLifetime((a, b)) {
      withOperand(problem.a, a, scaleA) { operandA in
        withOperand(problem.b, b, scaleB) { operandB in
          raw.a = operandA
          raw.b = operandB
          guard let c = problem.c else { return withUnsafePointer(to: raw, body) }
          return c.withUnsafeBufferPointer { c in
            raw.c = c.baseAddress
            return withUnsafePointer(to: raw, body)
          }
        }
      }
    }
  }

  private func withOperand<Result>(
    _ operand: MatmulOperand, _ element: KernelElement, _ scale: bk_scale?,
    _ body: (bk_operand) -> Result
  ) -> Result {
    var raw = bk_operand()
    raw.lines = Int64(operand.lines)
    raw.depth = Int64(operand.depth)
    if let factor = operand.tensorScale {
      raw.has_tensor_scale = 1
      raw.tensor_scale = factor
    }
    return withUnsafePointer(to: element.raw) { element in
      raw.element = element
      return operand.codes.withUnsafeBytes { codes in
        raw.codes = codes.baseAddress
        guard let scales = operand.scales, let scale else { return body(raw) }
        raw.block = Int64(scales.block)
        return withUnsafePointer(to: scale) { scale in
          raw.scale = scale
          return scales.codes.withUnsafeBufferPointer { codes in
            raw.scale_codes = codes.baseAddress
            return body(raw)
          }
        }
      }
    }
  }
}

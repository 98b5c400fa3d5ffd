import CBlockKernels
import KernelDescriptors
import NumberFormats

/// D = c + T_A·T_B·Σ a·b·s_A·s_B, rounded once to float32 by tiesToEven, for any formats, scales and
/// ranges (spec/accumulation-and-vectors.md A.6b). An exact 0 is +0 unless K is 0, where D is c.
///
/// Scaled values are cut into slices, integers of few bits, and slices multiplied by the float64
/// matrix product. A slice of p bits times one of q bits, summed over K, stays below 2^53 where
/// p + q + log2 K ≤ 53. Every product and every partial sum is then an integer that float64 holds,
/// so none is ever rounded: the result is exact whatever the order of the additions, and whether
/// or not they are fused with the multiplications. The sums of the slices meet in two's complement
/// integers wide enough for every pair of lines.
///
/// - Parameter output: room for m × n float32 patterns, row-major.
func multiplyExact(
  _ problem: MatmulProblem, target: VectorTarget, into output: UnsafeMutableRawBufferPointer
) throws(MatmulError) {
  try problem.check()
  let result = output.bindMemory(to: UInt32.self)
  guard problem.rows > 0, problem.columns > 0, let first = result.baseAddress else { return }
  guard problem.depth > 0 else {
    for index in 0..<(problem.rows * problem.columns) {
      let c = Float(bitPattern: UInt32(truncatingIfNeeded: problem.c?[index] ?? 0))
      first[index] = c.isNaN ? problem.accumulator.output.nan : c.bitPattern
    }
    return
  }
  withExactOperand(problem.a) { a in
    withExactOperand(problem.b) { b in
      var product = ExactProduct(problem, a: a, b: b, target: target.raw)
      if let c = problem.c {
        c.withUnsafeBufferPointer { product.run(c: $0.baseAddress, into: first) }
      } else {
        product.run(c: nil, into: first)
      }
    }
  }
}

private func withExactOperand(
  _ operand: MatmulOperand, _ body: (UnsafePointer<bk_operand>) -> Void
) {
  let element = KernelElement(operand.element)
  withExtendedLifetime(element) {
    withUnsafePointer(to: element.raw) { raw in
      operand.codes.withUnsafeBytes { codes in
        var kernel = bk_operand()
        kernel.element = raw
        kernel.codes = codes.baseAddress
        kernel.lines = Int64(operand.lines)
        kernel.depth = Int64(operand.depth)
        kernel.block = 1
        guard let scales = operand.scales else { return body(&kernel) }
        scales.codes.withUnsafeBufferPointer { scaleCodes in
          withUnsafePointer(to: kernelScale(scales.format)) { scale in
            kernel.scale = scale
            kernel.scale_codes = scaleCodes.baseAddress
            kernel.block = Int64(scales.block)
            body(&kernel)
          }
        }
      }
    }
  }
}

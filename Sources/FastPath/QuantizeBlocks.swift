import CBlockKernels
import KernelDescriptors
import NumberFormats

extension VectorEngine {
  public func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    try quantize(
      values, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: firstElement,
      scalesGiven: scalesGiven, maxima: nil, codes: codes, scales: scales)
  }

  public func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    maxima: UnsafeBufferPointer<UInt32>?, codes: UnsafeMutableRawBufferPointer,
    scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    if let maxima { precondition(maxima.count == grid.blockCount) }
    try spec.recipe.checkScope(format: spec.format, block: grid.block)
    guard !spec.recipe.isExact || (tensorScale.decode.isFinite && tensorScale.decode > 0) else {
      throw .badTensorScale(tensorScale.decode)
    }
    guard grid.elementCount > 0 else { return QuantizeCounts() }
    var job = KernelJob(spec, tensorScale: tensorScale.decode)
    var recipe: KernelRecipe?
    if case .named(let named) = spec.recipe.steps {
      var kernel = KernelRecipe(named, spec: spec, tensorScale: tensorScale)
      job.setRounding(
        try spec.recipe.elementRounding(named, override: spec.rounding, in: &kernel))
      recipe = kernel
    }
    var random: [UInt32] = []
    if job.raw.random_bits > 0 {
      random = try randomValues(
        spec.randomBits, from: firstElement, count: values.count, bits: Int(job.raw.random_bits))
    }
    let result = run(
      job, recipe, kernelGrid(grid), values, random, maxima?.baseAddress,
      scalesGiven: scalesGiven, codes, scales)
    guard Int(result.status) == BK_OK else {
      throw .unknownStep(
        recipe: spec.recipe.name, step: step(result.status),
        position: firstElement + Int(result.position))
    }
    return QuantizeCounts(clampedScales: Int(result.clamped_scales))
  }

  private func run(
    _ job: KernelJob, _ recipe: KernelRecipe?, _ grid: bk_grid,
    _ values: UnsafeBufferPointer<Float>, _ random: [UInt32],
    _ maxima: UnsafePointer<UInt32>?, scalesGiven: Bool,
    _ codes: UnsafeMutableRawBufferPointer, _ scales: UnsafeMutableBufferPointer<UInt32>
  ) -> bk_result {
    var grid = grid
    return withExtendedLifetime(job) {
      random.withUnsafeBufferPointer { random in
        let bits = random.isEmpty ? nil : random.baseAddress
        return withUnsafePointer(to: job.raw) { job in
          guard let recipe else {
            return bk_quantize_exact(
              target.raw, job, &grid, values.baseAddress, bits, maxima,
              scalesGiven ? 1 : 0, codes.baseAddress, scales.baseAddress)
          }
          return recipe.withRaw {
            bk_quantize_recipe(
              target.raw, job, $0, &grid, values.baseAddress, bits, maxima,
              codes.baseAddress, scales.baseAddress)
          }
        }
      }
    }
  }

  public func dequantize(
    codes: UnsafeRawBufferPointer, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, tensorScale: TensorScale, into output: UnsafeMutableBufferPointer<Float>
  ) {
    let job = KernelJob(spec, tensorScale: tensorScale.decode)
    var grid = kernelGrid(grid)
    withExtendedLifetime(job) {
      withUnsafePointer(to: job.raw) { job in
        guard case .named(let named) = spec.recipe.steps else {
          bk_dequantize(
            target.raw, job, nil, &grid, codes.baseAddress, scales.baseAddress, output.baseAddress)
          return
        }
        KernelRecipe(named, spec: spec, tensorScale: tensorScale).withRaw {
          bk_dequantize(
            target.raw, job, $0, &grid, codes.baseAddress, scales.baseAddress, output.baseAddress)
        }
      }
    }
  }

  private func step(_ status: Int32) -> String {
    switch Int(status) {
    case BK_UNKNOWN_AMAX: "the amax of a block with NaN or infinity"
    case BK_UNKNOWN_NAN_AMAX_SCALE: "the scale of a NaN amax"
    case BK_UNKNOWN_INFINITE_AMAX_SCALE: "the scale of an infinite amax"
    case BK_UNKNOWN_ZERO_SCALE: "the scale of a block of zeros"
    case BK_UNKNOWN_NAN_SCALE: "a NaN scale"
    case BK_UNKNOWN_INFINITE_SCALE: "an infinite scale"
    case BK_UNKNOWN_OVERFLOW: "a scale above the range"
    case BK_UNKNOWN_FACTOR_OVERFLOW: "an encode-side factor above the range"
    case BK_UNKNOWN_MULTIPLIER: "the element step"
    default: "the code of a NaN or infinite quotient"
    }
  }
}

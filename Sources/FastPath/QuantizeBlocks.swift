import CBlockKernels
import NumberFormats

extension VectorEngine {
  public func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    try checkScope(spec, grid: grid)
    guard !spec.recipe.isExact || (tensorScale.decode.isFinite && tensorScale.decode > 0) else {
      throw .badTensorScale(tensorScale.decode)
    }
    guard grid.elementCount > 0 else { return QuantizeCounts() }
    var job = KernelJob(spec, tensorScale: tensorScale.decode)
    var recipe: KernelRecipe?
    if case .named(let named) = spec.recipe.steps {
      recipe = KernelRecipe(named, spec: spec, tensorScale: tensorScale)
      job.setRounding(try override(spec.rounding, of: named, recipe: spec.recipe, in: &recipe))
    }
    var random: [UInt32] = []
    if job.raw.random_bits > 0 {
      random = try randomValues(
        spec.randomBits, from: firstElement, count: values.count, bits: Int(job.raw.random_bits))
    }
    let result = run(
      job, recipe, kernelGrid(grid), values, random, scalesGiven: scalesGiven, codes, scales)
    guard Int(result.status) == BK_OK else {
      throw .unknownStep(
        recipe: spec.recipe.name, step: step(result.status),
        position: firstElement + Int(result.position))
    }
    return QuantizeCounts(clampedScales: Int(result.clamped_scales))
  }

  private func run(
    _ job: KernelJob, _ recipe: KernelRecipe?, _ grid: bk_grid,
    _ values: UnsafeBufferPointer<Float>, _ random: [UInt32], scalesGiven: Bool,
    _ codes: UnsafeMutableRawBufferPointer, _ scales: UnsafeMutableBufferPointer<UInt32>
  ) -> bk_result {
    var grid = grid
    return withExtendedLifetime(job) {
      random.withUnsafeBufferPointer { random in
        let bits = random.isEmpty ? nil : random.baseAddress
        return withUnsafePointer(to: job.raw) { job in
          guard let recipe else {
            return bk_quantize_exact(
              target.raw, job, &grid, values.baseAddress, bits, scalesGiven ? 1 : 0,
              codes.baseAddress, scales.baseAddress)
          }
          return recipe.withRaw {
            bk_quantize_recipe(
              target.raw, job, $0, &grid, values.baseAddress, bits, codes.baseAddress,
              scales.baseAddress)
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

  private func checkScope(_ spec: QuantizationSpec, grid: BlockGrid) throws(QuantizeError) {
    let recipe = spec.recipe
    if !recipe.formats.isEmpty, !recipe.formats.contains(spec.format.name) {
      throw .recipeNotForFormat(recipe: recipe.name, format: spec.format.name)
    }
    guard !recipe.blockSizes.isEmpty else { return }
    let accepted: Bool
    switch grid.block {
    case .line(let size): accepted = recipe.blockSizes.contains(size)
    case .tile(let rows, let columns):
      // Each side is 1 or one of the recipe's sizes.
      let known = { recipe.blockSizes.contains($0) }
      accepted =
        rows * columns == 1
        ? known(1) : (rows == 1 || known(rows)) && (columns == 1 || known(columns))
    case .axis, .tensor: accepted = false
    }
    guard accepted else {
      throw .blockNotForRecipe(recipe: recipe.name, block: "\(grid.block)")
    }
  }

  /// The element rounding of a named recipe after `--rounding` has had its say.
  private func override(
    _ rounding: Rounding?, of named: NamedRecipe, recipe: Recipe, in kernel: inout KernelRecipe?
  ) throws(QuantizeError) -> Rounding {
    switch named.elementRounding {
    case .tiesToEven, .tiesToAway, .tiesTowardZero, .towardZero:
      if named.multiplier == .nearestCode, let rounding {
        throw .roundingNotForRecipe(recipe: recipe.name, rounding: "\(rounding)")
      }
      if let rounding { return rounding }
      switch named.elementRounding {
      case .tiesToAway: return .tiesToAway
      case .tiesTowardZero: return .tiesTowardZero
      case .towardZero: return .towardZero
      default: return .tiesToEven
      }
    case .privateExponentEven, .privateExponentAway, .privateExponentTowardZero:
      switch rounding {
      case nil: break
      case .tiesToEven?: kernel?.raw.element_rounding = 4
      case .tiesToAway?: kernel?.raw.element_rounding = 5
      case .towardZero?: kernel?.raw.element_rounding = 6
      case let other?: throw .roundingNotForRecipe(recipe: recipe.name, rounding: "\(other)")
      }
      return .tiesToEven
    case .offsetTruncate:
      if let rounding {
        throw .roundingNotForRecipe(recipe: recipe.name, rounding: "\(rounding)")
      }
      return .tiesToEven
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

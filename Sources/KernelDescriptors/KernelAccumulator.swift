import CBlockKernels
import NumberFormats

/// A type of D and C as the kernels number it.
package func kernelOutput(_ type: MatmulOutputType) -> Int32 {
  switch type {
  case .float32: Int32(BK_OUT_FLOAT32)
  case .float16: Int32(BK_OUT_FLOAT16)
  case .int32: Int32(BK_OUT_INT32)
  case .int64: Int32(BK_OUT_INT64)
  }
}

/// A row of accumulators, field by field.
package func kernelAccumulator(_ accumulator: Accumulator) -> bk_accumulator {
  var raw = bk_accumulator()
  raw.align_fraction = Int32(BK_NONE)
  raw.zero_exponent = Int32(BK_NONE)
  raw.late_drops_below = Int32(BK_NONE)
  raw.late_result_fraction = Int32(BK_NONE)
  raw.group = 1
  switch accumulator.datapath {
  case .exact: raw.kind = Int32(BK_SUM_EXACT)
  case .float32(let steps): set(steps, in: &raw)
  case .fused(let step): set(step, in: &raw)
  case .integer(let register):
    raw.kind = Int32(BK_SUM_INTEGER)
    raw.width = Int32(register.width)
    raw.saturates = register.overflow == .saturate ? 1 : 0
    raw.terms = kernelCount(register.step ?? 0)
  case .fixed(let register):
    raw.kind = Int32(BK_SUM_FIXED)
    raw.width = Int32(register.width)
    raw.lsb = Int32(register.lsb)
    raw.saturates = register.overflow == .saturate ? 1 : 0
    raw.terms = kernelCount(register.terms)
    raw.cut_rounding = kernelRounding(register.rounding)
  }
  set(accumulator.output, in: &raw)
  raw.promote_every = kernelCount(accumulator.promoteEvery ?? 0)
  return raw
}

/// A count of terms along K; what exceeds every K is as good as the largest.
private func kernelCount(_ count: Int) -> Int32 { Int32(clamping: count) }

private func set(_ steps: Float32Steps, in raw: inout bk_accumulator) {
  raw.kind = Int32(BK_SUM_FLOAT32)
  raw.terms = kernelCount(steps.step ?? 0)
  switch steps.order {
  case .sequential: raw.order = Int32(BK_ORDER_SEQUENTIAL)
  case .pairwise: raw.order = Int32(BK_ORDER_PAIRWISE)
  case .chains(let count):
    raw.order = Int32(BK_ORDER_CHAINS)
    raw.chains = kernelCount(count)
  }
  raw.fused_multiply_add = steps.fusedMultiplyAdd ? 1 : 0
  raw.scales_products = steps.scalesProducts ? 1 : 0
  switch steps.inputSubnormals {
  case .keep: raw.input_subnormals = Int32(BK_SUBNORMALS_KEEP)
  case .flushToPositiveZero: raw.input_subnormals = Int32(BK_SUBNORMALS_TO_POSITIVE_ZERO)
  case .flushToSignedZero: raw.input_subnormals = Int32(BK_SUBNORMALS_TO_SIGNED_ZERO)
  }
  raw.flushes_results = steps.flushesResults ? 1 : 0
}

private func set(_ step: FusedStep, in raw: inout bk_accumulator) {
  raw.kind = Int32(BK_SUM_FUSED)
  raw.terms = kernelCount(step.terms)
  raw.group = kernelCount(step.group)
  switch step.scaling {
  case .none: raw.scaling = Int32(BK_SCALING_NONE)
  case .products: raw.scaling = Int32(BK_SCALING_PRODUCTS)
  case .groups: raw.scaling = Int32(BK_SCALING_GROUPS)
  }
  if let alignment = step.alignment {
    raw.align_fraction = Int32(alignment.fraction)
    raw.align_rounding = kernelRounding(alignment.rounding)
    if let zero = alignment.zeroExponent { raw.zero_exponent = Int32(zero) }
  }
  switch step.join {
  case .fused: raw.join = Int32(BK_JOIN_FUSED)
  case .late(let late):
    raw.join = Int32(BK_JOIN_LATE)
    raw.late_sum_fraction = Int32(late.sumFraction)
    raw.late_addend_fraction = Int32(late.addendFraction)
    if let bits = late.dropsBelow { raw.late_drops_below = Int32(bits) }
    if let bits = late.resultFraction { raw.late_result_fraction = Int32(bits) }
  case .add(let rounding):
    raw.join = Int32(BK_JOIN_ADD)
    raw.join_rounding = kernelRounding(rounding)
  }
  raw.splits_even_odd = step.splitsEvenOdd ? 1 : 0
  raw.infinite_products = step.infiniteProducts ? 1 : 0
}

private func set(_ output: Accumulator.Output, in raw: inout bk_accumulator) {
  raw.mantissa_bits = 23
  switch output.format {
  case .float32(let bits): raw.mantissa_bits = Int32(bits)
  case .float16:
    raw.mantissa_bits = 10
    raw.half = 1
  case .int32, .int64: break
  }
  raw.rounding = kernelRounding(output.rounding)
  raw.overflows_to_largest = output.overflow == .largestFinite ? 1 : 0
  raw.flushes_subnormals = output.flushesSubnormals ? 1 : 0
  raw.nan = output.nan
}

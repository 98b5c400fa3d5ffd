import CBlockKernels
import NumberFormats

/// The kernels' view of a specification: element, scale rule, rounding and tensor scale.
package struct KernelJob: Sendable {
  package nonisolated(unsafe) var raw = bk_job()
  package let element: KernelElement

  package init(_ spec: QuantizationSpec, tensorScale: Float) {
    element = KernelElement(spec.format.element)
    raw.element = element.raw
    raw.tensor_scale = tensorScale
    raw.scale = kernelScale(spec.format)
    if case .exact(let rule) = spec.recipe.steps {
      setBump(rule, element: spec.format.element)
    }
    setRounding(spec.rounding ?? .tiesToEven)
  }

  package mutating func setRounding(_ rounding: Rounding) {
    raw.rounding = kernelRounding(rounding)
    if case .stochastic(let bits) = rounding { raw.random_bits = Int32(bits) }
  }

  private mutating func setBump(_ rule: ExactScaleRule, element: ElementFormat) {
    switch rule {
    case .floor: raw.scale.bump = BK_BUMP_NEVER
    case .ceil: raw.scale.bump = BK_BUMP_ABOVE
    case .even:
      raw.scale.bump = BK_BUMP_AT_LEAST
      raw.scale.bump_fraction = (1 << 23) - (1 << UInt32(22 - evenMantissaBits(of: element)))
    case .nearest: raw.scale.bump = BK_BUMP_ROOT_TWO
    case .rceil: raw.scale.bump = BK_BUMP_OVER_MAX
    }
  }
}

/// `m` of the even rule: mantissa bits, or for an integer the bits below its leading one.
package func evenMantissaBits(of element: ElementFormat) -> Int {
  switch element.kind {
  case .float(let layout): return layout.mantissaBits
  case .integer(let layout): return max(0, layout.bits - 2)
  case .codebook: return 0
  }
}

package func kernelRounding(_ rounding: Rounding) -> Int32 {
  switch rounding {
  case .tiesToEven: BK_ROUND_TIES_TO_EVEN
  case .tiesToAway: BK_ROUND_TIES_TO_AWAY
  case .tiesTowardZero: BK_ROUND_TIES_TOWARD_ZERO
  case .towardZero: BK_ROUND_TOWARD_ZERO
  case .towardPositive: BK_ROUND_TOWARD_POSITIVE
  case .towardNegative: BK_ROUND_TOWARD_NEGATIVE
  case .toOdd: BK_ROUND_TO_ODD
  case .stochastic: BK_ROUND_STOCHASTIC
  }
}

package func kernelScale(_ scale: ScaleFormat) -> bk_scale {
  var raw = bk_scale()
  raw.kind = scale.isPowerOfTwo ? BK_SCALE_E8M0 : BK_SCALE_FLOAT
  raw.format = kernelFloat(scale.layout)
  raw.format.has_nan = 1
  raw.format.nan_positive = scale.canonicalNaN
  raw.nan_code = scale.canonicalNaN
  raw.ignored_bits = scale.layout.bits < 32 ? ~((1 << UInt32(scale.layout.bits)) - 1) : 0
  return raw
}

package func kernelScale(_ format: BlockFormat) -> bk_scale {
  var raw = kernelScale(format.scale)
  if format.powerOfTwoScale { raw.kind = BK_SCALE_POWER_OF_TWO_FP32 }
  raw.element_exponent = Int32(KernelElement(format.element).raw.max_value.exponent)
  return raw
}

package func kernelGrid(_ grid: BlockGrid) -> bk_grid {
  bk_grid(
    outer: Int64(grid.outer), rows: Int64(grid.rows), columns: Int64(grid.columns),
    tile_rows: Int64(grid.tileRows), tile_columns: Int64(grid.tileColumns))
}

import CBlockKernels
import KernelDescriptors
import NumberFormats

extension VectorEngine {
  public func tensorScale(
    amax: Float, spec: QuantizationSpec
  ) throws(QuantizeError) -> TensorScale {
    if case .given(let value) = spec.tensorScale, !(value.isFinite && value > 0) {
      throw .badTensorScale(value)
    }
    switch spec.recipe.steps {
    case .exact:
      switch spec.tensorScale {
      case .given(let value): return TensorScale(decode: value, amax: amax)
      case .none: return TensorScale(decode: 1, amax: amax)
      case .auto:
        guard spec.format.hasTensorScale else { return TensorScale(decode: 1, amax: amax) }
        return TensorScale(decode: exactTensorScale(amax: amax, spec.format), amax: amax)
      }
    case .named(let named):
      return try namedTensorScale(amax: amax, named, spec: spec)
    }
  }

  /// A/(maxS·maxE) rounded once: the rule of an FP32 block scale with maxS in the place of T.
  private func exactTensorScale(amax: Float, _ format: BlockFormat) -> Float {
    guard amax > 0 else { return 1 }
    var job = bk_job()
    job.element.max_value = KernelElement(format.element).raw.max_value
    job.tensor_scale = kernelFloat(format.scale.layout).max_value
    job.scale.kind = BK_SCALE_FLOAT
    job.scale.format = kernelFloat(
      FloatLayout(signBits: 0, exponentBits: 8, mantissaBits: 23, bias: 127, nonFinite: .ieee))
    var clamped: Int32 = 0
    return Float(bitPattern: bk_exact_scale(&job, amax, &clamped))
  }

  private func namedTensorScale(
    amax: Float, _ named: NamedRecipe, spec: QuantizationSpec
  ) throws(QuantizeError) -> TensorScale {
    let encodes: Bool
    switch named.tensorScale {
    case .none:
      if case .given(let value) = spec.tensorScale, value != 1 {
        throw .unknownStep(recipe: spec.recipe.name, step: "a tensor scale", position: 0)
      }
      return TensorScale(decode: 1, amax: amax)
    case .decode2688: encodes = false
    default: encodes = true
    }
    switch spec.tensorScale {
    case .none: throw .needsTensorScale(recipe: spec.recipe.name)
    case .given(let value):
      return TensorScale(decode: value, encode: encodes ? 1 / value : nil, amax: amax)
    case .auto: break
    }
    if !encodes { return TensorScale(decode: amax / 2688, amax: amax) }
    let factor = encodeFactor(amax: amax, named.tensorScale, spec.computeType)
    return TensorScale(decode: 1 / factor, encode: factor, amax: amax)
  }

  private func encodeFactor(
    amax: Float, _ rule: NamedRecipe.TensorScaleRule, _ type: ComputeType
  ) -> Float {
    switch rule {
    case .encode2688, .encode1536:
      let factor = min((rule == .encode2688 ? 2688 : 1536) / amax, Float.greatestFiniteMagnitude)
      return amax == 0 || factor == 0 ? 1 : factor
    case .encodePlain2688: return 2688 / amax
    case .encodeInputReciprocal2688:
      let factor = inputRounded(inputRounded(1 / amax, type) * 2688, type)
      return factor.isFinite ? factor : 1
    case .none, .decode2688: return 1
    }
  }

  private func inputRounded(_ x: Float, _ type: ComputeType) -> Float {
    switch type {
    case .fp32: return x
    case .fp16: return Float(Float16(x))
    case .bf16:
      guard x.isFinite else { return x }
      let bits = x.bitPattern
      return Float(bitPattern: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) & 0xffff_0000)
    }
  }
}

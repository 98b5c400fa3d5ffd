import CBlockKernels
import NumberFormats

/// A named recipe as the kernels read it.
package struct KernelRecipe {
  package var raw = bk_recipe()
  private let arguments: [UInt32]
  private let results: [UInt32]

  package init(_ recipe: NamedRecipe, spec: QuantizationSpec, tensorScale: TensorScale) {
    let pairs = recipe.reciprocal.exceptions.sorted { $0.key < $1.key }
    arguments = pairs.map(\.key)
    results = pairs.map(\.value)
    raw.encode_scale = tensorScale.encode ?? 1 / tensorScale.decode
    raw.decode_scale = tensorScale.decode
    // Where only the factor is known, A is what gave it.
    raw.tensor_amax = tensorScale.amax ?? tensorScale.decode * 2688
    raw.compute_type = spec.computeType == .bf16 ? 1 : spec.computeType == .fp16 ? 2 : 0
    raw.nan_scale = recipe.nonFiniteScale.nan.map { Int64($0) } ?? -1
    raw.infinity_scale = recipe.nonFiniteScale.infinity.map { Int64($0) } ?? -1
    raw.even_mantissa_bits = Int32(
      recipe.evenMantissaBits ?? evenMantissaBits(of: spec.format.element))
    if let clamp = recipe.scaleClamp {
      raw.has_clamp = 1
      raw.clamp_low = clamp.low
      raw.clamp_high = clamp.high
    }
    raw.search =
      recipe.search == .none ? 0 : recipe.tensorScale == .encode1536 ? 1 : 2
    setSteps(recipe)
    setRules(recipe)
  }

  /// Calls `body` with the table of reciprocals in place.
  package func withRaw<Result>(_ body: (UnsafePointer<bk_recipe>) -> Result) -> Result {
    arguments.withUnsafeBufferPointer { arguments in
      results.withUnsafeBufferPointer { results in
        var copy = raw
        copy.reciprocal_arguments = arguments.baseAddress
        copy.reciprocal_results = results.baseAddress
        copy.reciprocal_count = Int32(arguments.count)
        return body(&copy)
      }
    }
  }

  private mutating func setSteps(_ recipe: NamedRecipe) {
    raw.amax =
      switch recipe.amax {
      case .ignoreNaN: 0
      case .propagateNaN: 1
      case .poison: 2
      case .signedFirst: 3
      case .unknown: 4
      }
    raw.scale_value =
      switch recipe.scaleValue {
      case .exponent: 0
      case .log2Exponent: 1
      case .divide: 2
      case .timesReciprocal: 3
      case .timesGTimesReciprocal: 4
      case .divideTimesG: 5
      case .timesReciprocalTimesG: 6
      case .approximateTimesG: 7
      case .approximate: 8
      case .divideByP: 9
      case .divideByMaxP: 10
      case .inputDivideTimesG: 11
      case .encodeDivide: 12
      case .signedDivide: 13
      case .divideByHalfSpan: 14
      }
    raw.scale_rounding =
      switch recipe.scaleRounding {
      case .floor: 0
      case .ceil: 1
      case .ceilGuard: 2
      case .even: 3
      case .rintLog2: 4
      case .ceilLog2: 5
      case .tiesToEven: 6
      case .halfUp1: 7
      case .encodePowerOfTwo: 8
      case .encodeReciprocal: 9
      }
    raw.multiplier =
      switch recipe.multiplier {
      case .divide: 0
      case .divideBySP: 1
      case .divideBySOverG: 2
      case .timesReciprocal: 3
      case .timesGuardedReciprocal: 4
      case .timesSafeReciprocal: 5
      case .timesReciprocalPOverS: 6
      case .timesGOverS: 7
      case .timesApproximate: 8
      case .timesApproximateScaleGuard: 9
      case .timesPowerOfTwo: 10
      case .dividePowerOfTwo: 11
      case .timesEncode: 12
      case .timesReciprocalUnrounded: 13
      case .nearestCode: 14
      case .unknown: 15
      }
  }

  private mutating func setRules(_ recipe: NamedRecipe) {
    raw.overflow =
      switch recipe.scaleOverflow {
      case .saturate: 0
      case .nan: 1
      case .infinity: 2
      case .wrap: 3
      case .unknown: 4
      }
    switch recipe.zeroScale {
    case .asComputed: raw.zero_rule = 0
    case .zeroAmax(let code): (raw.zero_rule, raw.zero_code) = (1, code)
    case .zeroValue(let value): (raw.zero_rule, raw.zero_value) = (2, value)
    case .zeroCode(let code): (raw.zero_rule, raw.zero_code) = (3, code)
    case .unknown: raw.zero_rule = 4
    }
    raw.byte_zero_multiplier =
      switch recipe.byteZeroMultiplier {
      case .asComputed: 0
      case .one: 1
      case .zero: 2
      case .halved: 3
      }
    raw.element_rounding =
      switch recipe.elementRounding {
      case .tiesToEven: 0
      case .tiesToAway: 1
      case .tiesTowardZero: 2
      case .towardZero: 3
      case .privateExponentEven: 4
      case .privateExponentAway: 5
      case .privateExponentTowardZero: 6
      case .offsetTruncate: 7
      }
    switch recipe.nanElement {
    case .canonical: raw.nan_rule = 0
    case .code(let code): (raw.nan_rule, raw.nan_code) = (1, code)
    case .signedCode(let code): (raw.nan_rule, raw.nan_code) = (2, code)
    case .unknown: raw.nan_rule = 3
    }
    raw.infinite_code = -1
    if case .code(let code) = recipe.infiniteElement { raw.infinite_code = Int64(code) }
    raw.unsigned_zero = recipe.readNegativeZero == .unsigned ? 1 : 0
    raw.negative_zero =
      switch recipe.negativeZero {
      case .keep: 0
      case .drop: 1
      case .dropExact: 2
      case .zeroIsNegative: 3
      }
    raw.dequantize =
      switch recipe.dequantize {
      case .exact: 0
      case .scaleTimesPFirst: 1
      case .scaleTimesAmax: 2
      case .scaleOverG: 3
      }
  }
}

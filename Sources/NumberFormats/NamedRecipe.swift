/// A stack's quantiser as the parametric algorithm of spec/recipes.md section 4.
///
/// Every arithmetic step is IEEE binary32, tiesToEven, with subnormals. In the formulas `a` is the
/// block's amax, `A` the tensor's, `G` the encode-side and `P` the decode-side tensor scale, `s`
/// the decoded stored scale, `b` the stored E8M0 byte, `max` and `emax` the element format's
/// largest value and its exponent, `m` its mantissa bits. Each operation of a formula is rounded
/// to float32 before the next. A cell nobody has established is `unknown`; a block that needs it
/// is refused.
public struct NamedRecipe: Sendable, Hashable {
  public var amax: Amax
  public var tensorScale: TensorScaleRule
  public var scaleValue: ScaleValue
  public var scaleRounding: ScaleRounding
  /// Mantissa bits `m` that `even` uses in place of the element's own (compressed-tensors uses
  /// E2M1's 1 for every format).
  public var evenMantissaBits: Int?
  public var scaleClamp: ScaleClamp?
  public var scaleOverflow: ScaleOverflow
  public var nonFiniteScale: NonFiniteScale
  public var zeroScale: ZeroScale
  public var multiplier: Multiplier
  public var byteZeroMultiplier: ByteZeroMultiplier
  public var elementRounding: ElementRounding
  public var nanElement: NaNElement
  public var infiniteElement: InfiniteElement
  public var negativeZero: NegativeZero
  public var search: Search
  public var reciprocal: ApproximateReciprocal
  public var dequantize: Dequantize
  public var readNegativeZero: ReadNegativeZero
  public var packing: Packing

  public init(
    amax: Amax, tensorScale: TensorScaleRule, scaleValue: ScaleValue,
    scaleRounding: ScaleRounding, evenMantissaBits: Int? = nil, scaleClamp: ScaleClamp?,
    scaleOverflow: ScaleOverflow, nonFiniteScale: NonFiniteScale, zeroScale: ZeroScale,
    multiplier: Multiplier, byteZeroMultiplier: ByteZeroMultiplier = .asComputed,
    elementRounding: ElementRounding,
    nanElement: NaNElement, infiniteElement: InfiniteElement = .saturate,
    negativeZero: NegativeZero, search: Search = .none, reciprocal: ApproximateReciprocal = .init(),
    dequantize: Dequantize, readNegativeZero: ReadNegativeZero = .signed, packing: Packing
  ) {
    self.amax = amax
    self.tensorScale = tensorScale
    self.scaleValue = scaleValue
    self.scaleRounding = scaleRounding
    self.evenMantissaBits = evenMantissaBits
    self.scaleClamp = scaleClamp
    self.scaleOverflow = scaleOverflow
    self.nonFiniteScale = nonFiniteScale
    self.zeroScale = zeroScale
    self.multiplier = multiplier
    self.byteZeroMultiplier = byteZeroMultiplier
    self.elementRounding = elementRounding
    self.nanElement = nanElement
    self.infiniteElement = infiniteElement
    self.negativeZero = negativeZero
    self.search = search
    self.reciprocal = reciprocal
    self.dequantize = dequantize
    self.readNegativeZero = readNegativeZero
    self.packing = packing
  }
}

extension NamedRecipe {
  /// Step 2: the block's maximum.
  public enum Amax: String, Sendable, Hashable, Codable {
    /// Largest |x|; NaN is skipped (fmax), infinity counts.
    case ignoreNaN
    /// Largest |x|; a NaN makes `a` NaN, infinity counts.
    case propagateNaN
    /// A NaN or an infinity makes the whole block NaN (microxcaling): its codes are 0.
    case poison
    /// The signed value with the largest magnitude, the first of equals, zeros included (gguf's
    /// Q4_0).
    case signedFirst
    /// Blocks that hold NaN or an infinity are refused: nobody established what happens.
    case unknown
  }

  /// Step 3: how the tensor scale comes from the tensor's amax `A` (finite values only).
  public enum TensorScaleRule: String, Sendable, Hashable, Codable {
    case none
    /// G = min(2688/A, FLT_MAX), and 1 where A or G is 0 (TransformerEngine).
    case encode2688 = "G=min(2688/A,FLT_MAX)"
    /// The same with 1536 (4over6).
    case encode1536 = "G=min(1536/A,FLT_MAX)"
    /// G = 2688/A, A = 0 giving infinity (MSLK, vLLM).
    case encodePlain2688 = "G=2688/A"
    /// G = round(round(1/A)·2688) in the input's type, 1 where that is not finite
    /// (compressed-tensors; spec/recipes.md section 3.7).
    case encodeInputReciprocal2688 = "G=input(input(1/A)*2688)"
    /// P = A/2688 (torchao, ModelOpt).
    case decode2688 = "P=A/2688"
  }

  /// Step 4: the real scale before it is rounded.
  public enum ScaleValue: String, Sendable, Hashable, Codable {
    /// Exponent field of `a` minus emax, to be rounded as bits (`E0`).
    case exponent = "exponent(a)-emax"
    /// floor(log2f(a + 2^-126 where a is 0)) − emax with a correctly rounded float32 log2.
    case log2Exponent = "floor(log2f(a))-emax"
    case divide = "a/max"
    case timesReciprocal = "a*(1/max)"
    case timesGTimesReciprocal = "a*(G*(1/max))"
    case divideTimesG = "(a/max)*G"
    case timesReciprocalTimesG = "(a*(1/max))*G"
    case approximateTimesG = "(a*rcp(max))*G"
    case approximate = "a*rcp(max)"
    case divideByP = "(a/max)/P"
    case divideByMaxP = "a/(max*P)"
    /// G·t where t = a/max rounded in the input's type (compressed-tensors).
    case inputDivideTimesG = "G*input(a/max)"
    /// max/a, the encode-side factor; the stored scale is its reciprocal (TE FP8 block scaling).
    case encodeDivide = "max/a"
    /// a/(−2^(bits−1)) with the signed amax (ggml Q4_0: a/−8).
    case signedDivide = "a/-half"
    /// a/(2^bits − 1)·2: a/7.5 for INT4, a/127.5 for INT8 (compressed-tensors).
    case divideByHalfSpan = "a/halfspan"
  }

  /// Step 5: from the real scale to the stored one.
  public enum ScaleRounding: String, Sendable, Hashable, Codable {
    /// The exponent field; mantissa bits dropped.
    case floor
    /// One more where any mantissa bit is set.
    case ceil
    /// `ceil`, but a float32-subnormal value gives byte 1 only above 2^-127 and byte 0 otherwise.
    case ceilGuard
    /// Add 1 << (22 − m) to the bits, then `floor`.
    case even
    /// rint(log2f(value)) and ceil(log2f(value)), correctly rounded float32 log2.
    case rintLog2 = "rint(log2f)"
    case ceilLog2 = "ceil(log2f)"
    case tiesToEven
    /// ggml's UE4M3: round half up on one guard bit, no sticky; exponent field 15 gives 0x7E.
    case halfUp1
    /// The encode-side factor keeps its sign and exponent only; then the stored scale is 1/factor.
    case encodePowerOfTwo
    /// The stored scale is 1/factor in float32.
    case encodeReciprocal
  }

  /// Limits put on the scale before it is stored: on the value for a scale with a mantissa, on the
  /// biased byte for E8M0.
  public struct ScaleClamp: Sendable, Hashable {
    public var low: Double
    public var high: Double
    public init(low: Double, high: Double) {
      self.low = low
      self.high = high
    }
  }

  /// What a scale above the clamp's high end becomes.
  public enum ScaleOverflow: String, Sendable, Hashable, Codable {
    case saturate
    /// The scale format's NaN.
    case nan
    /// Infinity, where the scale format has one (ggml's float16), else its NaN.
    case infinity
    /// The low 8 bits, below the range too; every byte then means 2^(b−127), 255 included (ggml).
    case wrap
    /// Refused.
    case unknown
  }

  /// The stored code when `a` (or the scale value) is NaN, and when it is infinite.
  public struct NonFiniteScale: Sendable, Hashable {
    /// nil: not established; the block is refused.
    public var nan: UInt32?
    public var infinity: UInt32?
    public init(nan: UInt32?, infinity: UInt32?) {
      self.nan = nan
      self.infinity = infinity
    }
  }

  /// What replaces a zero scale.
  public enum ZeroScale: Sendable, Hashable {
    /// Nothing: the arithmetic gives what it gives.
    case asComputed
    /// A block whose amax is 0 stores this code.
    case zeroAmax(code: UInt32)
    /// A scale value of 0 is replaced by this value before rounding (ModelOpt: 1).
    case zeroValue(value: Float)
    /// A scale that rounds to code 0 becomes this code (compressed-tensors: 0x20).
    case zeroCode(code: UInt32)
    /// Not established: an all-zero block is refused.
    case unknown
  }

  /// Step 6 and 7: the number that is rounded to the element format.
  public enum Multiplier: String, Sendable, Hashable, Codable {
    case divide = "x/s"
    case divideBySP = "x/(s*P)"
    case divideBySOverG = "x/(s/G)"
    case timesReciprocal = "x*(1/s)"
    /// x · min(1/(s·(1/G)), FLT_MAX) (TransformerEngine).
    case timesGuardedReciprocal = "x*min(1/(s*(1/G)),FLT_MAX)"
    /// The same with 1/v read as 1/(v + 1e8 where v is 0) (vLLM's reference).
    case timesSafeReciprocal = "x*r(s*r(G))"
    case timesReciprocalPOverS = "x*((1/P)/s)"
    case timesGOverS = "x*(G/s)"
    /// 0 where `a` is 0, so that a scale that underflows multiplies by infinity (FlashInfer).
    case timesApproximate = "x*rcp(s*rcp(G))"
    /// 0 where `s` is 0 (vLLM, TensorRT-LLM).
    case timesApproximateScaleGuard = "x*rcp(s*rcp(G)) or 0 where s=0"
    /// x · 2^(127 − b), b = 255 giving NaN.
    case timesPowerOfTwo = "x*2^(127-b)"
    /// x / 2^(b − 127).
    case dividePowerOfTwo = "x/2^e"
    /// x · factor, the encode-side factor before its reciprocal was stored.
    case timesEncode = "x*factor"
    /// x · (1/d) with d the float32 scale before it was stored in fp16; 0 where d is 0 (ggml).
    case timesReciprocalUnrounded = "x*(1/d)"
    /// No quotient: the first code of least |value·d − x| in float32 (ggml).
    case nearestCode = "argmin|k*d-x|"
    /// Not established: every block is refused.
    case unknown
  }

  /// What the multiplier is where the stored E8M0 byte is 0.
  public enum ByteZeroMultiplier: String, Sendable, Hashable, Codable {
    case asComputed
    /// 1, so that elements are rounded unscaled (FlashInfer).
    case one
    /// 0, so that elements vanish (triton_kernels).
    case zero
    /// 2^126, one binade short (torchao's floor, ceil and even).
    case halved = "2^126"
  }

  /// How the quotient becomes an element.
  public enum ElementRounding: String, Sendable, Hashable, Codable {
    case tiesToEven, tiesToAway, tiesTowardZero, towardZero
    /// microxcaling's own steps: a private exponent from float32 log2, then integer rounding with
    /// floor(|q| + 0.5) in float32 (spec/recipes.md section 3.1).
    case privateExponentEven, privateExponentAway, privateExponentTowardZero
    /// min(15, trunc(q + 8.5)) (ggml Q4_0).
    case offsetTruncate
  }

  /// The code of a NaN quotient.
  public enum NaNElement: Sendable, Hashable {
    case canonical
    case code(UInt32)
    /// The code with the quotient's sign bit above it.
    case signedCode(UInt32)
    /// Refused.
    case unknown
  }

  /// The code of an infinite quotient.
  public enum InfiniteElement: Sendable, Hashable {
    /// The largest finite value with its sign.
    case saturate
    /// What a conversion to an integer gives on x86 (ggml: 0).
    case code(UInt32)
  }

  /// The sign of a result that is zero.
  public enum NegativeZero: String, Sendable, Hashable, Codable {
    /// The quotient's sign.
    case keep
    /// Always positive.
    case drop
    /// Positive where the quotient itself is zero, negative where a negative quotient rounds to it.
    case dropExact
    /// Negative wherever x is zero, of either sign (ModelOpt's MXFP4), else the quotient's sign.
    case zeroIsNegative
  }

  /// Step 8: a choice between two scales.
  public enum Search: String, Sendable, Hashable, Codable {
    case none
    /// The scale for a maximum of 6 or, ×1.5, of 4: the smaller sum of |error|, sixteen float32
    /// additions in order; a tie takes 6 (spec/recipes.md section 3.4).
    case fourOverSix
  }

  /// NVIDIA's `rcp.approx.ftz.f32`, whose table is not public: the correctly rounded reciprocal
  /// with flushed subnormals, except at the given arguments.
  public struct ApproximateReciprocal: Sendable, Hashable {
    /// Bits of the argument to bits of the result.
    public var exceptions: [UInt32: UInt32]
    public init(exceptions: [UInt32: UInt32] = [:]) { self.exceptions = exceptions }
  }

  /// Step 10: the float32 value that the stack reads back.
  public enum Dequantize: String, Sendable, Hashable, Codable {
    /// code·s·T, one real number rounded once.
    case exact = "code*s"
    case scaleTimesPFirst = "code*(s*P)"
    /// code · ((s·A)·fl(1/2688)).
    case scaleTimesAmax = "code*((s*A)*(1/2688))"
    case scaleOverG = "code*(s/G)"
  }

  /// What the stack reads from the code of negative zero.
  public enum ReadNegativeZero: String, Sendable, Hashable, Codable {
    case signed
    /// +0 (ModelOpt's table of E2M1 values holds 0 twice).
    case unsigned
  }

  /// The order of 4-bit codes in the stack's own files.
  public enum Packing: String, Sendable, Hashable, Codable {
    case low, high, split, bytes, none
  }
}

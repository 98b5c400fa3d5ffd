/// What quantising a run of blocks counted.
public struct QuantizeCounts: Sendable, Hashable {
  /// Blocks whose scale was moved to an end of its format's range (or up to its smallest value).
  public var clampedScales: Int
  public init(clampedScales: Int = 0) { self.clampedScales = clampedScales }

  public static func += (left: inout QuantizeCounts, right: QuantizeCounts) {
    left.clampedScales += right.clampedScales
  }
}

/// How one number outside a block is encoded.
public struct EncodeOptions: Sendable, Hashable {
  public var rounding: Rounding
  public var overflow: Overflow
  public var nan: NaNPolicy
  /// Consumed by stochastic rounding only; indexed by position in the input.
  public var randomBits: RandomBits

  public init(
    rounding: Rounding = .tiesToEven, overflow: Overflow = .saturate, nan: NaNPolicy = .canonical,
    randomBits: RandomBits = .philox(seed: 1)
  ) {
    self.rounding = rounding
    self.overflow = overflow
    self.nan = nan
    self.randomBits = randomBits
  }
}

/// What the MPFR engine and the vectorised engine both do, equal bit for bit.
///
/// Codes are stored one per element in the element's `codeBytes`, little-endian; scales one per
/// block as UInt32 patterns, in the row-major order of the grid's blocks.
public protocol QuantizationEngine: Sendable {
  /// `reference`, `avx512`, `avx2`, `baseline` or `neon`.
  var name: String { get }

  /// The tensor scale of a tensor whose largest finite magnitude is `amax`, as the spec's format,
  /// recipe and choice have it.
  func tensorScale(amax: Float, spec: QuantizationSpec) throws(QuantizeError) -> TensorScale

  /// The stored scale of a block whose amax is `amax` (NaN for a block that holds NaN or infinity)
  /// under an exact recipe.
  func exactScale(
    amax: Float, spec: QuantizationSpec, tensorScale: TensorScale
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool)

  /// Quantises whole blocks.
  ///
  /// - Parameters:
  ///   - values: `grid.elementCount` numbers, row-major.
  ///   - firstElement: row-major index of `values[0]` in the whole tensor: random bits and error
  ///     positions count from there.
  ///   - scalesGiven: take the scale codes from `scales` rather than computing them (exact
  ///     recipes only).
  ///   - codes: room for `grid.elementCount` codes.
  ///   - scales: room for `grid.blockCount` scales.
  func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts

  /// Quantises whole blocks whose maxima are known, as they are where one tensor is quantised in several
  /// ways. The results are those of finding them anew.
  ///
  /// An engine may look at the numbers all the same. The MPFR engine does, which defines the results.
  ///
  /// - Parameter maxima: the bits of the largest |x| of each of the grid's blocks, NaN's above infinity's
  ///   as unsigned integers are ordered; nil: unknown. The other parameters are as above.
  func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    maxima: UnsafeBufferPointer<UInt32>?, codes: UnsafeMutableRawBufferPointer,
    scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts

  /// The float32 values of whole blocks as the spec's recipe reads them back: for exact recipes
  /// code·s·T, one real number rounded once by tiesToEven, overflow to infinity.
  func dequantize(
    codes: UnsafeRawBufferPointer, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, tensorScale: TensorScale, into output: UnsafeMutableBufferPointer<Float>
  )

  /// Decodes codes of an element format. Every finite element value is exact in float32. NaN is
  /// 0x7FC00000; codes at or above `codeCount` (of a codebook) are NaN.
  func decode(
    codes: UnsafeRawBufferPointer, element: ElementFormat,
    into output: UnsafeMutableBufferPointer<Float>)

  /// Decodes stored scales; NaN is 0x7FC00000.
  func decodeScales(
    _ scales: UnsafeBufferPointer<UInt32>, format: ScaleFormat,
    into output: UnsafeMutableBufferPointer<Float>)

  /// Encodes numbers one by one, without a block (spec/exact.md, "Encoding one element"). NaN is
  /// an error where the format has none (position counted from 0).
  func encode(
    _ values: UnsafeBufferPointer<Float>, element: ElementFormat, options: EncodeOptions,
    into codes: UnsafeMutableRawBufferPointer
  ) throws(QuantizeError)

  /// Encodes numbers to a scale format by themselves: E8M0 to nearest, ties up, with zero,
  /// negatives, NaN, infinity and what rounds to 2^128 giving 0xFF; the others by tiesToEven, saturating, negatives as
  /// their canonical NaN.
  func encodeScales(
    _ values: UnsafeBufferPointer<Float>, format: ScaleFormat,
    into scales: UnsafeMutableBufferPointer<UInt32>)
}

extension QuantizationEngine {
  public func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    maxima: UnsafeBufferPointer<UInt32>?, codes: UnsafeMutableRawBufferPointer,
    scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    try quantize(
      values, grid: grid, spec: spec, tensorScale: tensorScale, firstElement: firstElement,
      scalesGiven: scalesGiven, codes: codes, scales: scales)
  }
}

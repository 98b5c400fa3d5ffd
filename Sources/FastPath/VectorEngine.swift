import CBlockKernels
import KernelDescriptors
import NumberFormats

/// An instruction set of the vectorised engine.
public enum VectorTarget: String, Sendable, Hashable, CaseIterable {
  case auto, avx512, avx2, baseline

  var raw: Int32 {
    switch self {
    case .auto: BK_TARGET_AUTO
    case .avx512: BK_TARGET_AVX512
    case .avx2: BK_TARGET_AVX2
    case .baseline: BK_TARGET_BASELINE
    }
  }

  /// Whether this machine has it.
  public var isAvailable: Bool { self == .auto || bk_target_available(raw) != 0 }

  /// Every instruction set of this machine, `auto` left out.
  public static var available: [VectorTarget] {
    allCases.filter { $0 != .auto && $0.isAvailable }
  }
}

/// The instruction set asked for is not to be had on this machine.
public struct UnavailableTarget: Error, Sendable, Hashable, CustomStringConvertible {
  public var target: VectorTarget
  public var description: String { "this machine has no \(target.rawValue)" }
}

/// The vectorised engine: the results of the MPFR engine, bit for bit, from integer and float32
/// operations. It shares no arithmetic, tables or rounding helpers with it.
public struct VectorEngine: QuantizationEngine {
  public let target: VectorTarget

  /// - Throws: `UnavailableTarget` where the machine lacks the instruction set.
  public init(target: VectorTarget = .auto) throws(UnavailableTarget) {
    guard target.isAvailable else { throw UnavailableTarget(target: target) }
    if target == .auto {
      let best = bk_best_target()
      self.target = VectorTarget.allCases.first { $0.raw == best } ?? .baseline
    } else {
      self.target = target
    }
  }

  /// `baseline` is called `neon` on AArch64, where it is what the compiler makes of it.
  public var name: String {
    #if arch(arm64)
      return "neon"
    #else
      return target.rawValue
    #endif
  }

  public func exactScale(
    amax: Float, spec: QuantizationSpec, tensorScale: TensorScale
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    let job = KernelJob(spec, tensorScale: tensorScale.decode)
    var clamped: Int32 = 0
    let code = withUnsafePointer(to: job.raw) { bk_exact_scale($0, amax, &clamped) }
    return (code, clamped != 0)
  }

  public func decode(
    codes: UnsafeRawBufferPointer, element: ElementFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let kernel = KernelElement(element)
    withExtendedLifetime(kernel) {
      withUnsafePointer(to: kernel.raw) {
        bk_decode(target.raw, $0, codes.baseAddress, output.count, output.baseAddress)
      }
    }
  }

  public func decodeScales(
    _ scales: UnsafeBufferPointer<UInt32>, format: ScaleFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    withUnsafePointer(to: kernelScale(format)) {
      bk_decode_scales($0, scales.baseAddress, scales.count, output.baseAddress)
    }
  }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, element: ElementFormat, options: EncodeOptions,
    into codes: UnsafeMutableRawBufferPointer
  ) throws(QuantizeError) {
    var kernel = KernelElement(element)
    if options.nan == .mlDtypes { _ = kernel.useMlDtypesNaN(element) }
    var bits: Int32 = 0
    var random: [UInt32] = []
    if case .stochastic(let count) = options.rounding {
      bits = Int32(count)
      random = try randomValues(
        options.randomBits, from: 0, count: values.count, bits: count)
    }
    let refused = withExtendedLifetime(kernel) {
      random.withUnsafeBufferPointer { random in
        withUnsafePointer(to: kernel.raw) {
          bk_encode(
            target.raw, $0, kernelRounding(options.rounding), bits,
            options.overflow == .nonFinite ? 1 : 0, bits > 0 ? random.baseAddress : nil,
            values.baseAddress, values.count, codes.baseAddress)
        }
      }
    }
    guard refused < 0 else {
      throw .nonFinite(position: Int(refused), format: element.name)
    }
  }

  public func encodeScales(
    _ values: UnsafeBufferPointer<Float>, format: ScaleFormat,
    into scales: UnsafeMutableBufferPointer<UInt32>
  ) {
    if format.isPowerOfTwo {
      bk_encode_e8m0(target.raw, values.baseAddress, values.count, scales.baseAddress)
      return
    }
    let largest = format.layout.largestFiniteMagnitudeCode
    if format.layout.mantissaBits == 23 {
      for (index, value) in values.enumerated() {
        scales[index] =
          value > 0 ? min(value.bitPattern, largest) : value == 0 ? 0 : format.canonicalNaN
      }
      return
    }
    var kernel = kernelScale(format).format
    kernel.code_bytes = 4
    _ = bk_encode(
      target.raw, &kernel, BK_ROUND_TIES_TO_EVEN, 0, 0, nil, values.baseAddress, values.count,
      scales.baseAddress)
    for (index, value) in values.enumerated() {
      if value < 0 || value.isNaN {
        scales[index] = format.canonicalNaN
      } else if value == 0 {
        scales[index] = 0
      }
    }
  }

  /// The largest finite magnitude, and how many values are NaN or infinite.
  public func finiteAmax(_ values: UnsafeBufferPointer<Float>) -> (amax: Float, nonFinite: Int) {
    var nonFinite: Int64 = 0
    let amax = bk_finite_amax(target.raw, values.baseAddress, values.count, &nonFinite)
    return (amax, Int(nonFinite))
  }
}

/// Random bits of consecutive elements, checked to be there and below 2^bits.
func randomValues(
  _ source: RandomBits, from start: Int, count: Int, bits: Int
) throws(QuantizeError) -> [UInt32] {
  if case .given(let values) = source {
    guard start + count <= values.count else { throw .badRandomBits(position: values.count) }
    for index in start..<(start + count) where bits < 32 && values[index] >> UInt32(bits) != 0 {
      throw .badRandomBits(position: index)
    }
  }
  return [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
    source.fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]), from: start, bits: bits)
    initialized = count
  }
}

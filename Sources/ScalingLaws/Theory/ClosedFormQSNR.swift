import NumberFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The quantisation signal-to-noise ratio of block formats in closed form, for normal numbers with a
/// crest factor κ (largest magnitude over root mean square), in decibels.
///
/// Source: arXiv 2510.25602, theorems on INT and FP QSNR. Integer: 4.78 + 6.02b − 20·log10 ρ −
/// 20·log10 κ. Float: −10·log10(α_M·w_norm + β(ρκ)²·p_sub), α_M = 1/(24·4^M),
/// β = 2^(2(1−B−M))/(12·Q²), where w_norm is the share of the energy in normal numbers and p_sub the
/// share of numbers below them. The printed constants are 10·log10 3 and 20·log10 2, which stand here.
/// That w_norm and p_sub are those of normal numbers is this project's reading: it gives the paper's
/// crossover crest factors.
public struct ClosedFormQSNR: Sendable, Hashable {
  /// The block's scale.
  public enum Scale: Sendable, Hashable {
    /// A power of two, rounded up by the factor ρ of 1 to 2 on average: the paper takes 1.5.
    case powerOfTwo(overhead: Double = 1.5)
    /// Nearly exact: the block's largest number has no error. The printed form has an overhead of 1;
    /// the printed crossover of NVFP4 and NVINT4 (2.39, 21.14 dB) follows with 1.05.
    case fine(block: Int, overhead: Double = 1)
  }

  public var scale: Scale

  public init(scale: Scale) { self.scale = scale }

  private var overhead: Double {
    switch scale {
    case .powerOfTwo(let overhead), .fine(_, let overhead): overhead
    }
  }

  /// Of `bits`-bit integers.
  public func integer(bits: Int, crest: Double) -> Double {
    let plain =
      10 * log10(3) + 20 * log10(2) * Double(bits) - 20 * log10(overhead) - 20 * log10(crest)
    guard case .fine(let block, _) = scale else { return plain }
    return plain + 10 * log10(Double(block) / Double(block - 1))
  }

  /// Of floats.
  ///
  /// - Parameters:
  ///   - mantissaBits: M.
  ///   - bias: B, the exponent's.
  ///   - largest: Q, the largest magnitude.
  /// - Returns: NaN where the form has no value: the block's largest number alone holds more energy
  ///   than the form gives to normal numbers.
  public func float(mantissaBits: Int, bias: Int, largest: Double, crest: Double) -> Double {
    let smallestNormal = overhead * crest * exp2(Double(1 - bias)) / largest
    let below = ValueSource.normal.moments(to: smallestNormal)
    let alpha = 1 / (24 * exp2(2 * Double(mantissaBits)))
    let beta = exp2(2 * Double(1 - bias - mantissaBits)) / (12 * largest * largest)
    var energy = 1 - below.second
    if case .fine(let block, _) = scale { energy -= crest * crest / Double(block) }
    let noise = alpha * energy + beta * overhead * overhead * crest * crest * below.zeroth
    return noise > 0 && energy > 0 ? -10 * log10(noise) : .nan
  }

  /// The most that floats of M mantissa bits reach: 13.80 + 6.02·M.
  public static func ceiling(mantissaBits: Int) -> Double {
    10 * log10(24) + 20 * log10(2) * Double(mantissaBits)
  }
}

extension ClosedFormQSNR {
  /// The closed form of a catalog's format, with the paper's overhead of its scale.
  ///
  /// - Parameters:
  ///   - block: Elements of a block.
  ///   - engine: Decodes the element's largest value.
  /// - Returns: nil for codebooks, and where the form has no value.
  public static func decibels(
    of format: BlockFormat, block: Int, crest: Double, engine: any QuantizationEngine
  ) -> Double? {
    let isPowerOfTwo = format.scale.isPowerOfTwo || format.powerOfTwoScale
    guard isPowerOfTwo || block > 1 else { return nil }
    let form = ClosedFormQSNR(scale: isPowerOfTwo ? .powerOfTwo() : .fine(block: block))
    let result: Double
    switch format.element.kind {
    case .codebook: return nil
    case .integer(let layout): result = form.integer(bits: layout.bits, crest: crest)
    case .float(let layout):
      let sides = try? ElementGrid.sides(of: format.element, engine: engine)
      guard let largest = sides?.first?.magnitudes.last else { return nil }
      result = form.float(
        mantissaBits: layout.mantissaBits, bias: layout.bias, largest: largest, crest: crest)
    }
    return result.isFinite ? result : nil
  }
}

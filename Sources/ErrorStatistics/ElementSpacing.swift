import CBlockKernels
import NumberFormats

/// Where the values of an element format lie, as far as error statistics need to know: the largest
/// finite value, beyond which an element is saturated, and the gap between neighbours around a value,
/// which is the unit ("ULP") of `max_ulp`.
///
/// Gaps are taken around the real number q = x/(s·T):
/// - float: 2^(max(⌊log2|q|⌋, emin) − m);
/// - integer: the step, everywhere;
/// - codebook: the gap between the two values that bracket q (with its sign, as a codebook need not be
///   symmetric), below the smallest value the first gap;
/// - from the largest value on, the last gap below it.
public struct ElementSpacing: Sendable, Equatable {
  let kind: Int
  let minNormal: Double
  let lowGap: Double
  let lastGap: Double
  let mantissaBits: Int
  let values: [Double]
  let gaps: [Double]

  /// The element's largest finite magnitude, maxE.
  public let largest: Double

  /// The spacing of a descriptor's element. An integer's maxE is its largest positive value.
  public init(_ element: ElementFormat) {
    switch element.kind {
    case .float(let layout):
      let code = Int(layout.largestFiniteMagnitudeCode)
      let field = code >> layout.mantissaBits
      let fraction = code & (1 << layout.mantissaBits - 1)
      let minExponent = layout.zeroExponentIsSubnormal ? 1 - layout.bias : -layout.bias
      let hidden = field > 0 || !layout.zeroExponentIsSubnormal ? 1 << layout.mantissaBits : 0
      let unit = max(field - layout.bias, minExponent) - layout.mantissaBits
      self = .float(
        mantissaBits: layout.mantissaBits, minExponent: minExponent,
        largest: Double(hidden + fraction) * Self.power(unit),
        subnormals: layout.zeroExponentIsSubnormal)
    case .integer(let layout):
      let step = Self.power(-layout.fractionBits)
      self = .integer(step: step, largest: Double(1 << (layout.bits - 1) - 1) * step)
    case .codebook(let values):
      self = .codebook(values.map(Double.init))
    }
  }

  /// A floating-point element.
  ///
  /// - Parameters:
  ///   - mantissaBits: m, the stored fraction bits, 0 to 52.
  ///   - minExponent: emin, the exponent of the smallest normal value: 0 for E2M1, −6 for E4M3.
  ///   - largest: maxE: 6 for E2M1, 448 for OCP E4M3. Positive.
  ///   - subnormals: Whether values below 2^emin exist. Without them the only neighbour of 2^emin
  ///     below is zero, and the gap there is 2^emin.
  public static func float(
    mantissaBits: Int, minExponent: Int, largest: Double, subnormals: Bool = true
  ) -> ElementSpacing {
    precondition((0...52).contains(mantissaBits) && largest > 0 && largest.isFinite)
    let lowExponent = subnormals ? minExponent - mantissaBits : minExponent
    let exponent = Int(largest.exponent)
    let lastGap: Double
    if exponent < minExponent || (exponent == minExponent && largest.significand == 1) {
      lastGap = power(lowExponent)
    } else {
      // A largest value that is a power of two has the gap of the binade below it.
      lastGap = power(exponent - mantissaBits - (largest.significand == 1 ? 1 : 0))
    }
    return ElementSpacing(
      kind: Int(BK_SPACING_FLOAT), minNormal: power(minExponent), lowGap: power(lowExponent),
      lastGap: lastGap, mantissaBits: mantissaBits, values: [], gaps: [], largest: largest)
  }

  /// An integer or fixed-point element: consecutive multiples of `step` up to `largest`.
  ///
  /// The contract calls an element saturated when |x/(s·T)| > maxE, so an element that uses the extra
  /// negative code of a full-range integer counts as saturated: give maxE as the largest positive value.
  public static func integer(step: Double, largest: Double) -> ElementSpacing {
    precondition(step > 0 && step.isFinite && largest > 0 && largest.isFinite)
    return ElementSpacing(
      kind: Int(BK_SPACING_INTEGER), minNormal: 0, lowGap: step, lastGap: step, mantissaBits: 0,
      values: [], gaps: [], largest: largest)
  }

  /// A codebook: a list of finite values in any order, at least one. maxE is the largest magnitude.
  /// With a single distinct value there is no gap, and every error is 0 ULP.
  public static func codebook(_ list: [Double]) -> ElementSpacing {
    precondition(!list.isEmpty && list.allSatisfy { $0.isFinite })
    var values: [Double] = []
    for value in list.sorted() where value != values.last { values.append(value) }
    var gaps = zip(values.dropFirst(), values).map { $0 - $1 }
    if gaps.isEmpty { gaps = [.infinity] }
    return ElementSpacing(
      kind: Int(BK_SPACING_CODEBOOK), minNormal: 0, lowGap: gaps[0], lastGap: gaps[gaps.count - 1],
      mantissaBits: 0, values: values, gaps: gaps, largest: values.map { abs($0) }.max() ?? 0)
  }

  private init(
    kind: Int, minNormal: Double, lowGap: Double, lastGap: Double,
    mantissaBits: Int, values: [Double], gaps: [Double], largest: Double
  ) {
    self.kind = kind
    self.minNormal = minNormal
    self.lowGap = lowGap
    self.lastGap = lastGap
    self.mantissaBits = mantissaBits
    self.values = values
    self.gaps = gaps
    self.largest = largest
  }

  private static func power(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }

  /// Runs `body` with the kernel's view of this spacing and the scales' limits, valid only inside.
  func withParameters<R>(
    _ limits: ScaleLimits, _ body: (UnsafePointer<bk_error_params>) -> R
  ) -> R {
    values.withUnsafeBufferPointer { values in
      gaps.withUnsafeBufferPointer { gaps in
        var parameters = bk_error_params()
        parameters.kind = Int32(kind)
        parameters.largest = largest
        parameters.min_normal = minNormal
        parameters.low_gap = lowGap
        parameters.last_gap = lastGap
        parameters.mantissa_bits = Int64(mantissaBits)
        parameters.values = values.baseAddress
        parameters.gaps = gaps.baseAddress
        parameters.gap_count = gaps.count
        parameters.normal_divisor = limits.normal
        parameters.top_divisor = limits.largest
        return body(&parameters)
      }
    }
  }
}

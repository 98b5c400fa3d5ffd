import NumberFormats

/// The divisors |s·T| at the ends of what a scale format holds, by which ``ErrorParts`` are told.
public struct ScaleLimits: Sendable, Equatable {
  /// That of the least scale with all its digits: below it scales are subnormal or zero.
  public let normal: Double
  /// That of the largest scale.
  public let largest: Double

  /// Ends that no divisor meets.
  public static let none = ScaleLimits(normal: 0, largest: .infinity)

  /// - Parameters:
  ///   - normal: 0 or more; 0 where no scale counts as subnormal or zero.
  ///   - largest: above `normal`.
  public init(normal: Double, largest: Double) {
    precondition(normal >= 0 && largest > normal)
    self.normal = normal
    self.largest = largest
  }

  /// The ends of a format's scale under a tensor scale. Of powers of two no digit is lost, so that only
  /// zero lies below the least of them.
  ///
  /// - Parameter tensorScale: T; ends that no divisor meets where it is not positive and finite.
  public init(_ format: BlockFormat, tensorScale: Double) {
    guard tensorScale > 0, tensorScale.isFinite else {
      self = .none
      return
    }
    let layout = format.scale.layout
    let top = Int(layout.largestFiniteMagnitudeCode)
    let (field, fraction) = (top >> layout.mantissaBits, top & (1 << layout.mantissaBits - 1))
    let steps = format.powerOfTwoScale ? 0 : fraction
    let subnormal = layout.zeroExponentIsSubnormal
    let below = subnormal && format.powerOfTwoScale ? layout.mantissaBits : 0
    func power(_ exponent: Int) -> Double {
      Double(sign: .plus, exponent: exponent, significand: tensorScale)
    }
    self.init(
      normal: power((subnormal ? 1 : 0) - layout.bias - below),
      largest: power(field - layout.bias - layout.mantissaBits)
        * Double(1 << layout.mantissaBits + steps))
  }
}

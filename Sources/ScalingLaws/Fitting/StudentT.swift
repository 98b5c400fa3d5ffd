#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Student's t distribution for whole degrees of freedom.
public enum StudentT {
  /// The probability that |t| is at most `t`: the finite sums of Abramowitz and Stegun, "Handbook of
  /// Mathematical Functions", 26.7.3 and 26.7.4.
  ///
  /// - Parameters:
  ///   - t: 0 or more.
  ///   - freedom: degrees of freedom, 1 or more.
  public static func central(_ t: Double, freedom: Int) -> Double {
    let angle = atan(t / Double(freedom).squareRoot())
    let square = cos(angle) * cos(angle)
    let isOdd = freedom % 2 == 1
    if freedom == 1 { return 2 * angle / .pi }
    var term = isOdd ? cos(angle) : 1
    var sum = term
    for step in stride(from: isOdd ? 3 : 2, to: freedom, by: 2) {
      term *= square * Double(step - 1) / Double(step)
      sum += term
    }
    return isOdd ? 2 / .pi * (angle + sin(angle) * sum) : sin(angle) * sum
  }

  /// The t that |t| exceeds with probability 1 - `confidence`.
  ///
  /// - Parameters:
  ///   - confidence: above 0 and below 1.
  ///   - freedom: degrees of freedom, 1 or more.
  public static func quantile(confidence: Double, freedom: Int) -> Double {
    var (low, high) = (0.0, 1.0)
    while central(high, freedom: freedom) < confidence, high < 1e9 { high *= 2 }
    while true {
      let middle = low + (high - low) / 2
      guard middle > low, middle < high else { return middle }
      if central(middle, freedom: freedom) < confidence { low = middle } else { high = middle }
    }
  }
}

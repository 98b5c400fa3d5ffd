#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The regularised incomplete beta function I_x(a, b) for 0 ≤ x ≤ 1, a + b at most 170: the continued
/// fraction of Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.5.8, by Lentz's method,
/// on the side where it converges fast.
func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
  let beta = tgamma(a) / tgamma(a + b) * tgamma(b)
  let front = exp(a * log(x) + b * log1p(-x)) / (a * beta)
  let tiny = 1e-300
  var (numerator, denominator) = (1.0, 1 - (a + b) * x / (a + 1))
  denominator = 1 / (abs(denominator) < tiny ? tiny : denominator)
  var fraction = denominator
  for step in 1...500 {
    let m = Double(step)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    for term in [even, odd] {
      denominator = 1 + term * denominator
      denominator = 1 / (abs(denominator) < tiny ? tiny : denominator)
      numerator = 1 + term / numerator
      if abs(numerator) < tiny { numerator = tiny }
      fraction *= denominator * numerator
    }
    if abs(denominator * numerator - 1) < 1e-15 { break }
  }
  return front * fraction
}

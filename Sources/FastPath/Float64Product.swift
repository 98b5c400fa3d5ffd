import NumberFormats

/// A float64 matrix product with a proven bound on its error.
///
/// For any order of K multiplications and additions, fused or not, |computed − true| is at most
/// γ·Σ|a||b| with γ = K·u/(1 − K·u) and u = 2^−53 (Higham, Accuracy and Stability of Numerical
/// Algorithms, 2nd edition, section 3.1), and by Cauchy and Schwarz Σ|a||b| ≤ ‖a‖·‖b‖. Products
/// below float64's normal range add at most 2^−1074 each. The bound is rounded upwards; it is
/// infinite or NaN where a line holds NaN, infinities or numbers near float64's end.
public struct Float64Product: Sendable {
  public let rows: Int
  public let columns: Int
  public let depth: Int
  /// Upper bounds of the lines' Euclidean norms, A's times γ.
  private let rowBounds: [Double]
  private let columnNorms: [Double]

  /// Computes C = A · Bᵀ on the calling thread. NaN and infinities propagate by IEEE rules.
  ///
  /// - Parameters:
  ///   - a: `rows` × `depth` numbers, row-major.
  ///   - b: `columns` × `depth` numbers, row-major: B is given transposed.
  ///   - c: room for `rows` × `columns` numbers. Every count is below 2^31.
  public init(
    a: UnsafeBufferPointer<Double>, b: UnsafeBufferPointer<Double>, rows: Int, columns: Int,
    depth: Int, into c: UnsafeMutableBufferPointer<Double>
  ) {
    precondition(max(rows, columns, depth) < 1 << 31, "more than 2^31 − 1 rows, columns or k")
    precondition(
      a.count == rows * depth && b.count == columns * depth && c.count == rows * columns,
      "shapes differ from buffers")
    self.rows = rows
    self.columns = columns
    self.depth = depth
    let u = 0x1p-53
    let k = Double(depth)
    // u·k/(1 − u·k) in five roundings.
    let gamma = k * u / (1 - 2 * k * u) * (1 + 8 * u)
    rowBounds = Self.norms(a, lines: rows, depth: depth).map { $0 * gamma * (1 + 8 * u) }
    columnNorms = Self.norms(b, lines: columns, depth: depth)
    if let first = c.baseAddress, let a = a.baseAddress, let b = b.baseAddress, depth > 0 {
      OpenBLAS.multiply(a, rows: rows, b, columns: columns, depth: depth, into: first)
    } else {
      c.update(repeating: 0)
    }
  }

  /// The most by which the computed number of `row` and `column` may differ from the true one.
  public func bound(row: Int, column: Int) -> Double {
    let u = 0x1p-53
    return rowBounds[row] * columnNorms[column] * (1 + 8 * u) + Double(depth) * 0x1p-1073
  }

  /// Upper bounds of Euclidean norms: squares relative to the line's largest magnitude, so that
  /// none overflows, and those that underflow weigh less than the allowance.
  private static func norms(
    _ values: UnsafeBufferPointer<Double>, lines: Int, depth: Int
  ) -> [Double] {
    (0..<lines).map { line in
      let part = UnsafeBufferPointer(rebasing: values[(line * depth)..<((line + 1) * depth)])
      var largest = 0.0
      for value in part where !(value.magnitude <= largest) { largest = value.magnitude }
      guard largest > 0 else { return largest }
      guard largest.isFinite else { return largest }
      // A power of two below the largest, so that quotients are exact or far too small to matter.
      let unit = Double(sign: .plus, exponent: max(-1000, largest.exponent), significand: 1)
      let inverse = 1 / unit
      var sum = 0.0
      for value in part {
        let scaled = value * inverse
        sum += scaled * scaled
      }
      return sum.squareRoot() * unit * (1 + Double(depth + 16) * 0x1p-52)
    }
  }
}

/// The integral of (x − v)²·density over the numbers that round to one value v.
///
/// Over a cell that is narrow beside the density's own width it is a Gauss-Legendre sum. The difference of
/// the moments at its ends, which is exact too, would there cancel: the error of an 8-bit value is 1e-11 of
/// what is subtracted, and a quadrature above it would chase that noise. It serves wide cells.
struct CellErrors {
  let source: ValueSource
  private let density: (Double) -> Double

  init(_ source: ValueSource) {
    self.source = source
    density = source.densities()
  }

  /// Abramowitz and Stegun, "Handbook of Mathematical Functions", table 25.4: 4 and 8 nodes.
  private static let few: [(node: Double, weight: Double)] = [
    (0.339981043584856, 0.652145154862546), (0.861136311594053, 0.347854845137454),
  ]
  private static let many: [(node: Double, weight: Double)] = [
    (0.183434642495650, 0.362683783378362), (0.525532409916329, 0.313706645877887),
    (0.796666477413627, 0.222381034453374), (0.960289856497536, 0.101228536290376),
  ]

  func error(of value: Double, from low: Double, to high: Double) -> Double {
    guard low < high else { return 0 }
    let width = (high - low) / source.smoothWidth(at: low)
    guard width <= 1 else { return difference(value, low, high) }
    let (center, half) = ((low + high) / 2, (high - low) / 2)
    var sum = 0.0
    for (node, weight) in width <= 1.0 / 16 ? Self.few : Self.many {
      let (left, right) = (center - half * node, center + half * node)
      sum +=
        weight
        * ((left - value) * (left - value) * density(left)
          + (right - value) * (right - value) * density(right))
    }
    return sum * half
  }

  private func difference(_ value: Double, _ low: Double, _ high: Double) -> Double {
    let (below, above) = (source.moments(to: low), source.moments(to: high))
    return max(
      0,
      above.second - below.second - 2 * value * (above.first - below.first)
        + value * value * (above.zeroth - below.zeroth))
  }
}

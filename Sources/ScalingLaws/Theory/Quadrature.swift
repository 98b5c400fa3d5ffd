/// Integrals of four functions at once by the Gauss-Kronrod rule of 7 and 15 nodes, halving intervals
/// where the two differ. Source of nodes and weights: Piessens et al., "QUADPACK" (1983), qk15.
struct Quadrature {
  /// What has been added up.
  private(set) var total = SIMD4<Double>.zero
  /// How far an interval's two rules may differ, as a share of the sum so far.
  var tolerance = 1e-9

  private static let nodes = [
    0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
    0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
    0.586087235467691130294144691693729, 0.405845151377397166906606412076961,
    0.207784955007898467600689403773245,
  ]
  private static let weights = [
    0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
    0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
    0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
    0.204432940075298892414161999234649,
  ]
  private static let middle = (
    kronrod: 0.209482141084727828012999174891714, gauss: 0.417959183673469387755102040816327
  )
  /// Of every second node, those of the rule of 7.
  private static let gaussWeights = [
    0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
    0.381830050505118944950369775488975,
  ]

  /// Adds the integral over `low` to `high`.
  mutating func add(
    from low: Double, to high: Double, depth: Int = 0, _ integrand: (Double) -> SIMD4<Double>
  ) {
    let (center, half) = ((low + high) / 2, (high - low) / 2)
    let there = integrand(center)
    var fine = there * Self.middle.kronrod
    var coarse = there * Self.middle.gauss
    for (index, node) in Self.nodes.enumerated() {
      let pair = integrand(center - half * node) + integrand(center + half * node)
      fine += pair * Self.weights[index]
      if index % 2 == 1 { coarse += pair * Self.gaussWeights[index / 2] }
    }
    let sum = total + fine * half
    let error = (fine - coarse) * half
    let isGood = (0..<4).allSatisfy { abs(error[$0]) <= tolerance * abs(sum[$0]) }
    guard !isGood, depth < 12 else {
      total = sum
      return
    }
    add(from: low, to: center, depth: depth + 1, integrand)
    add(from: center, to: high, depth: depth + 1, integrand)
  }
}

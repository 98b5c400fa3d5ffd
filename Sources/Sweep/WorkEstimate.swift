import NumberFormats

/// About how long pieces of work take, in nanoseconds of one core. Shards are balanced by it; results do
/// not depend on it.
enum WorkEstimate {
  /// Reading, quantising and judging one tensor, fitted to `blockscale error` on one core.
  static func tensor(_ count: Int, _ spec: QuantizationSpec) -> Double {
    var perElement = 4.0
    if case .codebook = spec.format.element.kind { perElement += 1.5 }
    if case .named = spec.recipe.steps { perElement += 4 }
    if case .stochastic? = spec.rounding { perElement += 8 }
    return 20_000 + perElement * Double(count)
  }

  /// Reading, quantising, multiplying and judging, fitted to `blockscale matmul` on one core.
  ///
  /// - Parameters:
  ///   - products: multiply-accumulates.
  ///   - elements: of both operands.
  static func product(_ products: Int, _ elements: Int, _ accumulator: Accumulator) -> Double {
    1_000_000 + 15 * Double(elements) + (0.4 + perProduct(accumulator)) * Double(products)
  }

  /// What adding one product takes, by the kind of datapath.
  static func perProduct(_ accumulator: Accumulator) -> Double {
    switch accumulator.datapath {
    case .integer: 0.01
    case .exact: 0.06
    case .float32: 0.15
    case .fused: 0.2
    case .fixed: 0.3
    }
  }
}

import ErrorStatistics

/// An element format for the tests: what the statistics are told of it, and all its values, listed
/// from its fields without the formulas under test.
struct SampleElement: Sendable, CustomStringConvertible {
  let name: String
  let spacing: ElementSpacing
  /// Every finite value, ascending, one zero.
  let values: [Double]
  /// Whether gaps are looked up by |q| among the magnitudes, rather than by q.
  let symmetric: Bool

  var description: String { name }
  var largest: Double { values.map { abs($0) }.max() ?? 0 }

  static let all: [SampleElement] = [
    float("e2m1", exponent: 2, mantissa: 1, bias: 1),
    float("e4m3", exponent: 4, mantissa: 3, bias: 7, without: 1),
    float("e5m2", exponent: 5, mantissa: 2, bias: 15, without: 4),
    float("e3m0", exponent: 3, mantissa: 0, bias: 3),
    float("e4m3b11fnuz", exponent: 4, mantissa: 3, bias: 11),
    float("e3m4", exponent: 3, mantissa: 4, bias: 3, without: 16),
    float("e3m2 without subnormals", exponent: 3, mantissa: 2, bias: 3, subnormals: false),
    float("e1m2", exponent: 1, mantissa: 2, bias: 1),
    float("fp16", exponent: 5, mantissa: 10, bias: 15, without: 1024),
    float("bf16", exponent: 8, mantissa: 7, bias: 127, without: 128),
    integer("int8", step: 1, from: -127, to: 127),
    integer("int4 full range", step: 1, from: -8, to: 7),
    integer("mxint8", step: 0x1p-6, from: -127, to: 127),
    codebook("nf4", nf4),
    codebook("codebook of 200", lopsided),
  ]

  static func float(
    _ name: String, exponent: Int, mantissa: Int, bias: Int, without top: Int = 0,
    subnormals: Bool = true
  ) -> SampleElement {
    var magnitudes: [Double] = []
    for code in 0..<(1 << (exponent + mantissa) - top) {
      let e = code >> mantissa
      let m = code & (1 << mantissa - 1)
      if e == 0 && m > 0 && !subnormals { continue }
      let significand = e == 0 ? m : 1 << mantissa + m
      let unit = Double(sign: .plus, exponent: max(e, 1) - bias - mantissa, significand: 1)
      magnitudes.append(e == 0 && !subnormals ? 0 : Double(significand) * unit)
    }
    return SampleElement(
      name: name,
      spacing: .float(
        mantissaBits: mantissa, minExponent: 1 - bias, largest: magnitudes[magnitudes.count - 1],
        subnormals: subnormals),
      values: magnitudes.dropFirst().reversed().map { -$0 } + magnitudes, symmetric: true)
  }

  static func integer(_ name: String, step: Double, from low: Int, to high: Int) -> SampleElement {
    SampleElement(
      name: name, spacing: .integer(step: step, largest: Double(high) * step),
      values: (low...high).map { Double($0) * step }, symmetric: true)
  }

  static func codebook(_ name: String, _ values: [Float]) -> SampleElement {
    let doubles = values.map(Double.init)
    return SampleElement(
      name: name, spacing: .codebook(doubles.reversed()), values: doubles, symmetric: false)
  }

  static let nf4: [Float] = [
    -1, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.091050036, 0,
    0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1,
  ]

  private static let lopsided: [Float] = (0..<200).map { i in
    let t = Float(i - 70)
    return t * abs(t) / 1024
  }

  /// The value nearest to q, or now and then one beside it, as directed rounding would give.
  func value(near q: Double, beside: Int) -> Float {
    if q.isNaN { return 0 }
    var low = 0
    var high = values.count
    while low < high {
      let middle = (low + high) / 2
      if values[middle] < q { low = middle + 1 } else { high = middle }
    }
    var index = min(low, values.count - 1)
    if index > 0 && abs(values[index - 1] - q) <= abs(values[index] - q) { index -= 1 }
    return Float(values[min(max(index + beside, 0), values.count - 1)])
  }
}

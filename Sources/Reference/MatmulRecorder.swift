import NumberFormats

/// What a trace collects while an output is summed.
final class MatmulRecorder {
  /// A step's heading.
  struct Step {
    var kind: String
    var k: Range<Int>
    var maximumExponent: Int?
    var terms: [MatmulTerm]

    init(_ kind: String, k: Range<Int> = 0..<0, maximumExponent: Int? = nil) {
      self.kind = kind
      self.k = k
      self.maximumExponent = maximumExponent
      terms = []
    }

    /// A step whose terms are values without alignment.
    init(_ kind: String, k: Range<Int> = 0..<0, terms: [MatmulValue]) {
      self.init(kind, k: k)
      self.terms = terms.map { MatmulTerm(k: k, value: $0) }
    }
  }

  private(set) var steps: [MatmulTrace.Step] = []

  func add(_ step: Step, terms: [MatmulTerm] = [], sum: MatmulValue, result: Int64?) {
    steps.append(
      MatmulTrace.Step(
        kind: step.kind, k: step.k, maximumExponent: step.maximumExponent,
        terms: (step.terms + terms).map(\.traced), sum: MatmulTrace.Value(sum), result: result))
  }
}

/// A term of a step's sum.
struct MatmulTerm {
  /// The k that it covers; empty for c.
  var k: Range<Int>
  /// Before alignment.
  var value: MatmulValue
  /// What it aligns by; nil: it takes no part in the largest exponent.
  var exponent: Int?
  /// On the step's grid; nil: the value itself is added.
  var aligned: Dyadic?

  init(k: Range<Int>, value: MatmulValue, exponent: Int? = nil) {
    self.k = k
    self.value = value
    self.exponent = exponent
  }

  /// What is added.
  var added: Dyadic { aligned ?? value.number }

  fileprivate var traced: MatmulTrace.Term {
    let shown = MatmulTrace.Value(value)
    return MatmulTrace.Term(
      k: k, value: shown, exponent: exponent,
      aligned: aligned.map {
        MatmulTrace.Value(significand: $0.significand.decimal, exponent: $0.exponent)
      } ?? shown)
  }
}

extension MatmulTrace.Value {
  /// With an odd significand, or 0.
  init(_ value: MatmulValue) {
    switch value.kind {
    case .nan: self.init(significand: "0", exponent: 0, special: "nan")
    case .infinite:
      self.init(significand: "0", exponent: 0, special: value.isNegative ? "-inf" : "+inf")
    case .finite:
      guard !value.isZero else {
        self.init(significand: value.isNegative ? "-0" : "0", exponent: 0)
        return
      }
      let zeros = value.number.significand.trailingZeros
      self.init(
        significand: value.number.significand.truncated(zeros).decimal,
        exponent: value.number.exponent + zeros)
    }
  }
}

import NumberFormats

/// A real number, an infinity or NaN, with IEEE 754's sign of zero: what an operand, a product or a
/// sum is before it is rounded.
struct MatmulValue {
  enum Kind { case finite, infinite, nan }

  let kind: Kind
  let isNegative: Bool
  /// 0 unless finite.
  let number: Dyadic

  static let zero = MatmulValue(.zero)
  static let one = MatmulValue(.one)
  static let nan = MatmulValue(.nan, isNegative: false)

  static func infinity(isNegative: Bool) -> MatmulValue {
    MatmulValue(.infinite, isNegative: isNegative)
  }

  private init(_ kind: Kind, isNegative: Bool) {
    self.kind = kind
    self.isNegative = isNegative
    number = .zero
  }

  /// A zero is +0.
  init(_ number: Dyadic) { self.init(number, zeroIsNegative: false) }

  init(_ number: Dyadic, zeroIsNegative: Bool) {
    kind = .finite
    isNegative = number.isZero ? zeroIsNegative : number.isNegative
    self.number = number
  }

  init(_ value: Float) {
    if value.isNaN {
      self = .nan
    } else if value.isInfinite {
      self = .infinity(isNegative: value.sign == .minus)
    } else {
      self.init(Dyadic(value), zeroIsNegative: value.sign == .minus)
    }
  }

  var isFinite: Bool { kind == .finite }
  var isZero: Bool { kind == .finite && number.isZero }

  /// NaN from a NaN or from infinity times zero.
  static func * (a: MatmulValue, b: MatmulValue) -> MatmulValue {
    let isNegative = a.isNegative != b.isNegative
    if a.isFinite, b.isFinite {
      return MatmulValue(a.number * b.number, zeroIsNegative: isNegative)
    }
    if a.kind == .nan || b.kind == .nan || a.isZero || b.isZero { return .nan }
    return .infinity(isNegative: isNegative)
  }

  /// NaN from a NaN or from infinities of both signs. A zero sum is −0 only where both are −0.
  static func + (a: MatmulValue, b: MatmulValue) -> MatmulValue {
    if a.isFinite, b.isFinite {
      return MatmulValue(
        a.number + b.number, zeroIsNegative: a.isZero && b.isZero && a.isNegative && b.isNegative)
    }
    if a.kind == .nan || b.kind == .nan { return .nan }
    if !a.isFinite, !b.isFinite, a.isNegative != b.isNegative { return .nan }
    return a.isFinite ? b : a
  }

  /// The sum of values of which at least one is not finite: NaN, or the infinity that occurs.
  static func specialSum(_ values: [MatmulValue]) -> MatmulValue? {
    let special = values.filter { !$0.isFinite }
    return special.isEmpty ? nil : special.reduce(.zero, +)
  }
}

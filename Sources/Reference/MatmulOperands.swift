import NumberFormats

/// A decoded element or scale.
struct MatmulFactor {
  var value: MatmulValue
  /// What the factor adds to its product's alignment exponent (A.2): of a normal number its own
  /// exponent, of a subnormal one its format's smallest. Integers and codebooks have no subnormal
  /// numbers. 0 for what has no exponent: zeros, infinities, NaN.
  var exponent: Int
  var isSubnormal: Bool

  /// An unscaled operand's scale.
  static let one = MatmulFactor(value: .one, exponent: 0, isSubnormal: false)
  /// The operand of a lane beyond K.
  static let padding = MatmulFactor(value: .zero, exponent: 0, isSubnormal: false)

  init(value: MatmulValue, exponent: Int, isSubnormal: Bool) {
    self.value = value
    self.exponent = exponent
    self.isSubnormal = isSubnormal
  }

  init(_ decoded: Float, layout: FloatLayout?) {
    value = MatmulValue(decoded)
    guard value.isFinite, !value.isZero else {
      (exponent, isSubnormal) = (0, false)
      return
    }
    let leading = value.number.leadingExponent
    if let layout, layout.zeroExponentIsSubnormal, leading < layout.smallestExponent {
      (exponent, isSubnormal) = (layout.smallestExponent, true)
    } else {
      (exponent, isSubnormal) = (leading, false)
    }
  }
}

/// An operand with every code decoded once.
struct MatmulLines {
  private let depth: Int
  private let elements: [MatmulFactor]
  private let scales: [MatmulFactor]?
  /// Q_b; nil: unscaled.
  let block: Int?

  init(_ operand: MatmulOperand) {
    depth = operand.depth
    elements = Self.elements(operand)
    block = operand.scales?.block
    scales = operand.scales.map { scales in
      var known: [UInt32: MatmulFactor] = [:]
      return scales.codes.map { code in
        if let factor = known[code] { return factor }
        let factor = MatmulFactor(decodeScale(code, scales.format), layout: scales.format.layout)
        known[code] = factor
        return factor
      }
    }
  }

  private static func elements(_ operand: MatmulOperand) -> [MatmulFactor] {
    let width = operand.element.codeBytes
    var layout: FloatLayout?
    if case .float(let float) = operand.element.kind { layout = float }
    var known: [UInt32: MatmulFactor] = [:]
    return (0..<(operand.lines * operand.depth)).map { index in
      let code = (0..<width).reduce(UInt32(0)) { code, byte in
        code | UInt32(operand.codes[index * width + byte]) << UInt32(8 * byte)
      }
      if let factor = known[code] { return factor }
      let factor = MatmulFactor(decodeElement(code, operand.element), layout: layout)
      known[code] = factor
      return factor
    }
  }

  func element(line: Int, k: Int) -> MatmulFactor { elements[line * depth + k] }

  /// The scale of the block that holds `k`.
  func scale(line: Int, k: Int) -> MatmulFactor {
    guard let scales, let block else { return .one }
    return scales[line * ((depth - 1) / block + 1) + k / block]
  }

  /// The first k whose element or scale is not finite, lines in order.
  func firstNotFinite(lines: Int) -> (line: Int, k: Int)? {
    for line in 0..<lines {
      for k in 0..<depth {
        let finite =
          element(line: line, k: k).value.isFinite && scale(line: line, k: k).value.isFinite
        if !finite { return (line, k) }
      }
    }
    return nil
  }
}

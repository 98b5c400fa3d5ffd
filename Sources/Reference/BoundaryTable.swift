import NumberFormats

/// Rounds magnitudes to nearest by the exact places where the result changes, for numbers encoded by
/// themselves to narrow formats (spec/exact.md, "Encoding one element"). A second definition beside
/// `Neighbours`, which takes every divisor and rounding, and some ten times as fast.
///
/// With the format's magnitudes m₀ < m₁ < … < mₙ, the last one being where the next number would be
/// if the format went on, boundary i is (mᵢ + mᵢ₊₁)/2: a number below it rounds to mᵢ or less, one
/// above it to mᵢ₊₁ or more, one on it as the rounding breaks ties. Magnitudes and boundaries are
/// MPFR numbers without rounding, and every answer rests on MPFR's comparisons with the boundary on
/// either side of it.
struct BoundaryTable: ~Copyable {
  /// How many boundaries there are: the largest result of `round`.
  let count: Int
  private let boundaries: UnsafeMutablePointer<Real>
  private let rounding: Rounding
  private let number = Real(precision: 64)
  private var last = 0

  /// Nil where the rounding is not to nearest, the format has more than 8 bits, or it is a codebook.
  init?(_ element: ElementFormat, rounding: Rounding) {
    guard element.bits <= 8 else { return nil }
    switch element.kind {
    case .float(let layout): self.init(layout, rounding: rounding)
    case .integer(let layout):
      // Up to the magnitude of the most negative code; the encoder clamps what is not allowed.
      self.init(count: 1 << (layout.bits - 1), rounding: rounding) { units, magnitude in
        magnitude.set(units, exponent: -layout.fractionBits)
      }
    case .codebook: return nil
    }
  }

  /// Nil where the rounding is not to nearest or the format has more than 8 bits.
  init?(_ layout: FloatLayout, rounding: Rounding) {
    guard layout.bits <= 8 else { return nil }
    let hidden = UInt(1) << UInt(layout.mantissaBits)
    let largest = Int(layout.largestFiniteMagnitudeCode)
    // The code after the largest finite one, read by its fields, is the format going on.
    self.init(count: largest + 1, rounding: rounding) { code, magnitude in
      let field = Int(code / hidden)
      let fraction = code % hidden
      if field == 0, layout.zeroExponentIsSubnormal {
        magnitude.set(fraction, exponent: 1 - layout.bias - layout.mantissaBits)
      } else {
        magnitude.set(hidden + fraction, exponent: field - layout.bias - layout.mantissaBits)
      }
    }
  }

  /// - Parameter setMagnitude: gives its second argument the magnitude of a code from 0 to `count`.
  private init?(
    count: Int, rounding: Rounding, setMagnitude: (UInt, borrowing Real) -> Void
  ) {
    switch rounding {
    case .tiesToEven, .tiesToAway, .tiesTowardZero: break
    case .towardZero, .towardPositive, .towardNegative, .toOdd, .stochastic: return nil
    }
    self.count = count
    self.rounding = rounding
    boundaries = .allocate(capacity: count)
    let lower = Real(precision: 64)
    let upper = Real(precision: 64)
    for index in 0..<count {
      setMagnitude(UInt(index), lower)
      setMagnitude(UInt(index) + 1, upper)
      let boundary = Real(precision: 64)
      boundary.setSum(lower, upper)
      boundary.setScaled(boundary, exponent: -1)
      (boundaries + index).initialize(to: boundary)
    }
  }

  deinit {
    boundaries.deinitialize(count: count)
    boundaries.deallocate()
  }

  /// The magnitude code that a finite x ≥ 0 rounds to; `count` means beyond the largest.
  ///
  /// Inputs in order mostly share a result with the one before them, so its two boundaries are
  /// tried first; otherwise they halve the search.
  mutating func round(_ x: Float) -> Int {
    number.set(x)
    // Every boundary before `low` is passed, none from `high` on is.
    var low = 0
    var high = count
    if last < count, isPassed(last) {
      low = last &+ 1
    } else if last == 0 || isPassed(last &- 1) {
      return last
    } else {
      high = last &- 1
    }
    while low < high {
      let middle = (low &+ high) / 2
      if isPassed(middle) { low = middle &+ 1 } else { high = middle }
    }
    last = low
    return low
  }

  /// Whether `number` rounds to more than magnitude code `index`.
  private func isPassed(_ index: Int) -> Bool {
    let side = number.compare(boundaries[index])
    return side > 0 || (side == 0 && tieGoesUp(from: index))
  }

  private func tieGoesUp(from index: Int) -> Bool {
    switch rounding {
    case .tiesToEven: index & 1 == 1
    case .tiesToAway: true
    default: false
    }
  }
}

extension ElementEncoder {
  /// Encodes numbers by themselves; `table` is this element's under this rounding.
  mutating func encode(
    _ values: UnsafeBufferPointer<Float>, by table: inout BoundaryTable, into codes: CodeBuffer
  ) throws(QuantizeError) {
    // What becomes of every rounded magnitude: positive ones first, then negative ones.
    var finished: [UInt32?] = []
    for negative in [false, true] {
      for rounded in 0...table.count { finished.append(finish(rounded, negative: negative)) }
    }
    for index in values.indices {
      let x = values[index]
      let negative = x.sign == .minus
      let code: UInt32?
      if x.isFinite {
        code = finished[table.round(abs(x)) &+ (negative ? table.count &+ 1 : 0)]
      } else {
        code = x.isNaN ? nanCode(negative: negative) : infinite(negative: negative)
      }
      guard let code else { throw .nonFinite(position: index, format: element.name) }
      codes[index] = code
    }
  }
}

extension ScaleEncoder {
  /// Encodes numbers by themselves; `table` is this format's under `ownRounding`.
  func encode(
    _ values: UnsafeBufferPointer<Float>, by table: inout BoundaryTable,
    into scales: UnsafeMutableBufferPointer<UInt32>
  ) {
    let finished = (0...table.count).map { finish($0) }
    for index in values.indices {
      let x = values[index]
      if x > 0, x.isFinite {
        scales[index] = finished[table.round(x)]
      } else {
        scales[index] = codeOutside(x)
      }
    }
  }
}

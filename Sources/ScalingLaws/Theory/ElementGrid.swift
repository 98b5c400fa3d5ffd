import NumberFormats

/// An element's values as rounding to nearest sees them: magnitudes on one side of 0, and the borders
/// halfway between them.
struct ElementGrid: Sendable, Hashable {
  var magnitudes: [Double]
  var borders: [Double]

  init(_ magnitudes: [Double]) {
    self.magnitudes = magnitudes
    borders = zip(magnitudes, magnitudes.dropFirst()).map { ($0 + $1) / 2 }
  }

  /// The positive and the negative side; one of them where they are equal.
  ///
  /// - Throws: `usage` for an element without 0.
  static func sides(
    of element: ElementFormat, engine: any QuantizationEngine
  ) throws(LawError) -> [ElementGrid] {
    var values = decoded(element, engine: engine).filter(\.isFinite)
    if case .integer(let layout) = element.kind, layout.encoding == .twosComplement,
      !layout.fullRange, let lowest = values.min()
    {
      values.removeAll { $0 == lowest }
    }
    let positive = Set(values.filter { $0 >= 0 }).map { abs($0) }.sorted()
    let negative = Set(values.filter { $0 <= 0 }.map { abs($0) }).sorted()
    guard positive.first == 0, positive.count > 1, negative.count > 1 else {
      throw .usage("element \(element.name) has no zero or one sign only")
    }
    let sides = [ElementGrid(positive), ElementGrid(negative)]
    return sides[0] == sides[1] ? [sides[0]] : sides
  }

  private static func decoded(
    _ element: ElementFormat, engine: any QuantizationEngine
  ) -> [Double] {
    let count = element.codeCount
    var bytes: [UInt8] = []
    for code in 0..<count {
      for byte in 0..<element.codeBytes {
        bytes.append(UInt8(truncatingIfNeeded: code >> (8 * byte)))
      }
    }
    var output = [Float](repeating: 0, count: count)
    bytes.withUnsafeBytes { codes in
      output.withUnsafeMutableBufferPointer {
        engine.decode(codes: codes, element: element, into: $0)
      }
    }
    return output.map(Double.init)
  }
}

/// The squared error of one side of an element at one scale, for numbers of a distribution.
struct ScaledGrid {
  /// Whether the scale is 0.
  let isZero: Bool
  private let values: [Double]
  private let borders: [Double]
  /// The squared error up to each border.
  private let errors: [Double]
  private let cells: CellErrors

  /// A scale of 0 makes every number 0.
  init(_ grid: ElementGrid, scale: Double, cells: CellErrors) {
    isZero = scale == 0
    values = isZero ? [0] : grid.magnitudes.map { $0 * scale }
    borders = isZero ? [] : grid.borders.map { $0 * scale }
    self.cells = cells
    var error = 0.0
    var errors: [Double] = []
    var below = 0.0
    for (value, border) in zip(values, borders) {
      error += cells.error(of: value, from: below, to: border)
      errors.append(error)
      below = border
    }
    self.errors = errors
  }

  private func cell(of x: Double) -> Int {
    var (low, high) = (0, borders.count)
    while low < high {
      let middle = (low + high) / 2
      if borders[middle] < x { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The squared error of one number; 0 within rounding, as that of a largest number under a scale that
  /// follows it. A quadrature would never resolve the rounding.
  func error(at x: Double) -> Double {
    let difference = x - values[cell(of: x)]
    return abs(difference) <= 8 * x.ulp ? 0 : difference * difference
  }

  /// The integral of the squared error times the density over 0 to `x`.
  func error(below x: Double) -> Double {
    let place = cell(of: x)
    let before = place == 0 ? 0 : errors[place - 1]
    let start = place == 0 ? 0 : borders[place - 1]
    return before + cells.error(of: values[place], from: start, to: x)
  }
}

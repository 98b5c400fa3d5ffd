/// Where the error of a product comes from. With A = activations, B = weights, dA and dB what
/// quantisation did to them, and D what the unit gave:
///
/// D − A·B = A·dB + dA·B + dA·dB + (D − (A + dA)·(B + dB)).
public enum ProductErrorPart: String, Sendable, CaseIterable {
  /// A·dB
  case weight
  /// dA·B
  case activation
  /// dA·dB
  case interaction
  /// What the unit's accumulation adds.
  case accumulation
  /// D − A·B
  case total
}

/// One output, all in double.
public struct ProductOutput: Sendable, Equatable {
  /// Indices in the whole product.
  public var row: Int
  public var column: Int
  /// Of the operands before quantisation.
  public var exact: Double
  public var observed: Double
  public var weight: Double
  public var activation: Double
  public var interaction: Double

  public init(
    row: Int, column: Int, exact: Double, observed: Double, weight: Double, activation: Double,
    interaction: Double
  ) {
    self.row = row
    self.column = column
    self.exact = exact
    self.observed = observed
    self.weight = weight
    self.activation = activation
    self.interaction = interaction
  }

  /// D − A·B
  public var error: Double { observed - exact }
  /// What is left of the error after the other parts.
  public var accumulation: Double { observed - (exact + weight + activation + interaction) }
  var isFinite: Bool { exact.isFinite && observed.isFinite && accumulation.isFinite }

  public func part(_ part: ProductErrorPart) -> Double {
    switch part {
    case .weight: weight
    case .activation: activation
    case .interaction: interaction
    case .accumulation: accumulation
    case .total: error
    }
  }
}

/// Sums over outputs of one product, mergeable. The digits depend on the order of `add` and `merge`
/// alone.
public struct ProductErrorSums: Sendable, Equatable {
  struct Part: Sendable, Equatable {
    var error = CompensatedSum()
    var squared = CompensatedSum()
    /// Σ part · total: the part's share of the squared error.
    var withTotal = CompensatedSum()
    var largest = 0.0
  }

  /// Sums of one row or column.
  struct Line: Sendable, Equatable {
    var count = 0
    var error = CompensatedSum()
    var squared = CompensatedSum()
    var exactSquared = CompensatedSum()
    var largest = 0.0

    mutating func add(_ error: Double, _ exact: Double) {
      count += 1
      self.error.add(error)
      squared.add(error * error)
      exactSquared.add(exact * exact)
      largest = max(largest, abs(error))
    }

    mutating func merge(_ other: Line) {
      count += other.count
      error.add(other.error)
      squared.add(other.squared)
      exactSquared.add(other.exactSquared)
      largest = max(largest, other.largest)
    }
  }

  var count = 0
  var nonFinite = 0
  /// Of those, the ones whose exact value is not finite either.
  var nonFiniteExact = 0
  /// The first of them.
  var firstNonFinite: ProductOutput?
  var exactOutputs = 0
  var exactSquared = CompensatedSum()
  var parts = [Part](repeating: Part(), count: ProductErrorPart.allCases.count)
  var rows: [Int: Line] = [:]
  var columns: [Int: Line] = [:]
  /// Outputs by the binary exponent of |error|.
  var exponents: [Int: Int] = [:]
  var worst: [ProductOutput] = []
  let worstCount: Int

  /// - Parameter worstCount: how many of the outputs with the largest |error| are kept.
  public init(worstCount: Int) { self.worstCount = worstCount }

  /// Adds a tile of outputs, row by row. Outputs that are NaN or infinite are counted only.
  ///
  /// - Parameter output: the output at a position of the tile.
  public mutating func addTile(
    rows rowIndices: ArraySlice<Int>, columns columnIndices: ArraySlice<Int>,
    _ output: (_ row: Int, _ column: Int) -> ProductOutput
  ) {
    var columnSums = [Line](repeating: Line(), count: columnIndices.count)
    var histogram = [Int](repeating: 0, count: 2400)
    for row in 0..<rowIndices.count {
      var line = Line()
      for column in 0..<columnIndices.count {
        let value = output(row, column)
        count += 1
        guard value.isFinite else {
          nonFinite += 1
          if !value.exact.isFinite { nonFiniteExact += 1 }
          keepFirst(value)
          continue
        }
        let error = value.error
        line.add(error, value.exact)
        columnSums[column].add(error, value.exact)
        addParts(value)
        if error == 0 {
          exactOutputs += 1
        } else {
          histogram[Int(error.exponent) + 1200] += 1
        }
        keepIfBad(value)
      }
      exactSquared.add(line.exactSquared)
      rows[rowIndices[rowIndices.startIndex + row], default: Line()].merge(line)
    }
    for (offset, line) in columnSums.enumerated() {
      columns[columnIndices[columnIndices.startIndex + offset], default: Line()].merge(line)
    }
    for (index, outputs) in histogram.enumerated() where outputs > 0 {
      exponents[index - 1200, default: 0] += outputs
    }
  }

  private mutating func addParts(_ value: ProductOutput) {
    let total = value.error
    for (index, part) in ProductErrorPart.allCases.enumerated() {
      let error = value.part(part)
      parts[index].error.add(error)
      parts[index].squared.add(error * error)
      parts[index].withTotal.add(error * total)
      parts[index].largest = max(parts[index].largest, abs(error))
    }
  }

  private mutating func keepFirst(_ value: ProductOutput) {
    if let first = firstNonFinite, (first.row, first.column) < (value.row, value.column) { return }
    firstNonFinite = value
  }

  private mutating func keepIfBad(_ value: ProductOutput) {
    guard worstCount > 0 else { return }
    if worst.count == worstCount, let last = worst.last, !Self.isWorse(value, last) { return }
    let position = worst.firstIndex { Self.isWorse(value, $0) } ?? worst.count
    worst.insert(value, at: position)
    if worst.count > worstCount { worst.removeLast() }
  }

  /// Larger error first; among equals the earlier output.
  private static func isWorse(_ a: ProductOutput, _ b: ProductOutput) -> Bool {
    let (left, right) = (abs(a.error), abs(b.error))
    return left != right ? left > right : (a.row, a.column) < (b.row, b.column)
  }

  public mutating func merge(_ other: ProductErrorSums) {
    count += other.count
    nonFinite += other.nonFinite
    nonFiniteExact += other.nonFiniteExact
    if let first = other.firstNonFinite { keepFirst(first) }
    exactOutputs += other.exactOutputs
    exactSquared.add(other.exactSquared)
    for index in parts.indices {
      parts[index].error.add(other.parts[index].error)
      parts[index].squared.add(other.parts[index].squared)
      parts[index].withTotal.add(other.parts[index].withTotal)
      parts[index].largest = max(parts[index].largest, other.parts[index].largest)
    }
    for (row, line) in other.rows { rows[row, default: Line()].merge(line) }
    for (column, line) in other.columns { columns[column, default: Line()].merge(line) }
    for (exponent, outputs) in other.exponents { exponents[exponent, default: 0] += outputs }
    for output in other.worst { keepIfBad(output) }
  }
}

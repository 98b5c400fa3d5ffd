/// How well the data determine a curve's parameters near its minimum.
struct CurveCovariance {
  /// Of the parameters as they are (not of their logarithms); zero rows where one lies at a bound.
  var matrix: [[Double]]
  /// Largest over smallest singular value of the Jacobian in the fit's space, each column scaled to
  /// length 1, so that units do not matter.
  var condition: Double
  /// The hat matrix's diagonal: how much of its own fitted value each row decides.
  var leverages: [Double]

  /// - Parameters:
  ///   - rows: the derivatives of each row's fitted number by the parameters `free`.
  ///   - free: places of the parameters that the data may move.
  ///   - variance: of a residual.
  ///   - size: how many parameters there are.
  ///   - symbols: of all of them, for the error.
  init(
    rows: [[Double]], free: [Int], size: Int, variance: Double, symbols: [String]
  ) throws(FitError) {
    matrix = (0..<size).map { _ in [Double](repeating: 0, count: size) }
    leverages = [Double](repeating: 0, count: rows.count)
    condition = 1
    guard !free.isEmpty else { return }
    let (scaled, lengths) = try Self.scaled(rows, free, symbols)
    let singular = SingularValues(columns: scaled)
    condition = singular.condition
    try Self.checkRank(singular, free.map { symbols[$0] })
    for (value, vector) in zip(singular.values, singular.vectors) {
      for (i, place) in free.enumerated() {
        for (j, other) in free.enumerated() {
          let unscaled = vector[i] / lengths[i] * (vector[j] / lengths[j])
          matrix[place][other] += variance * unscaled / (value * value)
        }
      }
      for row in rows.indices {
        let along = free.indices.reduce(0.0) { $0 + scaled[$1][row] * vector[$1] } / value
        leverages[row] += along * along
      }
    }
  }

  /// The parameters' columns with length 1, and the lengths.
  private static func scaled(
    _ rows: [[Double]], _ places: [Int], _ symbols: [String]
  ) throws(FitError) -> (columns: [[Double]], lengths: [Double]) {
    var columns = places.map { place in rows.map { $0[place] } }
    let names = places.map { symbols[$0] }
    var lengths: [Double] = []
    var hasVanished = false
    for place in columns.indices {
      let largest = columns[place].reduce(0) { max($0, abs($1)) }
      guard largest > 0 else { throw .noEffect(names[place]) }
      let shares = columns[place].map { $0 / largest }
      let length = shares.reduce(0) { $0 + $1 * $1 }.squareRoot()
      columns[place] = shares.map { $0 / length }
      lengths.append(largest * length)
      // A parameter runs off to where its effect is that small only along a valley without an end.
      hasVanished = hasVanished || largest < 1e-100
    }
    if hasVanished { try checkRank(SingularValues(columns: columns), names, resolution: 1e-3) }
    return (columns, lengths)
  }

  /// How far the data tell all parameters apart, those at a bound among them as if they were free: a
  /// bound must not hide that two of them are one.
  ///
  /// - Returns: the condition, and the correlations by place; nil where a parameter has no effect.
  static func unbounded(
    rows: [[Double]], bound: [Int], size: Int, symbols: [String]
  ) throws(FitError) -> (condition: Double, correlations: [[Double]])? {
    let places = Array(0..<size)
    let columns: [[Double]]
    do throws(FitError) {
      columns = try scaled(rows, places, symbols).columns
    } catch .noEffect {
      return nil
    }
    let singular = SingularValues(columns: columns)
    let nearlyOne = zip(singular.values, singular.vectors).contains { value, vector in
      value <= 1e-4 * (singular.values.max() ?? 1) && bound.contains { abs(vector[$0]) > 0.01 }
    }
    if nearlyOne { try checkRank(singular, symbols, resolution: 1e-4) }
    var matrix = places.map { _ in [Double](repeating: 0, count: size) }
    for (value, vector) in zip(singular.values, singular.vectors) where value > 0 {
      for i in places {
        for j in places { matrix[i][j] += vector[i] / value * (vector[j] / value) }
      }
    }
    let correlations = places.map { i in
      places.map { matrix[i][$0] / (matrix[i][i] * matrix[$0][$0]).squareRoot() }
    }
    return (singular.condition, correlations)
  }

  /// Directions in which nothing changes are combinations of parameters that no data of this kind
  /// can tell apart.
  private static func checkRank(
    _ singular: SingularValues, _ symbols: [String], resolution: Double = 1e-8
  ) throws(FitError) {
    let largest = singular.values.max() ?? 1
    for (value, vector) in zip(singular.values, singular.vectors)
    where !(value > resolution * largest) {
      let strongest = vector.map(abs).max() ?? 1
      let part = zip(symbols, vector).filter { abs($1) > 0.01 * strongest }.map(\.0)
      throw .indistinguishable(part)
    }
  }

  /// The correlation of two parameters; nil where one has no variance.
  func correlation(_ i: Int, _ j: Int) -> Double? {
    let product = matrix[i][i] * matrix[j][j]
    return product > 0 ? matrix[i][j] / product.squareRoot() : nil
  }
}

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
    let columns = free.map { place in rows.map { $0[place] } }
    let lengths = columns.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    if let silent = lengths.firstIndex(of: 0) { throw .noEffect(symbols[free[silent]]) }
    let scaled = zip(columns, lengths).map { column, length in column.map { $0 / length } }
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

  /// Directions in which nothing changes are combinations of parameters that no data of this kind
  /// can tell apart.
  private static func checkRank(
    _ singular: SingularValues, _ symbols: [String]
  ) throws(FitError) {
    let largest = singular.values.max() ?? 1
    for (value, vector) in zip(singular.values, singular.vectors)
    where !(value > 1e-8 * largest) {
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

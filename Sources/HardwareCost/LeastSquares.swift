/// The least squares solution of `rows` · x = `values` with every x ≥ 0 (Lawson and Hanson, "Solving
/// Least Squares Problems", chapter 23).
///
/// - Returns: nil where the rows are fewer than the unknowns, or do not tell them apart.
func nonNegativeLeastSquares(_ rows: [[Double]], _ values: [Double]) -> [Double]? {
  guard let width = rows.first?.count, rows.count >= width else { return nil }
  let scales = (0..<width).map { column in
    rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot()
  }
  guard scales.allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
  // Columns of length 1: the tolerance below then means the same for each.
  let scaled = rows.map { row in row.indices.map { row[$0] / scales[$0] } }
  guard leastSquares(scaled, values, columns: Array(0..<width)) != nil else { return nil }

  var solution = Array(repeating: 0.0, count: width)
  var positive: [Int] = []
  while positive.count < width {
    let gradient = (0..<width).map { column in
      zip(scaled, values).reduce(0) { sum, pair in
        let rest = pair.1 - pair.0.indices.reduce(0) { $0 + pair.0[$1] * solution[$1] }
        return sum + pair.0[column] * rest
      }
    }
    let waiting = (0..<width).filter { !positive.contains($0) && gradient[$0] > 1e-10 }
    guard let next = waiting.max(by: { gradient[$0] < gradient[$1] }) else { break }
    positive.append(next)
    guard settle(scaled, values, &positive, &solution) else { return nil }
  }
  return zip(solution, scales).map { $0 / $1 }
}

/// Solves for the positive unknowns, and gives up those that would fall to 0 or below.
private func settle(
  _ rows: [[Double]], _ values: [Double], _ positive: inout [Int], _ solution: inout [Double]
) -> Bool {
  while true {
    guard let trial = leastSquares(rows, values, columns: positive) else { return false }
    let falling = zip(positive, trial).filter { $0.1 <= 0 }
    guard !falling.isEmpty else {
      for (column, value) in zip(positive, trial) { solution[column] = value }
      return true
    }
    let step = falling.map { solution[$0.0] / (solution[$0.0] - $0.1) }.min() ?? 0
    for (column, value) in zip(positive, trial) {
      solution[column] += step * (value - solution[column])
    }
    for column in positive where solution[column] <= 1e-12 { solution[column] = 0 }
    positive.removeAll { solution[$0] == 0 }
  }
}

/// Least squares over some columns by Householder reflections; nil where they depend on each other.
private func leastSquares(
  _ rows: [[Double]], _ values: [Double], columns: [Int]
) -> [Double]? {
  var matrix = rows.map { row in columns.map { row[$0] } }
  var right = values
  let width = columns.count
  for pivot in 0..<width {
    let norm = matrix[pivot...].reduce(0) { $0 + $1[pivot] * $1[pivot] }.squareRoot()
    guard norm > 1e-9 else { return nil }
    let head = matrix[pivot][pivot] > 0 ? -norm : norm
    var mirror = matrix[pivot...].map { $0[pivot] }
    mirror[0] -= head
    let square = mirror.reduce(0) { $0 + $1 * $1 }
    for column in pivot..<width {
      let dot = zip(mirror, matrix[pivot...]).reduce(0) { $0 + $1.0 * $1.1[column] }
      for (index, part) in mirror.enumerated() {
        matrix[pivot + index][column] -= 2 * dot / square * part
      }
    }
    let dot = zip(mirror, right[pivot...]).reduce(0) { $0 + $1.0 * $1.1 }
    for (index, part) in mirror.enumerated() { right[pivot + index] -= 2 * dot / square * part }
  }
  var solution = Array(repeating: 0.0, count: width)
  for pivot in (0..<width).reversed() {
    let known = (pivot + 1..<width).reduce(0) { $0 + matrix[pivot][$1] * solution[$1] }
    solution[pivot] = (right[pivot] - known) / matrix[pivot][pivot]
  }
  return solution
}

/// The singular values of a tall matrix and its right singular vectors, by one-sided Jacobi
/// rotations (Hestenes 1958): accurate for the few columns that a curve has.
struct SingularValues {
  /// One per column, in no particular order.
  var values: [Double]
  /// `vectors[k]` belongs to `values[k]`.
  var vectors: [[Double]]

  /// - Parameter columns: of equal length, at least as long as there are columns.
  init(columns: [[Double]]) {
    var work = columns
    var right = columns.indices.map { place in
      columns.indices.map { $0 == place ? 1.0 : 0.0 }
    }
    for _ in 0..<60 {
      var isDiagonal = true
      for p in work.indices {
        for q in work.indices where q > p {
          let (aa, bb, ab) = Self.products(work[p], work[q])
          guard abs(ab) > 1e-15 * (aa * bb).squareRoot() else { continue }
          isDiagonal = false
          let ratio = (bb - aa) / (2 * ab)
          let tangent = (ratio < 0 ? -1 : 1) / (abs(ratio) + (1 + ratio * ratio).squareRoot())
          let cosine = 1 / (1 + tangent * tangent).squareRoot()
          Self.rotate(&work, p, q, cosine, cosine * tangent)
          Self.rotate(&right, p, q, cosine, cosine * tangent)
        }
      }
      if isDiagonal { break }
    }
    values = work.map { Self.products($0, $0).2.squareRoot() }
    vectors = right
  }

  /// The largest singular value over the smallest.
  var condition: Double {
    guard let largest = values.max(), let smallest = values.min() else { return 1 }
    return largest / smallest
  }

  private static func products(_ a: [Double], _ b: [Double]) -> (Double, Double, Double) {
    var (aa, bb, ab) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      aa += x * x
      bb += y * y
      ab += x * y
    }
    return (aa, bb, ab)
  }

  private static func rotate(
    _ columns: inout [[Double]], _ p: Int, _ q: Int, _ cosine: Double, _ sine: Double
  ) {
    for row in columns[p].indices {
      let (x, y) = (columns[p][row], columns[q][row])
      columns[p][row] = cosine * x - sine * y
      columns[q][row] = sine * x + cosine * y
    }
  }
}

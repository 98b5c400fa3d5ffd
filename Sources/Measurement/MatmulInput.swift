import NumberFormats
import TensorIO

/// A float32 matrix whose lines run along K: A as it stands, B transposed.
struct LineMatrix: Sendable {
  let values: Storage<Float>
  let lines: Int
  let depth: Int

  func line(_ index: Int) -> UnsafeBufferPointer<Float> {
    values.reading((index * depth)..<((index + 1) * depth))
  }

  /// Some of the lines, in the order given.
  func gathering(_ indices: [Int]) -> LineMatrix {
    let part = Storage<Float>(count: indices.count * depth)
    for (position, index) in indices.enumerated() {
      _ = part[(position * depth)..<((position + 1) * depth)].update(fromContentsOf: line(index))
    }
    return LineMatrix(values: part, lines: indices.count, depth: depth)
  }
}

/// One tensor of a matmul, as matrices whose lines run along K.
struct MatmulInput: Sendable {
  let tensor: InputTensor
  let matrices: Int
  let lines: Int
  let depth: Int
  /// Whether the file holds [depth, lines], so that reading transposes.
  let isTransposed: Bool

  /// Reads one of the matrices whole.
  ///
  /// - Returns: the matrix, and how many of its numbers were rounded to float32.
  func read(
    _ index: Int, parallel: Parallel
  ) throws(TensorIOError) -> (matrix: LineMatrix, narrowed: Int) {
    let count = lines * depth
    let stored = Storage<Float>(count: count)
    let narrowed = try tensor.read(
      (index * count)..<((index + 1) * count), into: stored, parallel: parallel)
    guard isTransposed else {
      return (LineMatrix(values: stored, lines: lines, depth: depth), narrowed)
    }
    let result = Storage<Float>(count: count)
    let bands = (lines + 63) / 64
    parallel.forEach(bands) { band in
      let first = band * 64
      let last = min(first + 64, lines)
      for k in 0..<depth {
        let source = stored.reading((k * lines)..<((k + 1) * lines))
        for line in first..<last {
          result[(line * depth)..<((line + 1) * depth)][k] = source[line]
        }
      }
    }
    return (LineMatrix(values: result, lines: lines, depth: depth), narrowed)
  }
}

/// The two tensors of a matmul, and how they meet.
struct MatmulInputs: Sendable {
  let a: MatmulInput
  let b: MatmulInput
  /// D's shape: leading axes, m, n.
  let shape: [Int]
  var matrices: Int { a.matrices }

  /// A is [..., m, k]; B is [k, n], or [n, k] where `transposesB`. Where B has leading axes they are
  /// A's, and every matrix of A meets its own of B; where it has none, A's leading axes are rows.
  init(_ a: InputTensor, _ b: InputTensor, transposesB: Bool) throws(MeasurementError) {
    let shapeA = a.info.shape
    let shapeB = b.info.shape
    guard shapeA.count >= 1 else {
      throw .badData(file: a.path, tensor: a.name, "rank 0, expected A as [m, k]")
    }
    guard shapeB.count >= 2 else {
      throw .badData(
        file: b.path, tensor: b.name,
        "rank \(shapeB.count), expected B as \(transposesB ? "[n, k]" : "[k, n]")")
    }
    let depth = shapeA[shapeA.count - 1]
    let depthB = transposesB ? shapeB[shapeB.count - 1] : shapeB[shapeB.count - 2]
    let columns = transposesB ? shapeB[shapeB.count - 2] : shapeB[shapeB.count - 1]
    guard depth == depthB else {
      let hint =
        (transposesB ? shapeB[shapeB.count - 2] : shapeB[shapeB.count - 1]) == depth
        ? (transposesB
          ? "; without --transpose-b it would fit" : "; with --transpose-b it would fit")
        : ""
      throw .badData(
        file: b.path, tensor: b.name,
        "shape \(shapeB) does not meet A's \(shapeA) (\(a.path): tensor \"\(a.name)\"): expected"
          + " k = \(depth)\(hint)")
    }
    let leadingB = Array(shapeB.dropLast(2))
    let leadingA = Array(shapeA.dropLast(2))
    let rows = shapeA.count >= 2 ? shapeA[shapeA.count - 2] : 1
    if leadingB.isEmpty {
      let lines = leadingA.reduce(rows, *)
      self.a = MatmulInput(
        tensor: a, matrices: 1, lines: lines, depth: depth, isTransposed: false)
      shape = shapeA.dropLast(1) + [columns]
    } else {
      guard leadingA == leadingB else {
        throw .badData(
          file: b.path, tensor: b.name,
          "leading axes \(leadingB) differ from A's \(leadingA) (\(a.path): tensor \"\(a.name)\")")
      }
      self.a = MatmulInput(
        tensor: a, matrices: leadingA.reduce(1, *), lines: rows, depth: depth, isTransposed: false)
      shape = leadingA + [rows, columns]
    }
    self.b = MatmulInput(
      tensor: b, matrices: leadingB.reduce(1, *), lines: columns, depth: depth,
      isTransposed: !transposesB)
  }
}

/// The orthonormal Walsh-Hadamard transform H/√n of runs of n consecutive numbers, its own inverse
/// (QuaRot, arXiv 2404.00456, section 3; entries of H by Sylvester's construction).
///
/// The arithmetic is fixed, so that a rotated tensor has the same bits on every machine: float32 numbers
/// become float64; for h = 1, 2, 4, … n/2 every pair (a, b) at distance h becomes (a + b, a − b), each
/// rounded to float64; each result is multiplied by the float64 nearest to 1/√n, where √n is rounded
/// first; the product is rounded to float32 by tiesToEven. A NaN makes its whole run NaN, as infinities of
/// both signs do.
public struct HadamardRotation: Sendable, Hashable {
  /// n: a power of two from 2 to 65,536.
  public let size: Int

  /// - Returns: nil for any other size.
  public init?(size: Int) {
    guard (2...(1 << 16)).contains(size), size & (size - 1) == 0 else { return nil }
    self.size = size
  }

  /// Rotates whole runs in place.
  func rotate(_ values: UnsafeMutableBufferPointer<Float>) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: size) { run in
      for start in stride(from: 0, to: values.count - size + 1, by: size) {
        for index in 0..<size {
          run.initializeElement(at: index, to: Double(values[start + index]))
        }
        transform(run)
        for index in 0..<size { values[start + index] = Float(run[index]) }
      }
    }
  }

  /// Rotates whole runs in place without rounding to float32: what undoes a rotation.
  func rotate(_ values: UnsafeMutableBufferPointer<Double>) {
    for start in stride(from: 0, to: values.count - size + 1, by: size) {
      transform(UnsafeMutableBufferPointer(rebasing: values[start..<(start + size)]))
    }
  }

  /// One run.
  private func transform(_ run: UnsafeMutableBufferPointer<Double>) {
    var half = 1
    while half < size {
      for start in stride(from: 0, to: size, by: 2 * half) {
        for index in start..<(start + half) {
          let (a, b) = (run[index], run[index + half])
          run[index] = a + b
          run[index + half] = a - b
        }
      }
      half *= 2
    }
    let factor = 1 / Double(size).squareRoot()
    for index in 0..<size { run[index] *= factor }
  }
}

extension LineMatrix {
  /// A copy with every line rotated; the depth is a multiple of the rotation's size.
  func rotated(by rotation: HadamardRotation, parallel: Parallel) -> LineMatrix {
    let copy = gathering(Array(0..<lines))
    parallel.forEach(lines) { line in
      rotation.rotate(copy.values[(line * depth)..<((line + 1) * depth)])
    }
    return copy
  }
}

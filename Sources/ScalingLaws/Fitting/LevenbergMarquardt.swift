import CMinpack

/// The Levenberg-Marquardt method of MINPACK (`lmder`, Moré 1978) with an analytic Jacobian.
///
/// The solver is the system's cminpack (libcminpack-dev): the C edition of MINPACK that has been in
/// use for decades, under MINPACK's own permissive licence. GSL's solver would bind the whole
/// program to the GPL, and a solver of our own would have to earn the trust that this one has.
enum LevenbergMarquardt {
  struct Solution {
    var point: [Double]
    /// Sum of squared residuals there.
    var cost: Double
    /// Whether a convergence test was met, rather than the limit of evaluations or a dead end.
    var hasConverged: Bool
  }

  /// Residuals, or their Jacobian by column, at a point; false where they are not finite.
  typealias Evaluate = (
    _ point: UnsafeBufferPointer<Double>, _ residuals: UnsafeMutableBufferPointer<Double>?,
    _ jacobian: UnsafeMutableBufferPointer<Double>?
  ) -> Bool

  /// Minimises the sum of squares of `count` residuals, at least as many as the point has numbers.
  ///
  /// A trial point without finite residuals is refused as a step that is too long.
  ///
  /// - Returns: nil where the start itself has none.
  static func minimize(
    count: Int, start: [Double], tolerance: Double, limit: Int, evaluate: @escaping Evaluate
  ) -> Solution? {
    let size = start.count
    guard size > 0, count >= size else { return nil }
    let context = Context(evaluate)
    var point = start
    var residuals = [Double](repeating: 0, count: count)
    var jacobian = [Double](repeating: 0, count: count * size)
    // Scales, Qᵀr and three vectors of scratch.
    var work = [Double](repeating: 0, count: 5 * size)
    var last = [Double](repeating: 0, count: count)
    var pivots = [Int32](repeating: 0, count: size)
    var calls: Int32 = 0
    var derivatives: Int32 = 0
    let status = withExtendedLifetime(context) {
      work.withUnsafeMutableBufferPointer { buffer in
        let part = (0..<5).map { buffer.baseAddress?.advanced(by: $0 * size) }
        return lmder(
          callback, Unmanaged.passUnretained(context).toOpaque(), Int32(count), Int32(size),
          &point, &residuals, &jacobian, Int32(count), tolerance, tolerance, 0, Int32(limit),
          part[0], 1, 10, 0, &calls, &derivatives, &pivots, part[1], part[2], part[3], part[4],
          &last)
      }
    }
    guard !context.hasFailed, point.allSatisfy(\.isFinite) else { return nil }
    let cost = residuals.reduce(0) { $0 + $1 * $1 }
    guard cost < Context.refused else { return nil }
    return Solution(point: point, cost: cost, hasConverged: (1...4).contains(status) || status >= 6)
  }

  private final class Context {
    /// Far above any residual, far below overflow of its square.
    static let refused = 1e100
    let evaluate: Evaluate
    var hasFailed = false

    init(_ evaluate: @escaping Evaluate) { self.evaluate = evaluate }

    func run(
      _ point: UnsafeBufferPointer<Double>, _ residuals: UnsafeMutableBufferPointer<Double>?,
      _ jacobian: UnsafeMutableBufferPointer<Double>?
    ) -> Int32 {
      if evaluate(point, residuals, jacobian) { return 0 }
      guard let residuals else {
        hasFailed = true
        return -1
      }
      residuals.update(repeating: Context.refused)
      return 0
    }
  }

  private static let callback: cminpack_funcder_mn = {
    context, count, size, point, residuals, jacobian, width, task in
    guard let context else { return -1 }
    let object = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
    let place = UnsafeBufferPointer(start: point, count: Int(size))
    if task == 1 {
      return object.run(place, UnsafeMutableBufferPointer(start: residuals, count: Int(count)), nil)
    }
    let all = UnsafeMutableBufferPointer(start: jacobian, count: Int(width) * Int(size))
    return object.run(place, nil, all)
  }
}

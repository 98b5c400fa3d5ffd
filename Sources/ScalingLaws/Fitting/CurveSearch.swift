import NumberFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The search for a curve's best parameters, in one space under one loss.
struct CurveSearch {
  var curve: Curve
  var space: ResidualSpace
  var loss: FitLoss

  /// A place the solver came to.
  struct Minimum {
    var values: [Double]
    /// The summed loss.
    var cost: Double
    var hasConverged: Bool
  }

  private var coordinates: [Coordinate] { curve.parameters.map(Coordinate.init) }

  /// Observed minus fitted in this space, and the fitted number's derivatives; nil where the curve
  /// is not finite, or not positive and so without a logarithm.
  func residual(_ values: [Double], _ row: Int) -> (residual: Double, gradient: [Double])? {
    let (fitted, gradient) = curve.evaluate(values, row)
    switch space {
    case .linear:
      guard fitted.isFinite, gradient.allSatisfy(\.isFinite) else { return nil }
      return (curve.observed[row] - fitted, gradient)
    case .log:
      let slopes = gradient.map { $0 / fitted }
      guard fitted > 0, fitted.isFinite, slopes.allSatisfy(\.isFinite) else { return nil }
      return (log(curve.observed[row]) - log(fitted), slopes)
    }
  }

  /// The solver's run from one start; nil where the curve is not finite there.
  func solve(from start: [Double], tolerance: Double = 1e-14, limit: Int = 4000) -> Minimum? {
    let coordinates = coordinates
    let rows = curve.observed.count
    let solution = LevenbergMarquardt.minimize(
      count: rows, start: zip(coordinates, start).map { $0.place($1) }, tolerance: tolerance,
      limit: limit
    ) { point, residuals, jacobian in
      let moved = zip(coordinates, point).map { $0.parameter($1) }
      let values = moved.map(\.value)
      guard values.allSatisfy(\.isFinite) else { return false }
      for row in 0..<rows {
        guard let (residual, gradient) = residual(values, row) else { return false }
        let (root, slope) = loss.root(residual)
        residuals?[row] = root
        guard let jacobian else { continue }
        for index in moved.indices {
          jacobian[index * rows + row] = -slope * gradient[index] * moved[index].slope
        }
      }
      return true
    }
    guard let solution else { return nil }
    let values = zip(coordinates, solution.point).map { $0.parameter($1).value }
    return Minimum(values: values, cost: solution.cost, hasConverged: solution.hasConverged)
  }

  /// The best of many starts, how many had a finite curve, and how many came to the same loss.
  ///
  /// Each start gets a short run; the best of them is then followed to the last digit, since a valley
  /// of many parameters may take thousands of steps. The first start is the middle of every range;
  /// the others are drawn by Philox with `seed` as key and (start, parameter) as counter, so that a
  /// start does not depend on how many there are.
  func best(of starts: Int, seed: UInt64) -> (minimum: Minimum, tried: Int, agreeing: Int)? {
    let random = FitRandom(seed: seed)
    var minima: [Minimum] = []
    for index in 0..<max(starts, 1) {
      let start = curve.parameters.enumerated().map { place, parameter in
        let counter = UInt64(index) << 16 | UInt64(place)
        return parameter.start(at: index == 0 ? 0.5 : random.share(counter))
      }
      if let found = solve(from: start, tolerance: 1e-9, limit: 150) { minima.append(found) }
    }
    guard let lowest = minima.map(\.cost).min() else { return nil }
    // The first of those that agree, whichever won in the last digit.
    let same = minima.filter { $0.cost <= lowest * (1 + 1e-6) + 1e-300 }
    guard let first = same.first else { return nil }
    let polished = solve(from: first.values)
    return (polished.map { $0.cost <= first.cost ? $0 : first } ?? first, minima.count, same.count)
  }
}

/// Random numbers of starts and of resampling: Philox4x32-10, the same on every machine.
struct FitRandom {
  var seed: UInt64

  /// A number in [0, 1) with 32 random bits.
  func share(_ counter: UInt64) -> Double {
    Double(philox4x32Word0(seed: seed, index: counter)) / 4_294_967_296
  }

  /// A whole number from 0 up to `bound`, which is at least 1.
  func below(_ bound: Int, _ counter: UInt64) -> Int {
    Int((UInt64(philox4x32Word0(seed: seed, index: counter)) * UInt64(bound)) >> 32)
  }
}

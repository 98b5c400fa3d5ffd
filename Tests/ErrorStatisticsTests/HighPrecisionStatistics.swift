import ErrorStatistics

/// Every statistic of a report, from its definition, element by element in 700-bit arithmetic. Gaps
/// are found by looking the neighbours up in the list of the element's values.
struct HighPrecisionStatistics {
  var error = Real(0)
  var absoluteError = Real(0)
  var errorSquared = Real(0)
  var xSquared = Real(0)
  var ySquared = Real(0)
  var xy = Real(0)
  var relative = Real(0)
  var underflow = Real(0)
  var clampedPart = Real(0)
  var saturatedPart = Real(0)
  var flushedPart = Real(0)
  var maxAbsolute = Real(0)
  var maxRelative = Real(0)
  var maxULP = Real(0)
  var count = 0
  var finite = 0
  var nonzero = 0
  var saturated = 0
  var flushed = 0
  var nan = 0

  init(_ data: SampleData, _ element: SampleElement) {
    let gaps = GapFinder(element)
    let limits = data.limits
    count = data.x.count
    for i in data.x.indices {
      add(data.x[i], data.values[i], data.divisors[i], element, gaps, limits)
    }
  }

  private mutating func add(
    _ xf: Float, _ vf: Float, _ df: Double, _ element: SampleElement, _ gaps: GapFinder,
    _ limits: ScaleLimits
  ) {
    let product = Double(vf) * df
    if product.isNaN { nan += 1 }
    if vf == 0 && xf != 0 && !xf.isNaN && df.isFinite { flushed += 1 }
    if xf.isInfinite && df.isFinite { saturated += 1 }
    guard xf.isFinite && product.isFinite else {
      // 0 is a finite y only under a finite divisor, so |x| > maxE·|d| can still hold elsewhere.
      if xf.isFinite, df.isFinite, abs(Double(xf)) > element.spacing.largest * abs(df) {
        saturated += 1
      }
      return
    }
    let (x, v, d) = (Real(Double(xf)), Real(Double(vf)), Real(df))
    let y = v * d
    let e = y - x
    let absolute = e.magnitude
    finite += 1
    error = error + e
    absoluteError = absoluteError + absolute
    errorSquared = errorSquared + e * e
    xSquared = xSquared + x * x
    ySquared = ySquared + y * y
    xy = xy + x * y
    maxAbsolute = .larger(maxAbsolute, absolute)
    let beyond = Real(element.spacing.largest) * d.magnitude < x.magnitude
    if beyond { saturated += 1 }
    if abs(df) < limits.normal {
      underflow = underflow + e * e
    } else if beyond, abs(df) >= limits.largest {
      clampedPart = clampedPart + e * e
    } else if beyond {
      saturatedPart = saturatedPart + e * e
    } else if vf == 0, xf != 0 {
      flushedPart = flushedPart + e * e
    }
    if xf != 0 {
      let ratio = absolute / x.magnitude
      nonzero += 1
      relative = relative + ratio
      maxRelative = .larger(maxRelative, ratio)
    }
    if df != 0 {
      let q = x / d
      maxULP = .larger(maxULP, (q - v).magnitude / gaps.gap(around: q))
    }
  }
}

/// Looks up the gap between the two values that bracket a number.
struct GapFinder {
  private let values: [Real]
  private let symmetric: Bool

  init(_ element: SampleElement) {
    symmetric = element.symmetric
    values = element.values.filter { !element.symmetric || $0 >= 0 }.map { Real($0) }
  }

  func gap(around q: Real) -> Real {
    let sought = symmetric ? q.magnitude : q
    var low = 0
    var high = values.count - 2
    while low < high {
      let middle = (low + high + 1) / 2
      if values[middle] <= sought { low = middle } else { high = middle - 1 }
    }
    return values[low + 1] - values[low]
  }
}

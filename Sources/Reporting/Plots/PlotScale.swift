#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where numbers of one axis lie, and which of them are written.
struct PlotScale {
  struct Tick {
    var value: Double
    /// nil for a minor line.
    var label: String?
  }

  var isLog: Bool
  /// The numbers at `from` and `to`.
  var low: Double
  var high: Double
  private var from: Double
  private var to: Double
  private var wanted: [Double]?
  private var names: [String]?

  /// - Parameters:
  ///   - values: what must have a place.
  ///   - padding: share of the span left free at either end.
  init(_ axis: PlotAxis, values: [Double], from: Double, to: Double, padding: Double = 0.04) {
    isLog = axis.scale == .log
    (self.from, self.to, wanted, names) = (from, to, axis.ticks, axis.names)
    if let names = axis.names, !names.isEmpty {
      (low, high) = (0, Double(names.count))
    } else if let range = axis.range, axis.holds(range.lowerBound), axis.holds(range.upperBound) {
      (low, high) = (range.lowerBound, range.upperBound)
    } else {
      let held = values.filter(axis.holds)
      (low, high) = (held.min() ?? 1, held.max() ?? 1)
      pad(padding)
    }
    // A span too small for its numbers to be told apart.
    let least = isLog ? 1e-9 * low : max(1e-9 * max(abs(low), abs(high)), 1e-280)
    if !(high - low > least) { widen() }
  }

  private mutating func pad(_ share: Double) {
    if isLog {
      let factor = pow(high / low, share)
      (low, high) = (low / factor, high * factor)
    } else {
      let margin = (high - low) * share
      (low, high) = (low - margin, high + margin)
    }
  }

  /// A single number stands in the middle.
  private mutating func widen() {
    if isLog {
      (low, high) = (low / 2, high * 2)
    } else {
      let half = abs(low) < 1e-280 ? 1 : abs(low) / 2
      (low, high) = (low - half, high + half)
    }
  }

  func place(_ value: Double) -> Double {
    let share = isLog ? log(value / low) / log(high / low) : (value - low) / (high - low)
    return from + share * (to - from)
  }

  /// The number at a share of the way from one positive number to another, evenly in the logarithm.
  static func between(_ low: Double, _ high: Double, _ share: Double) -> Double {
    low * pow(high / low, share)
  }

  /// About `count` numbered ticks, and minor ones where an axis of decades has room for them.
  func ticks(_ count: Int) -> [Tick] {
    let slack = 1e-9
    func isInside(_ value: Double) -> Bool {
      isLog
        ? value >= low * (1 - slack) && value <= high * (1 + slack)
        : value >= low - slack * (high - low) && value <= high + slack * (high - low)
    }
    if let names {
      return names.enumerated().map { Tick(value: Double($0) + 0.5, label: $1) }
    }
    if let wanted {
      return wanted.filter { (!isLog || $0 > 0) && isInside($0) }.map {
        Tick(value: $0, label: PlotNumber.text($0))
      }
    }
    let all = isLog && high / low > 5 ? decadeTicks(count) : linearTicks(count)
    return all.filter { isInside($0.value) }
  }

  private func linearTicks(_ count: Int) -> [Tick] {
    let rough = (high - low) / Double(max(count, 2))
    let power = pow(10, floor(log10(rough)))
    let step = power * ([1, 2, 5].first { $0 * power >= rough * 0.999 } ?? 10)
    let decimals = max(0, Int(-floor(log10(step) + 1e-9)))
    let first = Int((low / step).rounded(.up))
    return (0...(2 * count + 2)).map { offset in
      let value = Double(first + offset) * step
      return Tick(value: value, label: PlotNumber.text(value, decimals: decimals))
    }
  }

  private func decadeTicks(_ count: Int) -> [Tick] {
    let first = Int(floor(log10(low)))
    let last = Int(ceil(log10(high)))
    let decades = log10(high / low)
    let numbered: [Double] = decades < 1.5 ? [1, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1]
    let stride = max(1, Int((decades / Double(count)).rounded(.up)))
    return (first...last).flatMap { exponent -> [Tick] in
      let power = pow(10, Double(exponent))
      let isNumbered = (exponent - first) % stride == 0
      return (decades <= 6 ? Array(1...9) : [1]).map { digit in
        let value = Double(digit) * power
        let isLabelled = isNumbered && numbered.contains(Double(digit))
        return Tick(value: value, label: isLabelled ? PlotNumber.text(value) : nil)
      }
    }
  }
}

/// Numbers as plots write them.
enum PlotNumber {
  /// With fixed decimals, or as few digits as tell it.
  static func text(_ value: Double, decimals: Int? = nil) -> String {
    let size = abs(value)
    if size < 1e-300 { return "0" }
    if size >= 1e-3, size < 1e6 {
      let style = decimals.map { NumberStyle.fixed($0) } ?? .compact(4)
      return minus(style.text(value))
    }
    let parts = NumberStyle.scientific(4).text(value).split(separator: "e")
    var mantissa = String(parts[0])
    if mantissa.contains(".") {
      while mantissa.hasSuffix("0") { mantissa.removeLast() }
      if mantissa.hasSuffix(".") { mantissa.removeLast() }
    }
    let power = "10" + (parts.count > 1 ? superscript(String(parts[1])) : "")
    if mantissa == "1" || mantissa == "-1" { return minus(mantissa.dropLast() + power) }
    return minus("\(mantissa)·\(power)")
  }

  private static func minus(_ text: String) -> String {
    text.hasPrefix("-") ? "−" + text.dropFirst() : text
  }

  private static func superscript(_ digits: String) -> String {
    let raised: [Character: Character] = [
      "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷",
      "8": "⁸", "9": "⁹",
    ]
    return String(digits.compactMap { raised[$0] })
  }
}

/// How a number looks in a table that people read. CSV and JSON always hold every digit.
public enum NumberStyle: Sendable, Equatable {
  /// As few digits as read back the same.
  case shortest
  /// This many digits after the point.
  case fixed(Int)
  /// This many significant digits, in scientific notation where that is shorter.
  case significant(Int)
  /// This many significant digits, always in scientific notation.
  case scientific(Int)
  /// At most this many significant digits, without zeros at their end.
  case compact(Int)
}

extension NumberStyle {
  /// The number in this style; `inf`, `-inf` and `nan` for those.
  public func text(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    switch self {
    case .shortest: return Self.trimmed("\(value)")
    case .fixed(let digits): return Self.fixed(value, digits: digits)
    case .significant(let digits): return Self.significant(value, digits: digits)
    case .scientific(let digits):
      return Self.significant(value, digits: digits, isScientific: true)
    case .compact(let digits): return Self.compact(value, digits: digits)
    }
  }

  /// A count with thin groups of three digits: `22,639,616`.
  public static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  private static func trimmed(_ text: String) -> String {
    text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Decimal digits by integer arithmetic on a scaled double: enough for the few digits of a table.
  private static func fixed(_ value: Double, digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 9e15 else { return significant(value, digits: 6) }
    let whole = Int(scaled)
    var fraction = String(whole % Int(scale))
    fraction = String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
    let sign = value < 0 && whole > 0 ? "-" : ""
    return sign + String(whole / Int(scale)) + (digits > 0 ? "." + fraction : "")
  }

  private static func significant(
    _ value: Double, digits: Int, isScientific: Bool = false
  ) -> String {
    guard value != 0 else { return "0" }
    let (mantissa, exponent) = scientific(value.magnitude, digits: digits)
    let sign = value < 0 ? "-" : ""
    if !isScientific && exponent >= -3 && exponent < max(digits, 6) {
      return sign + placed(mantissa, exponent: exponent)
    }
    let fraction = mantissa.dropFirst()
    let point = fraction.isEmpty ? "" : "."
    return sign + mantissa.prefix(1) + point + fraction + "e" + String(exponent)
  }

  private static func compact(_ value: Double, digits: Int) -> String {
    let parts = significant(value, digits: digits).split(separator: "e")
    var mantissa = String(parts[0])
    if mantissa.contains(".") {
      while mantissa.last == "0" { mantissa.removeLast() }
      if mantissa.last == "." { mantissa.removeLast() }
    }
    return parts.count > 1 ? "\(mantissa)e\(parts[1])" : mantissa
  }

  /// `digits` decimal digits of a positive number and the exponent of the first.
  private static func scientific(_ value: Double, digits: Int) -> (String, Int) {
    // Shortest digits first, then one decimal rounding of those: no power of ten is computed.
    let parts = "\(value)".split(separator: "e")
    let plain = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = plain.count > 1 ? plain[1] : ""
    let all = (String(plain[0]) + fraction).compactMap(\.wholeNumberValue)
    let leading = all.firstIndex { $0 != 0 } ?? 0
    var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + plain[0].count - 1 - leading
    var kept = Array(all[leading...].prefix(digits))
    let rest = all[leading...].dropFirst(digits)
    kept += Array(repeating: 0, count: digits - kept.count)
    if let next = rest.first, next >= 5 {
      var place = digits - 1
      while place >= 0, kept[place] == 9 {
        kept[place] = 0
        place -= 1
      }
      if place >= 0 {
        kept[place] += 1
      } else {
        kept[0] = 1
        exponent += 1
      }
    }
    return (kept.map(String.init).joined(), exponent)
  }

  private static func placed(_ digits: String, exponent: Int) -> String {
    if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + digits }
    guard exponent + 1 < digits.count else {
      return digits + String(repeating: "0", count: exponent + 1 - digits.count)
    }
    return digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
  }
}

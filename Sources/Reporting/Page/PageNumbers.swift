import ScalingLaws

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Signal over quantisation noise of an NMSE above 0, in dB.
func decibels(_ nmse: Double) -> Double { -10 * log10(nmse) }

/// Numbers as pages write them.
enum PageNumber {
  /// `7 billion`, `350 million`.
  static func parameters(_ n: Double) -> String {
    if n >= 1e12 { return "\(compact(n / 1e12)) trillion" }
    if n >= 1e9 { return "\(compact(n / 1e9)) billion" }
    if n >= 1e6 { return "\(compact(n / 1e6)) million" }
    return compact(n)
  }

  static func compact(_ value: Double) -> String { minus(NumberStyle.compact(3).text(value)) }
  static func fixed(_ value: Double, _ digits: Int) -> String {
    minus(NumberStyle.fixed(digits).text(value))
  }
  static func error(_ value: Double) -> String {
    minus(NumberStyle.scientific(3).text(value))
  }
  static func percent(_ share: Double) -> String {
    if share == 0 { return "0 %" }
    return share < 1e-3 ? "< 0.1 %" : "\(minus(NumberStyle.fixed(1).text(100 * share))) %"
  }
  /// `+0.42`, `−0.1`.
  static func signed(_ value: Double, _ digits: Int) -> String {
    let text = fixed(value, digits)
    return value > 0 ? "+\(text)" : text
  }
  /// A number of elements, without digits that mean nothing.
  static func elements(_ size: Double) -> String {
    let whole = size.rounded()
    if whole >= 1, (size - whole).magnitude < 1e-6 * whole { return "\(Int(min(whole, 1e15)))" }
    return compact(size)
  }

  /// `37`, whole elements, as a block of more would be over the budget; `≥ 512` where the largest
  /// measured is within it; `none`.
  static func block(_ block: LargestBlock) -> String {
    func whole(_ size: Double) -> String { "\(Int(min(size + 1e-6, 1e15).rounded(.down)))" }
    switch block {
    case .allMeasured(let size): return "≥ \(whole(size))"
    case .at(let size): return whole(size)
    case .none: return "none"
    }
  }

  /// `a, b and c`.
  static func list(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }

  static func minus(_ text: String) -> String { text.replacing("-", with: "−") }

  static func plural(_ count: Int, _ word: String) -> String {
    "\(NumberStyle.grouped(count)) \(word)\(count == 1 ? "" : "s")"
  }
}

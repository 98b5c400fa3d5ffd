/// Builds the text of an SVG element by element.
struct SVGWriter {
  private(set) var text = ""

  /// An attribute and its value.
  typealias Attribute = (name: String, value: String)

  mutating func raw(_ line: String) { text += line + "\n" }

  mutating func open(_ name: String, _ attributes: Attribute...) {
    text += "<\(name)\(Self.joined(attributes))>\n"
  }

  mutating func close(_ name: String) { text += "</\(name)>\n" }

  /// An element without children but a hover text.
  mutating func element(_ name: String, _ attributes: [Attribute], title: String? = nil) {
    text += "<\(name)\(Self.joined(attributes))"
    if let title {
      text += "><title>\(Self.escaped(title))</title></\(name)>\n"
    } else {
      text += "/>\n"
    }
  }

  mutating func words(_ words: String, x: Double, y: Double, _ style: String) {
    text +=
      "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" class=\"\(style)\">"
      + "\(Self.escaped(words))</text>\n"
  }

  /// Words that end at a point, rising towards it.
  mutating func slantedWords(_ words: String, x: Double, y: Double) {
    let place = "\(Self.number(x)) \(Self.number(y))"
    text +=
      "<text transform=\"translate(\(place)) rotate(-45)\" class=\"end\">"
      + "\(Self.escaped(words))</text>\n"
  }

  mutating func segment(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    element(
      "line",
      [
        ("x1", Self.number(x1)), ("y1", Self.number(y1)), ("x2", Self.number(x2)),
        ("y2", Self.number(y2)), ("class", style),
      ])
  }

  private static func joined(_ attributes: [Attribute]) -> String {
    attributes.map { " \($0.name)=\"\(escaped($0.value))\"" }.joined()
  }

  /// A coordinate to a hundredth of a pixel.
  static func number(_ value: Double) -> String {
    let text = "\((min(max(value, -1e6), 1e6) * 100).rounded() / 100)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Text that can stand in an element or an attribute; control characters have no place in XML.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "\n"
      case let control where control.value < 0x20 || control.value == 0x7F: result += "\u{FFFD}"
      case let other where other.value == 0xFFFE || other.value == 0xFFFF: result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// About how wide a text of the sans-serif kind is: good enough to leave room for it.
  static func width(_ text: String, size: Double) -> Double {
    text.reduce(0) { sum, character in
      switch character {
      case "i", "j", "l", ".", ",", ":", ";", "|", "'", " ", "(", ")": sum + 0.32
      case "m", "w", "M", "W", "%", "<", ">", "=", "+", "…": sum + 0.88
      case let letter where letter.isUppercase: sum + 0.68
      default: sum + 0.56
      }
    } * size
  }
}

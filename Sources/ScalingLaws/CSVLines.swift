/// The lines of CSV text that hold fields, with their numbers counted from 1.
struct CSVLines: Sequence {
  private let lines: [Substring]

  /// Why a line is not CSV.
  struct Malformed: Error { var problem: String }

  /// A byte order mark at the start is passed over.
  init(_ text: String) {
    let start =
      text.unicodeScalars.first == "\u{FEFF}"
      ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
    lines = Substring(start).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
  }

  func makeIterator() -> some IteratorProtocol<(Int, Substring)> {
    lines.enumerated().lazy.map { ($0.offset + 1, $0.element) }
      .filter { !$0.1.allSatisfy(\.isWhitespace) && $0.1.first != "#" }.makeIterator()
  }

  /// The fields of one line, without spaces around them; `""` inside quotes is a quote.
  static func fields(of line: Substring) throws(Malformed) -> [String] {
    var fields: [String] = []
    var rest = line
    while true {
      rest = rest.drop(while: \.isWhitespace)
      var field = ""
      if rest.first == "\"" {
        rest = rest.dropFirst()
        while true {
          guard let end = rest.firstIndex(of: "\"") else {
            throw Malformed(problem: "a quote is not closed on its line")
          }
          field += rest[..<end]
          rest = rest[rest.index(after: end)...]
          guard rest.first == "\"" else { break }
          field.append("\"")
          rest = rest.dropFirst()
        }
        rest = rest.drop(while: \.isWhitespace)
        guard rest.isEmpty || rest.first == "," else {
          throw Malformed(problem: "text follows a closing quote")
        }
      } else {
        let end = rest.firstIndex(of: ",") ?? rest.endIndex
        field = String(rest[..<end])
        while field.last?.isWhitespace == true { field.removeLast() }
        rest = rest[end...]
      }
      fields.append(field)
      guard rest.first == "," else { return fields }
      rest = rest.dropFirst()
    }
  }
}

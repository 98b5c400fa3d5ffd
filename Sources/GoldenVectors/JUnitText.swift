import TensorIO

extension VectorCheck {
  /// JUnit XML: a test case for each class of cases.
  ///
  /// - Parameter explain: the lines of a mismatch.
  public func junit(_ explain: (Mismatch) -> [String]) -> String {
    let failed = classes.filter { $0.mismatches > 0 }.count
    let suite = Self.escaped("blockscale \(manifest.operation.rawValue) \(manifest.format)")
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    text += "<testsuites tests=\"\(classes.count)\" failures=\"\(failed)\">\n"
    text += " <testsuite name=\"\(suite)\" tests=\"\(classes.count)\" failures=\"\(failed)\">\n"
    for count in classes {
      let name = "<testcase classname=\"\(suite)\" name=\"\(Self.escaped(count.name))\""
      guard count.mismatches > 0 else {
        text += "  \(name)/>\n"
        continue
      }
      let lines = first.filter { $0.className == count.name }.flatMap(explain)
      text += "  \(name)>\n   <failure message=\"\(count.mismatches) of \(count.compared) differ\">"
      text += Self.escaped(lines.joined(separator: "\n")) + "</failure>\n  </testcase>\n"
    }
    return text + " </testsuite>\n</testsuites>\n"
  }

  /// Writes a text under a name in one step.
  public static func write(_ text: String, to path: String) throws(TensorIOError) {
    let output = try AtomicOutput(path: path)
    let bytes = Array(text.utf8)
    let outcome = bytes.withUnsafeBytes { buffer in
      Result { () throws(TensorIOError) in try output.write(buffer, at: 0) }
    }
    try outcome.get()
    try output.finish()
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}

/// Short names of files for tables: as many last parts of their paths as tell them apart.
struct FileLabels {
  private var labels: [String: String] = [:]

  /// No labels for a single file, whose name says nothing.
  init(_ paths: [String]) {
    let files = Set(paths)
    guard files.count > 1 else { return }
    let parts = files.map { (file: $0, parts: $0.split(separator: "/")) }
    let longest = parts.map(\.parts.count).max() ?? 1
    for length in 1...max(1, longest) {
      labels = Dictionary(
        uniqueKeysWithValues: parts.map {
          ($0.file, $0.parts.suffix(length).joined(separator: "/"))
        })
      if Set(labels.values).count == files.count { return }
    }
    // Paths such as a//b and a/b differ in no part.
    labels = Dictionary(uniqueKeysWithValues: files.map { ($0, $0) })
  }

  var isEmpty: Bool { labels.isEmpty }

  /// A tensor's name, behind its file's where there are several.
  func name(_ tensor: String, in file: String) -> String {
    labels[file].map { "\($0): \(tensor)" } ?? tensor
  }
}

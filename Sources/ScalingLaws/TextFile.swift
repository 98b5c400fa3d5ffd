import FormatCatalog
import FoundationEssentials

/// Reading a whole file.
enum TextFile {
  static func read(_ path: String) throws(LawError) -> Data {
    do {
      return try Data(contentsOf: URL(filePath: path))
    } catch {
      throw .unreadable(file: path, reason: FormatCatalog.readingFailure(error))
    }
  }
}

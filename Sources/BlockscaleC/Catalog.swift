import CBlockscale
import FormatCatalog
import NumberFormats

/// Why a handle cannot be opened: a code of blockscale.h and what happened.
struct OpenError: Error {
  var code: Int32
  var text: String

  static func unknown(_ kind: String, _ name: String) -> OpenError {
    OpenError(code: BS_UNKNOWN_NAME, text: "no \(kind) is called \"\(name)\"")
  }
  static func undefined(_ text: String) -> OpenError { OpenError(code: BS_NOT_DEFINED, text: text) }
  static func argument(_ text: String) -> OpenError { OpenError(code: BS_BAD_ARGUMENT, text: text) }
}

/// A C string's text; nil for NULL and for an empty one.
func text(_ pointer: UnsafePointer<CChar>?) -> String? {
  guard let pointer, pointer.pointee != 0 else { return nil }
  return String(cString: pointer)
}

/// The compiled-in tables, read once.
private let standardTables = Result { () throws(CatalogError) in try FormatCatalog.standard() }

/// The tables with the rows of a user's file, where there is one.
func catalog(file: UnsafePointer<CChar>?) throws(OpenError) -> FormatCatalog {
  do throws(CatalogError) {
    let tables = try standardTables.get()
    guard let path = text(file) else { return tables }
    return try tables.adding(file: path)
  } catch {
    throw OpenError(code: BS_BAD_FILE, text: "\(error)")
  }
}

/// Runs what opens a handle and tells its failure to the calling thread.
func opening(_ body: () throws(OpenError) -> Void) -> Int32 {
  do throws(OpenError) {
    try body()
    return BS_OK
  } catch {
    return bs_fail(error.code, error.text)
  }
}

/// A copy of numbers that a handle keeps, freed by C; nil for none.
func kept<Number>(_ numbers: [Number]) throws(OpenError) -> UnsafeMutablePointer<Number>? {
  guard !numbers.isEmpty else { return nil }
  guard let memory = bs_take(numbers.count * MemoryLayout<Number>.stride) else {
    throw OpenError(code: BS_NO_MEMORY, text: "not enough memory for a handle")
  }
  let copy = memory.bindMemory(to: Number.self, capacity: numbers.count)
  copy.initialize(from: numbers, count: numbers.count)
  return copy
}

/// Copies a name into a C array of fixed length, cut where it is too long.
func store<Name>(_ name: String, in field: inout Name) {
  withUnsafeMutableBytes(of: &field) { bytes in
    for (place, byte) in zip(bytes.indices.dropLast(), name.utf8) { bytes[place] = byte }
  }
}

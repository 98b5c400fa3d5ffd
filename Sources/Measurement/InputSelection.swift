import FoundationEssentials
import TensorIO

/// The tensors that a command's input arguments name, and those left out.
public struct InputSelection: Sendable {
  public var tensors: [InputTensor] = []
  public var skipped: [SkippedItem] = []
  /// Elements of all tensors.
  public var elementCount: Int { tensors.reduce(0) { $0 + $1.info.count } }

  /// Opens `FILE` and `FILE:PATTERN` arguments. A path that exists is a file, whatever colons it
  /// has.
  ///
  /// Without a pattern floating tensors of rank 2 or more are taken; an .npy file names its only
  /// tensor, of whatever rank. A pattern takes every tensor it matches.
  /// - Throws: `TensorIOError`; `noSuchInput` for a pattern that matches nothing, `badData` where
  ///   nothing is left to take.
  /// - Parameter takesAnyType: Takes tensors of codes and of any rank too.
  public init(_ arguments: [String], takesAnyType: Bool = false) throws(TensorIOError) {
    for argument in arguments {
      let (path, pattern) = Self.split(argument)
      let file = try TensorFile.open(path)
      if takesAnyType {
        let matches = file.tensors.filter { info in
          pattern.map { info.name == $0 || matchesGlob(info.name, $0) } ?? true
        }
        guard !matches.isEmpty else {
          throw .noSuchInput(
            TensorIOError.Fault(
              file: file.path, problem: "no tensor matches \"\(pattern ?? "*")\"",
              expected: "one of its \(file.tensors.count) tensors"))
        }
        tensors += matches.map { InputTensor(file: file, info: $0) }
      } else if let pattern {
        try take(pattern, from: file)
      } else {
        takeMatrices(from: file)
      }
    }
    guard tensors.isEmpty else { return }
    let names = skipped.prefix(3).map { "\($0.name): \($0.reason)" }.joined(separator: "; ")
    throw .badData(
      TensorIOError.Fault(
        file: arguments.joined(separator: " "),
        problem: "no tensor to take" + (names.isEmpty ? "" : ": \(names)"),
        expected: "floating tensors of rank 2 or more, or FILE:PATTERN"))
  }

  /// The file and the pattern of an argument.
  static func split(_ argument: String) -> (path: String, pattern: String?) {
    if FileManager.default.fileExists(atPath: argument) { return (argument, nil) }
    let colons = argument.indices.filter { argument[$0] == ":" }
    for colon in colons {
      let path = String(argument[..<colon])
      if FileManager.default.fileExists(atPath: path) {
        return (path, String(argument[argument.index(after: colon)...]))
      }
    }
    guard let last = colons.last else { return (argument, nil) }
    return (String(argument[..<last]), String(argument[argument.index(after: last)...]))
  }

  /// The pattern of a `FILE:PATTERN` argument; nil of a file alone.
  public static func pattern(of argument: String) -> String? { split(argument).pattern }

  private mutating func take(_ pattern: String, from file: TensorFile) throws(TensorIOError) {
    let matches = file.tensors.filter { $0.name == pattern || matchesGlob($0.name, pattern) }
    guard !matches.isEmpty else {
      throw .noSuchInput(
        TensorIOError.Fault(
          file: file.path, problem: "no tensor matches \"\(pattern)\"",
          expected: "one of its \(file.tensors.count) tensors"))
    }
    for info in matches {
      if info.dtype.float32Reading == .unavailable {
        skip(info, file, "\(info.dtype.rawValue) elements are not read as numbers")
      } else {
        tensors.append(InputTensor(file: file, info: info))
      }
    }
  }

  private mutating func takeMatrices(from file: TensorFile) {
    for info in file.tensors {
      if !info.dtype.isFloating {
        skip(info, file, "\(info.dtype.rawValue) is no floating type")
      } else if info.dtype.float32Reading == .unavailable {
        skip(info, file, "\(info.dtype.rawValue) elements are not read as numbers")
      } else if info.shape.count < 2, file.container != .npy {
        skip(info, file, "rank \(info.shape.count)")
      } else {
        tensors.append(InputTensor(file: file, info: info))
      }
    }
    for entry in file.skipped {
      skipped.append(SkippedItem(file: file.path, name: entry.name, reason: entry.reason))
    }
  }

  private mutating func skip(_ info: TensorInfo, _ file: TensorFile, _ reason: String) {
    skipped.append(SkippedItem(file: file.filePath(of: info), name: info.name, reason: reason))
  }
}

/// Whether a name matches a pattern of plain characters, `*` (any run) and `?` (any one character).
func matchesGlob(_ name: String, _ pattern: String) -> Bool {
  let name = Array(name)
  let pattern = Array(pattern)
  var n = 0
  var p = 0
  var afterStar: (name: Int, pattern: Int)?
  while n < name.count {
    if p < pattern.count, pattern[p] == "*" {
      p += 1
      afterStar = (n, p)
    } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
      n += 1
      p += 1
    } else if let star = afterStar {
      // The star takes one more character.
      afterStar = (star.name + 1, star.pattern)
      n = star.name + 1
      p = star.pattern
    } else {
      return false
    }
  }
  return pattern[p...].allSatisfy { $0 == "*" }
}

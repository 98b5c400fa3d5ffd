import ArgumentParser
import FoundationEssentials
import Reporting
import Sweep
import TensorIO

/// How a sweep ended, for the script that started it: one exit code stands for several ends.
enum SweepStatus {
  /// An earlier status would speak of this run. Whatever else lies there is not ours to replace.
  static func removeEarlier(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    let start = try? Data(contentsOf: URL(filePath: path), options: .mappedIfSafe).prefix(9)
    guard start == Data("{\"status\"".utf8) else {
      throw UsageError(
        "--status \(path): something else lies there (expected a free name, or an earlier status)")
    }
    try FileManager.default.removeItem(atPath: path)
  }

  /// - Parameters:
  ///   - outcome: nil where nothing, or not all, was measured.
  ///   - error: what ended it early.
  static func write(
    _ outcome: SweepRun.Outcome?, _ error: (any Error)?, to path: String
  ) throws {
    let fields = [
      JSONField("status", .string(word(outcome, error))),
      JSONField("items", JSONValue(outcome?.items)),
      JSONField("measured", JSONValue(outcome?.measured)),
      JSONField("kept", JSONValue(outcome?.kept)),
      JSONField("failed", JSONValue(outcome?.failed.count)),
      JSONField("message", JSONValue(error.map { "\($0)" })),
    ]
    try TextOutput.write(JSONValue.object(fields).compact + "\n", to: path)
  }

  private static func word(_ outcome: SweepRun.Outcome?, _ error: (any Error)?) -> String {
    switch error as? SweepError {
    case .tensorChanged: return "tensor_changed"
    case .changedMeanwhile: return "changed_meanwhile"
    default: break
    }
    guard error == nil, let outcome else { return "error" }
    return outcome.failed.isEmpty ? "complete" : "incomplete"
  }
}

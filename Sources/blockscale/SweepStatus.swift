import ArgumentParser
import Reporting
import Sweep
import TensorIO

/// How a sweep ended, for the script that started it: one exit code stands for several ends.
enum SweepStatus {
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

import ArgumentParser
import FormatCatalog
import GoldenVectors
import HardwareCost
import Measurement
import NumberFormats
import Reporting
import ScalingLaws
import Sweep
import TensorIO

/// A request that makes no sense, found after parsing.
struct UsageError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// The one place that maps an error to what the user sees: a line on standard error, an exit code.
struct Failure {
  private let error: any Error

  init(_ error: any Error) { self.error = error }

  func exit() -> Never {
    switch error {
    case let error as TensorIOError: stop("\(error)", error.exitCode)
    case let error as MeasurementError: stop("\(error)", error.exitCode)
    case let error as SweepError: stop("\(error)", error.exitCode)
    case let error as VectorsError: stop("\(error)", error.exitCode)
    case let error as LawError: stop("\(error)", error.exitCode)
    case let error as CatalogError: stop("\(error)", Self.exitCode(error))
    case let error as AssignmentError: stop("\(error)", error.exitCode)
    case let error as HardwareCostError: stop("\(error)", Self.exitCode(error))
    case let error as UsageError: stop(error.description, 64)
    case let error as OutputError: stop(error.isClosedPipe ? nil : error.description, 74)
    default: Blockscale.exit(withError: error)
    }
  }

  private func stop(_ message: String?, _ code: Int32) -> Never {
    if let message { StandardStreams.writeMessage("blockscale: \(message)\n") }
    Blockscale.exit(withError: ExitCode(code))
  }

  private static func exitCode(_ error: CatalogError) -> Int32 {
    if case .unreadable = error { return 66 }
    return 65
  }
  private static func exitCode(_ error: HardwareCostError) -> Int32 {
    switch error {
    case .unreadable: 66
    case .malformed, .badRow: 65
    case .narrowAccumulator: 64
    }
  }
}

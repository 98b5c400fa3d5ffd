/// Why a file could not be read or written: one case for each exit code of the command.
public enum TensorIOError: Error, Sendable, Hashable {
  /// The input does not exist, cannot be opened, or is not a regular file (exit code 66).
  case noSuchInput(Fault)
  /// The input is malformed, truncated, or holds what cannot be read (exit code 65).
  case badData(Fault)
  /// The output, or a temporary file, cannot be written (exit code 74).
  case cannotWrite(Fault)
  /// What was asked for makes no sense for these tensors (exit code 64).
  case usage(Fault)

  /// Where it went wrong, and what was expected there.
  public struct Fault: Sendable, Hashable {
    /// The path as the caller gave it.
    public var file: String
    /// The tensor concerned.
    public var tensor: String?
    /// A byte offset from the start of the file (of the uncompressed entry in an .npz).
    public var position: Int?
    public var problem: String
    public var expected: String?

    public init(
      file: String, tensor: String? = nil, position: Int? = nil, problem: String,
      expected: String? = nil
    ) {
      self.file = file
      self.tensor = tensor
      self.position = position
      self.problem = problem
      self.expected = expected
    }
  }

  public var fault: Fault {
    switch self {
    case .noSuchInput(let fault), .badData(let fault), .cannotWrite(let fault), .usage(let fault):
      fault
    }
  }

  /// The exit code of `sysexits.h`: 66, 65, 74 or 64.
  public var exitCode: Int32 {
    switch self {
    case .noSuchInput: 66
    case .badData: 65
    case .cannotWrite: 74
    case .usage: 64
    }
  }
}

extension TensorIOError: CustomStringConvertible {
  /// One line: `model.safetensors: tensor "w": byte 17: problem (expected ...)`.
  public var description: String {
    let fault = fault
    var text = fault.file
    if let tensor = fault.tensor { text += ": tensor \"\(tensor)\"" }
    if let position = fault.position { text += ": byte \(position)" }
    text += ": \(fault.problem)"
    if let expected = fault.expected { text += " (expected \(expected))" }
    return text
  }
}

extension TensorIOError {
  static func badData(
    _ file: String, tensor: String? = nil, position: Int? = nil, _ problem: String,
    expected: String? = nil
  ) -> TensorIOError {
    .badData(
      Fault(file: file, tensor: tensor, position: position, problem: problem, expected: expected))
  }

  static func noSuchInput(_ file: String, _ problem: String, expected: String? = nil)
    -> TensorIOError
  {
    .noSuchInput(Fault(file: file, problem: problem, expected: expected))
  }

  static func cannotWrite(
    _ file: String, tensor: String? = nil, _ problem: String, expected: String? = nil
  ) -> TensorIOError {
    .cannotWrite(Fault(file: file, tensor: tensor, problem: problem, expected: expected))
  }

  static func usage(
    _ file: String, tensor: String? = nil, _ problem: String, expected: String? = nil
  ) -> TensorIOError {
    .usage(Fault(file: file, tensor: tensor, problem: problem, expected: expected))
  }
}

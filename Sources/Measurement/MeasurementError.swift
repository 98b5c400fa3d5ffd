import NumberFormats

/// Why an experiment cannot be run, beyond files that cannot be read or written.
public enum MeasurementError: Error, Sendable, Hashable {
  /// The request makes no sense (exit code 64).
  case usage(String)
  /// A tensor cannot be cut into the blocks asked for (64).
  case grid(file: String, tensor: String, BlockGridError)
  /// A tensor cannot be rotated as asked (64).
  case rotation(file: String, tensor: String, String)
  /// A tensor cannot be quantised as asked (64, or 65 where its data are the reason).
  case quantize(file: String, tensor: String, QuantizeError)
  /// Two operands, named with their files, cannot be multiplied (64, or 65 where their data are the
  /// reason).
  case matmul(a: String, b: String, MatmulError)
  /// Random numbers were given, and not as many as the tensor has elements (65).
  case randomBitsCount(file: String, tensor: String, given: Int, expected: Int)
  /// Two files do not fit each other, or a stored tensor is not what it says (65).
  case badData(file: String, tensor: String?, String)

  /// The exit code of `sysexits.h`.
  public var exitCode: Int32 {
    switch self {
    case .usage, .grid, .rotation: 64
    case .badData, .randomBitsCount: 65
    case .quantize(_, _, let error): error.isAboutData ? 65 : 64
    case .matmul(_, _, let error): error.isAboutData ? 65 : 64
    }
  }
}

extension MeasurementError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .usage(let text): text
    case .grid(let file, let tensor, let error):
      "\(file): tensor \"\(tensor)\": \(error.explanation)"
    case .randomBitsCount(let file, let tensor, let given, let expected):
      "\(file): tensor \"\(tensor)\": \(given) random numbers (expected \(expected), one an element)"
    case .quantize(let file, let tensor, let error): "\(file): tensor \"\(tensor)\": \(error)"
    case .matmul(let a, let b, let error):
      switch error.side {
      case .a: "\(a): \(error)"
      case .b: "\(b): \(error)"
      case nil: "\(a) and \(b): \(error)"
      }
    case .badData(let file, nil, let text): "\(file): \(text)"
    case .rotation(let file, let tensor, let text),
      .badData(let file, let tensor?, let text):
      "\(file): tensor \"\(tensor)\": \(text)"
    }
  }
}

extension QuantizeError {
  /// Whether the tensor's or the random numbers' contents are the reason, rather than the request.
  public var isAboutData: Bool {
    switch self {
    case .nonFinite, .unknownStep, .badRandomBits: true
    case .badTensorScale, .recipeNotForFormat, .needsTensorScale, .blockNotForRecipe,
      .roundingNotForRecipe:
      false
    }
  }
}

extension MatmulError {
  /// Whether the operands' contents or shapes are the reason, rather than the request.
  public var isAboutData: Bool {
    switch self {
    case .depths, .shape, .scaleShape, .addendShape, .notFinite: true
    case .block, .element, .scale, .tensorScale, .noOutput, .memory: false
    }
  }

  /// The operand at fault; nil where it is both, or C.
  var side: MatmulSide? {
    switch self {
    case .depths, .addendShape, .noOutput, .memory: nil
    case .shape(let side, _), .scaleShape(let side, _), .block(let side, _),
      .element(let side, _, _), .scale(let side, _, _), .tensorScale(let side, _),
      .notFinite(let side, _, _, _):
      side
    }
  }
}

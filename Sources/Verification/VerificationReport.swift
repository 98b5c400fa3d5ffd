import Measurement
import NumberFormats

/// One result on which an engine and the reference disagree.
public struct Mismatch: Sendable, Hashable {
  /// Row-major index, code or input pattern, as the check counts.
  public var position: Int
  /// The pattern that went in, and its width in bits.
  public var input: UInt32
  public var inputBits: Int
  /// The patterns that came out, and their width in bits.
  public var expected: UInt32
  public var observed: UInt32
  public var resultBits: Int
  /// What the patterns are: a code, a scale, a value, an error.
  public var what: String

  public init(
    position: Int, input: UInt32, inputBits: Int, expected: UInt32, observed: UInt32,
    resultBits: Int, what: String
  ) {
    self.position = position
    self.input = input
    self.inputBits = inputBits
    self.expected = expected
    self.observed = observed
    self.resultBits = resultBits
    self.what = what
  }
}

extension Mismatch: CustomStringConvertible {
  /// `code at 17: input 0x3fa00000 (0b001...), expected 0x2 (0b0010), observed 0x3 (0b0011)`.
  public var description: String {
    "\(what) at \(position): input \(Self.text(input, inputBits)),"
      + " expected \(Self.text(expected, resultBits)), observed \(Self.text(observed, resultBits))"
  }

  private static func text(_ pattern: UInt32, _ bits: Int) -> String {
    "\(hexadecimalCode(pattern, bits: bits)) (0b\(binaryDigits(pattern, width: bits)))"
  }
}

/// The outcome of one check on one instruction set.
public struct VerificationReport: Sendable, Hashable {
  /// How many mismatches are kept.
  public static let keptMismatches = 20

  /// What was compared: `encode e4m3 tiesToEven`.
  public var check: String
  /// The engine's name.
  public var target: String
  /// Results compared.
  public var compared: Int
  public var mismatchCount: Int
  /// The first of them.
  public var mismatches: [Mismatch]

  public init(check: String, target: String) {
    self.check = check
    self.target = target
    compared = 0
    mismatchCount = 0
    mismatches = []
  }

  public mutating func add(_ mismatch: Mismatch) {
    mismatchCount += 1
    if mismatches.count < Self.keptMismatches { mismatches.append(mismatch) }
  }

  /// Adds the outcome of a later part of the same check.
  public mutating func merge(_ other: VerificationReport) {
    compared += other.compared
    mismatchCount += other.mismatchCount
    mismatches += other.mismatches.prefix(Self.keptMismatches - mismatches.count)
  }
}

extension Sequence<VerificationReport> {
  /// One report per check and target, in the order of their first appearance.
  public func merged() -> [VerificationReport] {
    var order: [String] = []
    var byName: [String: VerificationReport] = [:]
    for report in self {
      let name = "\(report.check)\n\(report.target)"
      if byName[name] == nil { order.append(name) }
      byName[name, default: VerificationReport(check: report.check, target: report.target)]
        .merge(report)
    }
    return order.compactMap { byName[$0] }
  }
}

/// float32 patterns with every NaN the same: NaN's payload is not defined.
func canonicalBits(_ value: Float) -> UInt32 { value.isNaN ? 0x7FC0_0000 : value.bitPattern }

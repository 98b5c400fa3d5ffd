import Measurement
import NumberFormats

/// Every float32 number there is through one encoder: engines against the reference.
public struct Float32Sweep: Sendable {
  public var comparison: NumberComparison
  public var parallel: Parallel
  /// Inputs encoded at once: their codes stay in the second-level cache.
  private static let step = 1 << 15
  /// Inputs of one piece of work, for which one set of buffers is made.
  private static let piece = 1 << 21

  public init(comparison: NumberComparison, parallel: Parallel) {
    self.comparison = comparison
    self.parallel = parallel
  }

  /// The patterns in a format without a NaN to encode to are all but the NaNs; the check of what is
  /// refused is made elsewhere. A mismatch's position is its input pattern.
  ///
  /// - Parameters:
  ///   - patterns: Which of the 2^32, cut into pieces from the lower end.
  ///   - progress: Called with the inputs done since the last call, from any thread.
  public func run(
    _ row: NumberFormatRow, patterns: Range<UInt64> = 0..<(1 << 32),
    progress: @Sendable (Int) -> Void = { _ in }
  ) -> [VerificationReport] {
    let pieces = (patterns.count + Self.piece - 1) / Self.piece
    return parallel.map(pieces) { index -> [VerificationReport] in
      let first = patterns.lowerBound + UInt64(index * Self.piece)
      let last = min(first + UInt64(Self.piece), patterns.upperBound)
      return compare(row, first..<last, progress: progress)
    }.flatMap { $0 }.merged()
  }

  /// One piece: codes are compared as stored, and only where they differ one by one.
  private func compare(
    _ row: NumberFormatRow, _ patterns: Range<UInt64>, progress: @Sendable (Int) -> Void
  ) -> [VerificationReport] {
    let names = comparison.encode([], to: row)
    var counted = 0
    var mismatching: [VerificationReport] = []
    var values = [Float](repeating: 0, count: Self.step)
    var expected = [UInt32](repeating: 0, count: Self.step)
    var observed = expected
    for first in stride(from: patterns.lowerBound, to: patterns.upperBound, by: Self.step) {
      let end = min(first + UInt64(Self.step), patterns.upperBound)
      let count = fill(&values, with: first..<end, takesNaN: row.takesNaN)
      let areEqual = values.withUnsafeBufferPointer { values in
        let some = UnsafeBufferPointer(rebasing: values[..<count])
        return agree(row, on: some, expected: &expected, observed: &observed)
      }
      if areEqual {
        counted += count
      } else {
        mismatching += comparison.encode(Array(values[..<count]), to: row)
      }
      progress(Int(end - first))
    }
    return names.map { report in
      var report = report
      report.compared = counted
      return report
    } + mismatching.map(positionsAsPatterns)
  }

  /// Whether every engine gives the reference's codes, none of them refusing a number.
  private func agree(
    _ row: NumberFormatRow, on values: UnsafeBufferPointer<Float>, expected: inout [UInt32],
    observed: inout [UInt32]
  ) -> Bool {
    guard encode(row, values, comparison.reference, &expected) else { return false }
    let bytes = values.count * row.unpackedBytes
    return comparison.engines.allSatisfy { engine in
      guard encode(row, values, engine, &observed) else { return false }
      return expected.withUnsafeBytes { expected in
        observed.withUnsafeBytes { observed in
          // Without an early end the loop is vectorised.
          var different: UInt8 = 0
          for index in 0..<bytes { different |= expected[index] ^ observed[index] }
          return different == 0
        }
      }
    }
  }

  /// Codes as the engine stores them, at the start of `output`; false where it refuses a number.
  private func encode(
    _ row: NumberFormatRow, _ values: UnsafeBufferPointer<Float>,
    _ engine: any QuantizationEngine, _ output: inout [UInt32]
  ) -> Bool {
    output.withUnsafeMutableBufferPointer { output in
      switch row {
      case .scale(let format):
        engine.encodeScales(
          values, format: format,
          into: UnsafeMutableBufferPointer(rebasing: output[..<values.count]))
        return true
      case .element(let format):
        let codes = UnsafeMutableRawBufferPointer(output)
        do throws(QuantizeError) {
          try engine.encode(values, element: format, options: EncodeOptions(), into: codes)
          return true
        } catch {
          return false
        }
      }
    }
  }

  /// The numbers of some patterns, without NaNs where they have no code; returns how many.
  private func fill(_ values: inout [Float], with patterns: Range<UInt64>, takesNaN: Bool) -> Int {
    values.withUnsafeMutableBufferPointer { values in
      var count = 0
      for pattern in patterns {
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: pattern))
        guard takesNaN || !value.isNaN else { continue }
        values[count] = value
        count += 1
      }
      return count
    }
  }

  private func positionsAsPatterns(_ report: VerificationReport) -> VerificationReport {
    var report = report
    for index in report.mismatches.indices {
      report.mismatches[index].position = Int(report.mismatches[index].input)
    }
    return report
  }
}

extension NumberFormatRow {
  /// Whether a NaN has a code to become.
  var takesNaN: Bool {
    switch self {
    case .element(let format): format.canonicalNaN != nil
    case .scale: true
    }
  }

  /// Bytes of one code as engines store it.
  fileprivate var unpackedBytes: Int {
    switch self {
    case .element(let format): format.codeBytes
    case .scale: 4
    }
  }
}

import FastPath
import NumberFormats
import Reference

/// The matmul engine for a target.
///
/// - Throws: `MeasurementError.usage` where the machine lacks the instruction set.
public func makeMatmulEngine(target: EngineTarget) throws(MeasurementError) -> any MatmulEngine {
  guard let vector = target.vector else { return MPFREngine() }
  do throws(UnavailableTarget) {
    return try VectorEngine(target: vector)
  } catch {
    throw .usage("--target \(target.rawValue): \(error)")
  }
}

extension MatmulProblem {
  /// - Throws: `usage` where D has no such output.
  public func checkOutput(row: Int, column: Int) throws(MeasurementError) {
    guard (0..<rows).contains(row), (0..<columns).contains(column) else {
      throw .usage("--trace: no output at row \(row), column \(column): D is \(rows) x \(columns)")
    }
  }
}

/// Every step of one output's sum, as the reference computes it.
///
/// - Parameter files: what A and B are called in errors.
public func traced(
  _ problem: MatmulProblem, row: Int, column: Int, files: (a: String, b: String)
) throws(MeasurementError) -> MatmulTrace {
  do throws(MatmulError) {
    return try MPFREngine().trace(problem, row: row, column: column)
  } catch {
    throw .matmul(a: files.a, b: files.b, error)
  }
}

/// D's patterns, rows shared out among threads.
///
/// - Parameter files: what A and B are called in errors.
public func multiply(
  _ problem: MatmulProblem, by engine: any MatmulEngine, parallel: Parallel,
  files: (a: String, b: String)
) throws(MeasurementError) -> [Int64] {
  let height = max(1, min(256, (problem.rows + parallel.threads - 1) / parallel.threads))
  let starts = Array(stride(from: 0, to: problem.rows, by: height))
  let parts = try parallel.map(starts.count) { (index) throws(MeasurementError) -> [Int64] in
    let range = starts[index]..<min(starts[index] + height, problem.rows)
    var part = problem
    part.a = problem.a.lines(range)
    let n = problem.columns
    part.c = problem.c.map { Array($0[(range.lowerBound * n)..<(range.upperBound * n)]) }
    do throws(MatmulError) {
      return try engine.multiply(part)
    } catch {
      throw .matmul(a: files.a, b: files.b, error.moved(by: range.lowerBound))
    }
  }
  return parts.flatMap { $0 }
}

extension MatmulError {
  /// The same with A's lines counted from further up.
  func moved(by lines: Int) -> MatmulError {
    guard case .notFinite(.a, let line, let k, let accumulator) = self else { return self }
    return .notFinite(.a, line: line + lines, k: k, accumulator: accumulator)
  }
}

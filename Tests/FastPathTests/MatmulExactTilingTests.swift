import FastPath
import NumberFormats
import Reference
import Testing

/// Products of several tiles, some of whose outputs the reference computes as well.
@Suite("Exact matrix products of many tiles")
struct MatmulExactTilingTests {
  /// What the lines of an operand look like.
  enum Lines: String, CaseIterable, CustomTestStringConvertible {
    case normal, outlierLines, outlierValues, wide, specials
    var testDescription: String { rawValue }

    func operand(lines: Int, depth: Int, seed: UInt64) -> MatmulOperand {
      var random = SplitMix(seed)
      var values = [Float](repeating: 0, count: lines * depth)
      for index in values.indices {
        let line = index / depth
        var value = random.normal()
        switch self {
        case .normal: break
        case .outlierLines:
          if line % 41 == 3 {
            value *= Float(sign: .plus, exponent: index % 250 - 125, significand: 1)
          }
        case .outlierValues: if index % 977 == 5 { value *= 0x1p90 }
        case .wide: value *= Float(sign: .plus, exponent: index % 250 - 125, significand: 1)
        case .specials:
          if line % 50 == 1, index % 601 == 0 { value = index % 2 == 0 ? .infinity : .nan }
          if line % 50 == 2, index % 601 == 0 { value = -.infinity }
        }
        values[index] = value
      }
      return .floats(values, lines: lines)
    }
  }

  @Test("Sampled outputs equal the reference", arguments: Lines.allCases)
  func sampled(kind: Lines) throws {
    let accumulator = try MatmulExactTests.exact()
    let (rows, columns, depth) = kind == .wide ? (300, 150, 2050) : (530, 580, 2200)
    let a = kind.operand(lines: rows, depth: depth, seed: 11)
    let b = Lines.normal.operand(lines: columns, depth: depth, seed: 12)
    for (a, b, what) in [(a, b, "A"), (b, a, "B")] {
      let problem = MatmulProblem(a: a, b: b, accumulator: accumulator)
      let all = try VectorEngine().multiply(problem)
      for row in [0, 1, 2, 3, 51, 52, 85, 149] {
        for column in [0, 3, 44, 51, 102, 148] {
          let one = MatmulProblem(
            a: a.lines(row..<(row + 1)), b: b.lines(column..<(column + 1)),
            accumulator: accumulator)
          let expected = try MPFREngine().multiply(one)[0]
          let observed = all[row * problem.columns + column]
          #expect(
            observed == expected,
            """
            \(kind) in \(what) at [\(row), \(column)]: observed \(pattern(observed)), \
            expected \(pattern(expected))
            """)
        }
      }
    }
  }

  @Test("The same bits whatever the lines beside, from many threads at a time")
  func concurrent() async throws {
    let accumulator = try MatmulExactTests.exact()
    let element = try #require(catalog.element("e5m2"))
    var random = SplitMix(3)
    let a = try MatmulOperand.random(element, lines: 96, depth: 700, raw: false, &random)
    let b = try MatmulOperand.random(element, lines: 40, depth: 700, raw: false, &random)
    let whole = try VectorEngine().multiply(
      MatmulProblem(a: a, b: b, accumulator: accumulator))
    try await withThrowingTaskGroup(of: (Int, [Int64]).self) { group in
      for part in 0..<24 {
        group.addTask {
          let lines = a.lines((part * 4)..<(part * 4 + 4))
          return (
            part,
            try VectorEngine().multiply(
              MatmulProblem(a: lines, b: b, accumulator: accumulator))
          )
        }
      }
      for try await (part, result) in group {
        #expect(result == Array(whole[(part * 160)..<(part * 160 + 160)]), "part \(part)")
      }
    }
    try expectExact(
      MatmulProblem(a: a.lines(0..<3), b: b.lines(0..<3), accumulator: accumulator), "e5m2")
  }
}

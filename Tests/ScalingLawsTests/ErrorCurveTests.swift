import ScalingLaws
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A curve at block sizes 8, 16, ... with these errors.
func errorCurve(_ errors: [Double], format: String = "test") throws -> ErrorCurve {
  let points = errors.enumerated().map { index, error in
    let size = 8 << index
    return ErrorCurve.Point(
      block: "\(size)", blockSize: Double(size), error: error,
      bitsPerElement: 4 + 8 / Double(size))
  }
  return try ErrorCurve(format: format, points: points.reversed(), file: "test")
}

/// K·(Q_b + d)^γ at block sizes 8, 16, ... 512.
func lawCurve(_ factor: Double, _ offset: Double, _ exponent: Double) throws -> ErrorCurve {
  try errorCurve((0..<7).map { factor * pow(Double(8 << $0) + offset, exponent) })
}

private func close(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
  abs(a - b) <= tolerance * max(abs(a), abs(b))
}

@Suite("Error curves")
struct ErrorCurveTests {
  @Test("Rising, falling and U-shaped curves are told apart, with the places where they fall")
  func trends() throws {
    let rising = try errorCurve([1, 2, 2, 3])
    #expect(rising.trend == .rises && rising.falls.isEmpty)
    #expect(rising.points.map(\.blockSize) == [8, 16, 32, 64], "points are sorted")
    #expect(try errorCurve([3, 2, 1]).trend == .falls)
    let underflow = try errorCurve([5, 3, 2, 4, 6])
    #expect(underflow.trend == .neither)
    #expect(underflow.falls.map(\.from.block) == ["8", "16"])
    #expect(underflow.falls.map(\.to.block) == ["16", "32"])
  }

  @Test("The equivalent block size inverts the curve")
  func equivalent() throws {
    let curve = try lawCurve(2e-3, 0, 0.4)
    for size in [8, 11.5, 16, 100, 512] {
      let error = 2e-3 * pow(size, 0.4)
      guard case .at(let found) = curve.blockSizes(erring: error) else {
        Issue.record("\(size): \(curve.blockSizes(erring: error))")
        continue
      }
      #expect(found.count == 1 && close(found[0], size), "\(size): \(found)")
      #expect(close(try #require(curve.error(at: found[0])), error), "\(size)")
    }
    #expect(curve.blockSizes(erring: 1) == .below)
    #expect(curve.blockSizes(erring: 1e-9) == .above)
    #expect(curve.error(at: 7.9) == nil && curve.error(at: 513) == nil)
  }

  @Test("The bits of a block between those measured are those of a block of that size")
  func bits() throws {
    let curve = try errorCurve([1, 2, 3, 4, 5, 6, 7])
    for size in [8, 9, 28, 31.5, 32, 282, 511, 512] {
      let found = try #require(curve.bitsPerElement(at: size))
      #expect(close(found, 4 + 8 / size, 1e-14), "\(size): \(found)")
    }
    #expect(curve.bitsPerElement(at: 7.9) == nil && curve.bitsPerElement(at: 513) == nil)
  }

  @Test("A curve that falls and rises meets an error twice, and the largest block is the last")
  func crossings() throws {
    let curve = try errorCurve([8, 4, 2, 4, 8])
    #expect(curve.blockSizes(erring: 4) == .at([16, 64]))
    guard case .at(let sizes) = curve.blockSizes(erring: 3) else {
      Issue.record("no crossing")
      return
    }
    #expect(sizes.count == 2 && sizes[0] > 16 && sizes[0] < 32 && sizes[1] > 32 && sizes[1] < 64)
    #expect(curve.largestBlock(within: 3) == .at(sizes[1]))
    #expect(curve.largestBlock(within: 8) == .allMeasured(128))
    #expect(curve.largestBlock(within: 2) == .at(32))
    #expect(curve.largestBlock(within: 1.9) == .none)
    let zero = try errorCurve([0, 0, 1])
    #expect(zero.largestBlock(within: 0.5).blockSize ?? 0 > 16)
    #expect(zero.largestBlock(within: 0) == .at(16))
  }

  @Test("Points without sense are refused")
  func refusals() throws {
    for error in [-1, Double.nan, .infinity] {
      #expect(throws: LawError.self) { try errorCurve([1, error]) }
    }
    #expect(throws: LawError.self) { try errorCurve([]) }
  }

  @Test("The law's shape is found again, and a plan goes by it where the curve rises")
  func law() throws {
    let curve = try lawCurve(3e-4, 20, 0.6)
    let law = try BlockSizeLaw(curve)
    #expect(close(law.exponent.value, 0.6, 1e-5), "\(law.exponent)")
    #expect(close(law.offset.value, 20, 1e-4), "\(law.offset)")
    #expect(law.rSquared.map { $0 > 0.999999 } == true)
    let planned = PlannedError(curve, law: law)
    #expect(planned.name == "law")
    let limit = 3e-4 * pow(100 + 20, 0.6)
    #expect(close(planned.largestBlock(within: limit).blockSize ?? 0, 100, 1e-4))
    #expect(planned.largestBlock(within: 1) == .allMeasured(512))
    #expect(planned.largestBlock(within: 1e-9) == .none)
    #expect(planned.error(at: 7) == nil && planned.error(at: 600) == nil, "no extrapolation")
  }

  @Test("Where the curve falls, or the law misses it, the measured points are used")
  func measured() throws {
    for errors in [[8, 4, 2, 4, 8.0], [5, 4, 3, 2, 1.5], [1, 1.01, 1.02, 5, 5.1]] {
      let curve = try errorCurve(errors)
      let planned = PlannedError(curve, law: try? BlockSizeLaw(curve))
      #expect(planned.name == "measured", "\(errors)")
      #expect(planned.error(at: 32) == errors[2])
      #expect(planned.largestBlock(within: 1e9) == .allMeasured(128))
    }
    let steep = try errorCurve((0..<7).map { pow(Double(8 << $0), 6) })
    let pinned = try BlockSizeLaw(steep)
    #expect(pinned.exponent.isAtBound, "\(pinned.exponent)")
    #expect(PlannedError(steep, law: pinned, tolerance: 100).name == "measured")
    let few = try errorCurve([1, 2, 3])
    #expect(throws: FitError.self) { try BlockSizeLaw(few) }
    #expect(PlannedError(few, law: nil).name == "measured")
  }
}

import FormatCatalog
import NumberFormats
import Reference
import Testing

@Suite("Integer and fixed-point registers")
struct MatmulRegisterTests {
  @Test("int32 sums wrap or clamp once, after c and the exact sum")
  func integerLimits() throws {
    let (a, b) = (try operand([127, 127, -127], "int8"), try operand([127, 127, 127], "int8"))
    let high = Int64(Int32.max) - 15
    let sum = high + 127 * 127
    #expect(try dot(a, b, accumulator("int8-wrap"), c: high) == sum - 1 << 32)
    #expect(try dot(a, b, accumulator("int8-saturate"), c: high) == Int64(Int32.max))
    let negative = try operand([-127, -127, 127], "int8")
    #expect(try dot(negative, b, accumulator("int8-wrap"), c: -high) == 1 << 32 - sum)
    #expect(try dot(negative, b, accumulator("int8-saturate"), c: -high) == Int64(Int32.min))
    #expect(try dot(a, b, accumulator("int8-saturate"), c: 5) == 5 + 127 * 127)
  }

  @Test("a step applies the overflow rule after its terms, and a narrow register extends its sign")
  func steps() throws {
    let (a, b) = (try operand([127, 1, -127], "int8"), try operand([127, 1, 127], "int8"))
    var unit = try accumulator("int8-saturate")
    for (step, expected) in [(1, 32767 - 16129), (2, 32767 - 16129), (3, 20001), (50, 20001)] {
      unit.datapath = .integer(IntegerRegister(width: 16, overflow: .saturate, step: step))
      #expect(try dot(a, b, unit, c: 20000) == Int64(expected), "step \(step)")
    }
    unit.datapath = .integer(IntegerRegister(width: 16, overflow: .wrap))
    #expect(try dot(operand([127], "int8"), operand([127], "int8"), unit, c: 20000) == -29407)
  }

  @Test("scaled integer sums are the register times the units of the codes, rounded once")
  func scaledIntegers() throws {
    let (a, b): ([Float], [Float]) = ([1.984375, -0.5, 0.015625], [1.5, 0.25, 0.015625])
    let exact = zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    let scale: Float = 0.3
    let sum = try dot(
      operand(a, "mxint8", block: 3, scale: "fp32", scales: [scale]), operand(b, "mxint8"),
      accumulator("int8-wrap"), c: Int64(Float(1).bitPattern))
    expectValue(UInt32(sum), 1 + Float(exact * Double(scale)), "mxint8")
    // Without scales the codes are integers.
    #expect(
      try dot(operand(a, "mxint8"), operand(b, "mxint8"), accumulator("int8-wrap"))
        == Int64(exact * 4096))
    let tensor = try dot(
      operand(a, "mxint8", tensorScale: scale), operand(b, "mxint8"), accumulator("int8-wrap"))
    expectValue(UInt32(tensor), Float(exact) * scale, "tensor scale")
  }

  @Test("fixed(W, lsb) cuts each product toward zero and wraps or clamps each sum")
  func fixedLimits() throws {
    let (a, b) = (try operand([3, -3, 6, 6], "e2m1"), try operand([0.5, 0.5, 6, 6], "e2m1"))
    func sum(_ name: String, c: Int64 = 0) throws -> Int64 {
      try dot(a, b, try #require(try standard().accumulator(name)), c: c)
    }
    #expect(try sum("fixed(16,-2,wrap)") == 288)
    #expect(try sum("fixed(16,0,wrap)", c: -5) == 67, "1.5 and -1.5 are cut to 1 and -1")
    #expect(try sum("fixed(8,-2,wrap)") == 32)
    #expect(try sum("fixed(8,-2,saturate)") == 127)
    #expect(try sum("fixed(8,-2,saturate)", c: -128) == 127)
    #expect(try sum("fixed(64,-2,wrap)", c: .max) == Int64.max &+ 288)
    #expect(try sum("fixed(64,-2,saturate)", c: .max) == .max)
    #expect(try sum("fixed(64,1000,wrap)", c: 3) == 3)
  }

  @Test("fixed registers round groups of products by every rounding")
  func fixedRoundings() throws {
    let quarters: [Float] = [0.25, 0.5, 0.75, 1.25, 1.5, 1.75, 2.5, 3.5]
    for rounding in Rounding.deterministic {
      for value in quarters + quarters.map({ -$0 }) {
        let expected =
          switch rounding {
          case .tiesToEven, .stochastic: value.rounded(.toNearestOrEven)
          case .tiesToAway: value.rounded(.toNearestOrAwayFromZero)
          case .tiesTowardZero:
            abs(value).truncatingRemainder(dividingBy: 1) == 0.5
              ? value.rounded(.towardZero) : value.rounded(.toNearestOrEven)
          case .towardZero: value.rounded(.towardZero)
          case .towardPositive: value.rounded(.up)
          case .towardNegative: value.rounded(.down)
          case .toOdd:
            Int(value.rounded(.towardZero)) % 2 == 0
              ? value.rounded(.awayFromZero) : value.rounded(.towardZero)
          }
        var unit = try #require(try standard().accumulator("fixed(16,0,wrap)"))
        unit.datapath = .fixed(
          FixedPointRegister(width: 16, lsb: 0, overflow: .wrap, terms: 2, rounding: rounding))
        // 8 and value - 8 meet before they are cut.
        let sum = try dot(operand([8, value - 8], "fp16"), operand([1, 1], "fp16"), unit)
        #expect(sum == Int64(expected), "\(rounding): \(value)")
      }
    }
  }

  @Test("a NaN or infinity is an error that names the operand, its line and the first k")
  func notFinite() throws {
    let unit = try #require(try standard().accumulator("fixed(32,-8,wrap)"))
    func failure(_ a: MatmulOperand, _ b: MatmulOperand) -> MatmulError? {
      do throws(MatmulError) {
        _ = try MPFREngine().multiply(MatmulProblem(a: a, b: b, accumulator: unit))
        return nil
      } catch { return error }
    }
    let good = try operand([1, 1, 1, 1, 1, 1], "e5m2", lines: 2)
    let bad = try operand([1, 1, 1, 1, .infinity, .nan], "e5m2", lines: 2)
    #expect(failure(good, good) == nil)
    #expect(failure(bad, bad) == .notFinite(.a, line: 1, k: 1, accumulator: unit.name))
    #expect(failure(good, bad) == .notFinite(.b, line: 1, k: 1, accumulator: unit.name))
    let scaled = try operand(
      [1, 1, 1, 1, 1, 1], "e5m2", lines: 2, block: 2, scales: [1, .nan, 1, 1])
    #expect(failure(good, scaled) == .notFinite(.b, line: 0, k: 2, accumulator: unit.name))
  }
}

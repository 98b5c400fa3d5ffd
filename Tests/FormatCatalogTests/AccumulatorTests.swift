import FormatCatalog
import FoundationEssentials
import NumberFormats
import Testing

@Suite("The table of accumulators")
struct AccumulatorTests {
  @Test("the presets of every generation are rows")
  func presets() throws {
    let catalog = try FormatCatalog.standard()
    let names = """
      exact fp32-sequential fp32-pairwise volta-fp16 volta-fp16-f16 turing-fp16 turing-fp16-f16 \
      ampere-tf32 ampere-bf16 ampere-fp16 ampere-fp16-f16 ada-tf32 ada-bf16 ada-fp16 ada-fp16-f16 \
      ada-fp8 ada-fp8-f16 hopper-tf32 hopper-bf16 hopper-fp16 hopper-fp16-f16-wgmma \
      hopper-fp16-f16-mma hopper-fp8 hopper-fp8-f16 hopper-fp8-promoted deepseek-fp8 \
      blackwell-tf32 blackwell-bf16 blackwell-fp16 blackwell-fp16-f16-tcgen05 \
      blackwell-fp16-f16-mma blackwell-fp8 blackwell-fp8-rne blackwell-fp8-f16-tcgen05 \
      blackwell-fp8-f16-mma blackwell-mx blackwell-fp4 cdna1-bf16 cdna1-fp16 cdna2-bf16 \
      cdna2-bf16-1k cdna2-fp16 cdna3-tf32 cdna3-bf16 cdna3-fp16 cdna3-fp8 amx-bf16 amx-fp16 \
      arm-fp8 riscv-bulknorm-bf16 riscv-bulknorm-fp16 riscv-bulknorm-fp8 mxdotp mxdotp-fp4 \
      int8-wrap int8-saturate
      """
    for name in names.split(separator: " ") {
      #expect(catalog.accumulator(String(name)) != nil, "\(name)")
    }
    for row in catalog.accumulators {
      #expect(!row.source.isEmpty && !row.checked.isEmpty, "\(row.name)")
      #expect(
        row.name.hasPrefix("volta") || row.output.format != .float16 || row.name.contains("-f16"),
        "\(row.name)")
    }
  }

  @Test("steps, fractions and zero exponents are those of the sources (A.3)")
  func parameters() throws {
    let catalog = try FormatCatalog.standard()
    let expected: [(String, terms: Int, fraction: Int, zero: Int, digits: Int)] = [
      ("volta-fp16", 4, 23, -131, 23), ("turing-fp16", 8, 24, -132, 23),
      ("ampere-tf32", 4, 24, -132, 23), ("ampere-bf16", 8, 24, -132, 23),
      ("ada-fp8", 16, 13, -132, 13), ("hopper-tf32", 8, 25, -133, 23),
      ("hopper-bf16", 16, 25, -133, 23), ("hopper-fp8", 32, 13, -133, 13),
      ("blackwell-fp16", 16, 25, -133, 23), ("blackwell-fp8", 32, 25, -133, 23),
      ("blackwell-mx", 32, 25, -133, 23), ("blackwell-fp4", 64, 35, -139, 23),
    ]
    for row in expected {
      let unit = try #require(catalog.accumulator(row.0))
      guard case .fused(let step) = unit.datapath, let alignment = step.alignment else {
        Issue.record("\(row.0): expected an aligned step")
        continue
      }
      #expect(step.terms == row.terms && alignment.fraction == row.fraction, "\(row.0)")
      #expect(alignment.zeroExponent == row.zero && alignment.rounding == .towardZero, "\(row.0)")
      #expect(unit.output.format == .float32(mantissaBits: row.digits), "\(row.0)")
      #expect(unit.output.rounding == .towardZero && unit.output.nan == 0x7FFF_FFFF, "\(row.0)")
    }
  }

  @Test("CDNA3's sum of products keeps 32 bits below the common exponent, c 24 (A.2)")
  func lateJoins() throws {
    let catalog = try FormatCatalog.standard()
    for name in ["cdna3-tf32", "cdna3-bf16", "cdna3-fp16", "cdna3-fp8"] {
      guard case .fused(let step) = try #require(catalog.accumulator(name)).datapath else {
        continue
      }
      let isFP8 = name == "cdna3-fp8"
      #expect(
        step.join
          == .late(
            .init(
              sumFraction: 32, addendFraction: 24, dropsBelow: isFP8 ? 25 : nil,
              resultFraction: 31)), "\(name)")
      #expect(step.splitsEvenOdd == isFP8 && step.infiniteProducts == !isFP8, "\(name)")
      #expect(step.alignment == .init(fraction: 24, zeroExponent: nil), "\(name)")
    }
  }

  @Test("a user's file adds an accumulator without code, and fixed(W,lsb,rule) needs no row")
  func userRow() throws {
    let text = """
      { version: 1, accumulators: [{ name: "mine", operands: ["e4m3", "e2m1"], scales: ["ue8m0"],
        fused: { terms: 8, fraction: 20, alignRounding: "tiesToEven", scaling: "products" },
        output: "e8m10", rounding: "toOdd", overflow: "largestFinite", flushSubnormals: true }] }
      """
    let catalog = try FormatCatalog.standard().adding(Data(text.utf8), file: "mine.json5")
    let unit = try #require(catalog.accumulator("MINE"))
    #expect(unit.output.format == .float32(mantissaBits: 10) && unit.output.nan == 0x7FC0_0000)
    #expect(unit.output.overflow == .largestFinite && unit.output.flushesSubnormals)
    #expect(unit.scales == ["e8m0"] && unit.appliesScales)
    let fixed = try #require(catalog.accumulator("fixed(20, -6, saturate)"))
    #expect(
      fixed.datapath == .fixed(FixedPointRegister(width: 20, lsb: -6, overflow: .saturate)))
    for text in ["fixed(1,0,wrap)", "fixed(65,0,wrap)", "fixed(20,0,clip)", "fixed(20,0)"] {
      #expect(catalog.accumulator(text) == nil, "\(text)")
    }
  }

  @Test(
    "a row that contradicts itself is refused with its reason",
    arguments: [
      ("exact: true, integer: { overflow: \"wrap\" }", "expected one of"),
      ("fused: { terms: 0 }", "terms"),
      ("fused: { terms: 8, group: 4 }", "group"),
      ("fused: { terms: 8, zero: -3 }", "fraction"),
      ("fused: { terms: 8, fraction: 65 }", "fraction"),
      ("fused: { terms: 8, fraction: 9, splitsEvenOdd: true }", "splitsEvenOdd"),
      ("fused: { terms: 8, fraction: 9, alignRounding: \"stochastic\" }", "alignRounding"),
      ("fused: { terms: 8 }, output: \"fp64\"", "output"),
      ("fused: { terms: 8 }, nan: 0x7f800000", "nan"),
      ("fused: { terms: 8, scaling: \"products\" }, promoteEvery: 4", "promoteEvery"),
      ("float32: { order: \"tree\" }", "order"),
      ("float32: { order: \"chains\" }", "chains"),
      ("float32: { order: \"chains\", chains: 5000 }", "chains"),
      ("float32: { order: \"pairwise\", step: 70000 }", "step"),
      ("float32: { order: \"pairwise\" }, rounding: \"towardZero\"", "tiesToEven"),
      ("integer: { overflow: \"wrap\" }", "integers"),
      ("fixed: { width: 65, lsb: 0, overflow: \"wrap\" }", "width"),
    ])
  func badRows(fields: String, part: String) throws {
    let text = "{ version: 1, accumulators: [{ name: \"a\", operands: \"any\", \(fields) }] }"
    do {
      _ = try FormatCatalog.standard().adding(Data(text.utf8), file: "mine.json5")
      Issue.record("accepted: \(fields)")
    } catch {
      #expect("\(error)".contains("mine.json5") && "\(error)".contains(part), "\(error)")
    }
  }
}

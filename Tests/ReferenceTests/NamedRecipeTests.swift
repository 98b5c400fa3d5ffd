import FormatCatalog
import NumberFormats
import Reference
import Testing

/// A recipe on a format; `change` edits its steps.
func namedSpec(
  _ recipe: String, _ format: String, type: ComputeType = .fp32,
  tensorScale: TensorScaleChoice = .auto, change: (inout NamedRecipe) -> Void = { _ in }
) throws -> QuantizationSpec {
  let catalog = try standard()
  var found = try #require(catalog.recipe(recipe))
  if case .named(var steps) = found.steps {
    change(&steps)
    found.steps = .named(steps)
  }
  return QuantizationSpec(
    format: try #require(catalog.block(format)), recipe: found, tensorScale: tensorScale,
    computeType: type)
}

@Suite("Named recipes: directed cases")
struct NamedRecipeTests {
  @Test("an all-zero block in a nonzero tensor tells the stacks apart")
  func zeroBlock() throws {
    let rows: [(String, UInt32)] = [
      ("te-2.15", 0), ("te-2.14-t", 0), ("te-2.14-n", 0), ("torchao-nvfp4", 0x08),
      ("mslk-nvfp4", 0x01), ("modelopt-nvfp4", 0x38), ("ct-nvfp4", 0x20), ("vllm-ref", 0),
    ]
    let values = [Float](repeating: 0, count: 16) + (1...16).map { Float($0) }
    let grid = try BlockGrid(shape: [32], block: .line(16))
    for (recipe, code) in rows {
      let observed = try quantize(values, grid, try namedSpec(recipe, "nvfp4"))
      #expect(observed.scales[0] == code, "\(recipe): \(pattern(observed.scales[0]))")
      #expect(observed.codes[..<16].allSatisfy { $0 == 0 }, "\(recipe)")
    }
  }

  @Test("a reciprocal multiply moves ties under mantissa 7, a division does not")
  func reciprocalTies() throws {
    // s = 1.875, and x/s exactly 1.25, 2.5, 5; the maximum 11.25 gives that scale.
    let values: [Float] =
      [11.25, 1.875 * 1.25, 1.875 * 2.5, 1.875 * 5] + Array(repeating: 0, count: 12)
    let times = try namedSpec("torchao-nvfp4-one-level", "nvfp4")
    let divided = try namedSpec("torchao-nvfp4-one-level", "nvfp4") { $0.multiplier = .divide }
    let byReciprocal = try quantizeBlock(values, times)
    let byDivision = try quantizeBlock(values, divided)
    #expect(byReciprocal.scales == [0x3F] && byDivision.scales == [0x3F])
    #expect(Array(byDivision.codes[1...3]) == [2, 4, 6])
    #expect(Array(byReciprocal.codes[1...3]) == [3, 5, 7])
  }

  @Test("float32 log2 just below a power of two: microxcaling's exponent is one too large")
  func logarithmTrap() throws {
    let values = [Float(0x1p20).nextDown, 1] + [Float](repeating: 0, count: 30)
    let python = try quantizeBlock(values, try namedSpec("microxcaling-py", "mxfp4"))
    let cuda = try quantizeBlock(values, try namedSpec("microxcaling-cuda", "mxfp4"))
    #expect(python.scales == [127 + 20 - 2] && cuda.scales == [127 + 19 - 2])
  }

  @Test("scale thresholds: even at 1.75, RCEIL at 1.5, CEIL at 1, subnormal ratios")
  func thresholds() throws {
    let rows: [(String, Float, UInt32)] = [
      ("torchao-even", 1.75, 126), ("torchao-even", Float(1.75).nextDown, 125),
      ("torchao-rceil", 1.5, 125), ("torchao-rceil", Float(1.5).nextDown, 125),
      ("torchao-rceil", Float(1.5).nextUp, 126), ("torchao-ceil", 1, 125),
      ("torchao-ceil", Float(1).nextUp, 126), ("torchao-floor", Float(2).nextDown, 125),
      ("te-like", 0x1.8p-125, 0), ("te-like", Float(0x1.8p-125).nextUp, 0),
      ("te-like", 0x1.81p-125, 1), ("te-like", 0x1p-149, 0),
    ]
    for (name, amax, code) in rows {
      let recipe = name == "te-like" ? "torchao-rceil" : name
      let observed = try quantizeBlock(
        [amax] + [Float](repeating: 0, count: 31), try namedSpec(recipe, "mxfp4"))
      #expect(observed.scales == [code], "\(recipe), \(pattern(amax)): \(observed.scales)")
    }
  }

  @Test("ggml's UE4M3: half up without sticky, and 256 and above is 448")
  func ggmlScale() throws {
    let rows: [(Float, UInt32)] = [
      (1, 0x38), (1.0625, 0x39), (1.0624, 0x38), (255, 0x7E), (256, 0x7E), (247.9, 0x77),
      (300, 0x7E), (0x1p-9, 1), (0x1p-10, 1), (0x1.ffep-11, 0), (0x1.ep-7, 7),
    ]
    for (scale, code) in rows {
      let observed = try quantizeBlock(
        [scale * 6] + [Float](repeating: 0, count: 15), try namedSpec("ggml-nvfp4", "nvfp4"))
      #expect(observed.scales == [code], "\(scale): \(observed.scales)")
    }
  }

  @Test(
    "TransformerEngine: NaN becomes 7, infinities saturate, an underflown scale saturates codes")
  func transformerEngine() throws {
    let spec = try namedSpec("te-2.15", "nvfp4")
    var values = [Float](repeating: 1, count: 32)
    values[0] = .nan
    values[1] = -0.0
    values[2] = -6
    for index in 16..<32 { values[index] = index == 20 ? -0x1p-20 : 0 }
    let grid = try BlockGrid(shape: [32], block: .line(16))
    let scale = try engine.tensorScale(amax: 6, spec: spec)
    #expect(scale.encode == 448 && scale.decode == Float(1) / 448)
    let observed = try quantize(values, grid, spec, tensorScale: scale)
    #expect(observed.scales == [0x7E, 0])
    #expect(Array(observed.codes[..<4]) == [7, 8, 0xF, 2])
    #expect(observed.codes[20] == 0xF && observed.codes[16] == 0)
    values[5] = .infinity
    let infinite = try quantize(values, grid, spec, tensorScale: scale)
    #expect(infinite.scales[0] == 0x7E && infinite.codes[5] == 7)
    #expect(try engine.tensorScale(amax: 0, spec: spec).encode == 1)
    #expect(
      try engine.tensorScale(amax: 0x1p-149, spec: spec).encode == .greatestFiniteMagnitude)
  }

  @Test("microxcaling: a NaN or infinity poisons its block only")
  func poison() throws {
    for bad in [Float.nan, .infinity, -.infinity] {
      let values = [bad, 1, 2, 3, 4, 5, 6, -0.0]
      let spec = try namedSpec("microxcaling-py", "mxfp8_e4m3")
      let grid = try BlockGrid(shape: [8], block: .line(4))
      let observed = try quantize(values, grid, spec)
      #expect(observed.scales == [0xFF, 127 + 2 - 8])
      #expect(Array(observed.codes[..<4]) == [0, 0, 0, 0] && observed.codes[7] == 0)
      let read = dequantize(observed.codes, observed.scales, grid, spec)
      #expect(read[..<4].allSatisfy(\.isNaN) && Array(read[4...]) == [4, 5, 6, 0])
    }
  }

  @Test("TE's FP8 blocks: zero and non-finite maxima store 1, an overflowing factor is FLT_MAX")
  func fp8Blocks() throws {
    let pow2 = try namedSpec("te-fp8-block", "fp8_1x128_pow2")
    let plain = try namedSpec("te-fp8-block-fp32", "fp8_1x128")
    let grid = try BlockGrid(shape: [1, 128], block: .tile(rows: 1, columns: 128))
    func scale(_ amax: Float, _ spec: QuantizationSpec) throws -> Float {
      let values = [amax] + [Float](repeating: 0, count: 127)
      return Float(bitPattern: try quantize(values, grid, spec).scales[0])
    }
    for spec in [pow2, plain] {
      #expect(try scale(0, spec) == 1 && scale(.infinity, spec) == 1)
    }
    #expect(try scale(448, pow2) == 1 && scale(Float(448).nextUp, pow2) == 2)
    #expect(try scale(300, plain) == 1 / (Float(448) / 300))
    // 448/2^-140 overflows; FLT_MAX without its mantissa is 2^127 and its reciprocal subnormal.
    #expect(try scale(0x1p-140, pow2).bitPattern == 0x40_0000)
  }

  @Test("a cell nobody established refuses only the block that needs it")
  func unknown() throws {
    let ocp = try namedSpec("ocp-mx", "mxfp4")
    #expect(try quantizeBlock([1, 2, 3], ocp).codes == [4, 6, 7])
    let grid = try BlockGrid(shape: [6], block: .line(3))
    let step = "the amax of a block with NaN or infinity"
    #expect(
      throws: QuantizeError.unknownStep(recipe: "ocp-mx-1.0", step: step, position: 104)
    ) { try quantize([1, 2, 3, 4, .nan, 5], grid, ocp, firstElement: 100) }
    #expect(throws: QuantizeError.self) {
      try quantizeBlock([Float](repeating: 1, count: 32), try namedSpec("ggml-cuda-mxfp4", "mxfp4"))
    }
    let quark = try namedSpec("quark-even", "mxfp4")
    let thirtyTwo = try BlockGrid(shape: [32], block: .line(32))
    #expect(throws: QuantizeError.self) {
      try quantize([Float](repeating: 0, count: 32), thirtyTwo, quark)
    }
    #expect(try quantize([Float](repeating: 1, count: 32), thirtyTwo, quark).codes[0] == 6)
  }

  @Test("scope: formats, block sizes and tensor scales that a recipe does not take")
  func scope() throws {
    let te = try namedSpec("te-2.15", "nvfp4")
    let values = [Float](repeating: 1, count: 32)
    #expect(throws: QuantizeError.blockNotForRecipe(recipe: "te-2.15", block: "8")) {
      try quantize(values, BlockGrid(shape: [32], block: .line(8)), te)
    }
    #expect(throws: QuantizeError.recipeNotForFormat(recipe: "te-2.15", format: "mxfp4")) {
      try quantize(values, BlockGrid(shape: [32], block: .line(16)), namedSpec("te-2.15", "mxfp4"))
    }
    let none = try namedSpec("te-2.15", "nvfp4", tensorScale: .none)
    #expect(throws: QuantizeError.needsTensorScale(recipe: "te-2.15")) {
      try engine.tensorScale(amax: 1, spec: none)
    }
    let tiles = try BlockGrid(shape: [32, 32], block: .tile(rows: 16, columns: 16))
    _ = try quantize([Float](repeating: 1, count: 1024), tiles, namedSpec("te-2.15", "nvfp4_16x16"))
  }

  @Test("another rounding: replaces a plain element step, selects microxcaling's own, else refused")
  func rounding() throws {
    var torchao = try namedSpec("torchao-floor", "mxfp4")
    torchao.rounding = .towardZero
    let values: [Float] = [4, 1.3, -1.3, 2.9]
    #expect(try quantizeBlock(values, torchao).codes == [6, 2, 0xA, 4])
    torchao.rounding = .stochastic(bits: 8)
    torchao.randomBits = .given([0, 255, 0, 255])
    #expect(try quantizeBlock(values, torchao).codes == [6, 3, 0xA, 5])
    var micro = try namedSpec("microxcaling-py", "mxfp4")
    for (rounding, code) in [
      (Rounding.tiesToEven, UInt32(2)), (.tiesToAway, 3), (.towardZero, 2),
    ] {
      micro.rounding = rounding
      #expect(try quantizeBlock([4, 1.25], micro).codes == [6, code], "\(rounding)")
    }
    let refused: [(String, String, Rounding)] = [
      ("microxcaling-py", "mxfp4", .toOdd), ("ggml-q4_0", "int4_full_fp16", .tiesToEven),
      ("ggml-mxfp4", "mxfp4", .tiesToEven),
    ]
    for (recipe, format, rounding) in refused {
      var wrong = try namedSpec(recipe, format)
      wrong.rounding = rounding
      let grid = try BlockGrid(shape: [32], block: .line(32))
      #expect(
        throws: QuantizeError.roundingNotForRecipe(
          recipe: wrong.recipe.name, rounding: "\(rounding)")
      ) { try quantize([Float](repeating: 1, count: 32), grid, wrong) }
    }
  }

  @Test("byte 0 as a multiplier of 1, 0 or 2^126")
  func byteZero() throws {
    let values = [Float](repeating: 0x1p-126, count: 32)
    for (rule, code) in [
      (NamedRecipe.ByteZeroMultiplier.asComputed, UInt32(4)), (.one, 0), (.zero, 0), (.halved, 2),
    ] {
      let spec = try namedSpec("torchao-floor", "mxfp4") { $0.byteZeroMultiplier = rule }
      let observed = try quantizeBlock(values, spec)
      #expect(observed.scales == [0] && observed.codes[0] == code, "\(rule): \(observed.codes[0])")
    }
  }
}

import FormatCatalog
import FoundationEssentials
import NumberFormats
import Testing

@Suite("Format catalog")
struct FormatCatalogTests {
  @Test("Every name of the command line's contract is found, in any case")
  func contractNames() throws {
    let catalog = try FormatCatalog.standard()
    let elements =
      "e2m1 e2m3 e3m2 e4m3 e5m2 e4m3_ieee e3m4 e4m3_fnuz e5m2_fnuz e4m3b11_fnuz e3m0 e1m2 e0m3 int2 int3 int4 int5 int6 int7 int8 mxint8 mxint4 nf4 bf16 fp16 tf32 float8_e4m3fn"
    for name in elements.split(separator: " ") {
      #expect(catalog.element(String(name)) != nil, "\(name)")
      #expect(catalog.element(name.uppercased()) != nil, "\(name)")
    }
    for name in "e8m0 ue4m3 ue5m3 bf16 fp16 fp32".split(separator: " ") {
      #expect(catalog.scale(String(name)) != nil, "\(name)")
    }
    let blocks =
      "nvfp4 nvfp4_16x16 mxfp4 mxfp6_e2m3 mxfp6_e3m2 mxfp8_e4m3 mxfp8_e5m2 mxint8 mxint4 nvint4 int8 int8_fp16 int4 int4_fp16 fp8_1x128 fp8_1x128_pow2 fp8_128x128 fp8_128x128_pow2 int8_channel int8_tensor fp8_channel fp8_tensor msfp12 msfp16"
    for name in blocks.split(separator: " ") {
      #expect(catalog.block(String(name)) != nil, "\(name)")
    }
  }

  @Test("Recipes of the specification's table are found under the names they have there")
  func recipeNames() throws {
    let catalog = try FormatCatalog.standard()
    let recipes =
      "exact exact-rceil exact-ceil exact-even exact-nearest ocp-mx-1.0 microxcaling-py microxcaling-cuda torchao-floor torchao-ceil torchao-even torchao-rceil te-mxfp8 te-2.15 te-2.14-t te-2.14-n te-4over6 vllm-ref torchao-nvfp4 mslk-nvfp4 modelopt-nvfp4 modelopt-mxfp4 ct-nvfp4 ct-mx ggml-mxfp4 ggml-nvfp4 ggml-q8_0 ggml-q4_0 aiter-up aiter-down aiter-even te-fp8-block flashinfer-fast flashinfer-mxfp4 flashinfer-exact"
    for name in recipes.split(separator: " ") {
      #expect(catalog.recipe(String(name)) != nil, "\(name)")
    }
    #expect(catalog.recipe("flashinfer-exact")?.name == "te-2.15")
  }

  @Test("Every row states its source, and what it was checked against")
  func sources() throws {
    let catalog = try FormatCatalog.standard()
    for row in catalog.elements { #expect(!row.source.isEmpty && !row.checked.isEmpty) }
    for row in catalog.scales { #expect(!row.source.isEmpty && !row.checked.isEmpty) }
    for row in catalog.blocks { #expect(!row.source.isEmpty && !row.checked.isEmpty) }
    for row in catalog.recipes { #expect(!row.source.isEmpty && !row.checked.isEmpty) }
  }

  @Test("A user's file adds an element, a scale, a block and a recipe without code")
  func userFile() throws {
    let text = """
      { version: 1,
        elements: [{ name: "e2m2", float: [1, 2, 2], bias: 1, nonFinite: "none" }],
        scales: [{ name: "ue6m2", float: [0, 6, 2], bias: 31, nonFinite: "allOnesNaN", stored: 8, nan: 0xff }],
        blocks: [{ name: "mine", element: "e2m2", scale: "ue6m2", block: "24" }],
        recipes: [{ name: "my-fast", like: "flashinfer-fast", reciprocal: [[0x40c00000, 0x3e2aaaaa]] }] }
      """
    let catalog = try FormatCatalog.standard().adding(Data(text.utf8), file: "mine.json5")
    let block = try #require(catalog.block("MINE"))
    #expect(block.element.bits == 5)
    #expect(block.scale.layout.exponentBits == 6)
    #expect(block.block == .line(24))
    guard case .named(let recipe) = try #require(catalog.recipe("my-fast")).steps else {
      Issue.record("expected a named recipe")
      return
    }
    #expect(recipe.reciprocal.exceptions == [0x40c0_0000: 0x3e2a_aaaa])
  }

  @Test(
    "A field that nothing reads is refused with file, row, field and the nearest known field",
    arguments: [
      (
        "elements: [{ name: \"a\", float: [1, 2, 2], bias: 1, nonfinite: \"none\" }]", "a",
        "nonfinite", "nonFinite"
      ),
      ("elements: [{ name: \"a\", integr: [4, 0] }]", "a", "integr", "integer"),
      (
        "elements: [{ name: \"ok\", integer: [5, 0] }, { integer: [4, 0], ful: true }]",
        "elements[1]", "ful", "full"
      ),
      (
        "scales: [{ name: \"a\", float: [0, 4, 3], bias: 7, nonFinite: \"allOnesNaN\", stord: 8, nan: 127 }]",
        "a", "stord", "stored"
      ),
      (
        "blocks: [{ name: \"a\", element: \"e2m1\", scale: \"e8m0\", block: \"8\", tenosr: true }]",
        "a", "tenosr", "tensor"
      ),
      (
        "recipes: [{ name: \"a\", like: \"te-2.15\", elementrounding: \"tiesToAway\" }]", "a",
        "elementrounding", "elementRounding"
      ),
      (
        "recipes: [{ name: \"a\", like: \"te-2.15\", zero: { code: 1, cod: 2 } }]", "a", "zero.cod",
        "zero.code"
      ),
      (
        "accumulators: [{ name: \"a\", operands: \"any\", fused: { terms: 4, late: { sumFracton: 1 } } }]",
        "a", "fused.late.sumFracton", "fused.late.sumFraction"
      ),
    ] as [(String, String, String, String)])
  func unknownFields(rows: String, row: String, field: String, nearest: String) throws {
    let catalog = try FormatCatalog.standard()
    let text = "{ version: 1, \(rows) }"
    #expect(
      throws: CatalogError.unknownField(
        file: "mine.json5", row: row, field: field, nearest: nearest)
    ) { try catalog.adding(Data(text.utf8), file: "mine.json5") }
  }

  @Test("A table of another name is refused")
  func unknownTables() throws {
    let error = CatalogError.unknownField(
      file: "mine.json5", row: nil, field: "element", nearest: "elements")
    #expect(throws: error) {
      try FormatCatalog().adding(Data("{ version: 1, element: [] }".utf8), file: "mine.json5")
    }
    #expect("\(error)" == "mine.json5: unknown field \"element\" (nearest: \"elements\")")
  }

  @Test("This project's own tables have no field that nothing reads")
  func ownFields() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    var catalog = FormatCatalog()
    for table in ["elements", "scales", "blocks", "recipes", "accumulators"] {
      catalog = try catalog.adding(file: "/\(root)/formats/\(table).json5")
    }
    #expect(try catalog.recipes.count == FormatCatalog.standard().recipes.count)
  }

  @Test(
    "A bad row is refused with file, row and reason",
    arguments: [
      ("{ elements: [] }", "version"),
      ("{ version: 1, elements: [{ name: \"e2m1\", integer: [4, 0] }] }", "taken"),
      ("{ version: 1, elements: [{ name: \"a\" }] }", "expected one of"),
      ("{ version: 1, elements: [{ name: \"a\", codebook: [1, 1, 2] }] }", "increasing"),
      ("{ version: 1, elements: [{ name: \"a\", codebook: [0, 1e-30, 1] }] }", "binades"),
      ("{ version: 1, elements: [{ name: \"a\", integer: [40, 0] }] }", "bits"),
      (
        "{ version: 1, elements: [{ name: \"a\", float: [1, 8, 9], bias: 20, nonFinite: \"none\" }] }",
        "range"
      ),
      (
        "{ version: 1, blocks: [{ name: \"a\", element: \"zz\", scale: \"e8m0\", block: \"8\" }] }",
        "zz"
      ),
      (
        "{ version: 1, blocks: [{ name: \"a\", element: \"e2m1\", scale: \"e8m0\", block: \"0\" }] }",
        "block"
      ),
      (
        "{ version: 1, elements: [{ name: \"a\", float: [1, 2, 1], bias: -2, nonFinite: \"none\" }] }",
        "bias"
      ),
      (
        "{ version: 1, elements: [{ name: \"a\", float: [1, 2, 1], bias: -9223372036854775808, nonFinite: \"none\" }] }",
        "bias"
      ),
      (
        "{ version: 1, elements: [{ name: \"a\", float: [1, 3, 2], bias: 3, subnormals: false, nonFinite: \"none\" }] }",
        "subnormals"
      ),
      (
        "{ version: 1, elements: [{ name: \"a\", float: [1, 1, 1], bias: 1, nonFinite: \"ieee\", nan: 3 }] }",
        "exponent"
      ),
      (
        "{ version: 1, elements: [{ name: \"a\", float: [1, 4, 3], bias: 7, nonFinite: \"allOnesNaN\", nan: 0x38 }] }",
        "NaN"
      ),
      (
        "{ version: 1, scales: [{ name: \"a\", float: [0, 4, 0], bias: 7, zero: false, nonFinite: \"allOnesNaN\", stored: 8, nan: 15 }] }",
        "E8M0"
      ),
      (
        "{ version: 1, scales: [{ name: \"a\", float: [1, 2, 23], bias: 1, nonFinite: \"ieee\", stored: 32, nan: 0x1c00000 }] }",
        "mantissa"
      ),
      (
        "{ version: 1, scales: [{ name: \"a\", float: [0, 4, 3], bias: 7, nonFinite: \"allOnesNaN\", stored: 8, nan: 0 }] }",
        "NaN"
      ),
      (
        "{ version: 1, recipes: [{ name: \"a\", like: \"te-2.15\", nanElement: 99 }] }",
        "does not have"
      ),
      (
        "{ version: 1, recipes: [{ name: \"a\", like: \"te-mxfp8\", nonFinite: [300, 1] }] }",
        "does not have"
      ),
      (
        "{ version: 1, recipes: [{ name: \"a\", like: \"te-2.15\", evenMantissaBits: -5 }] }",
        "evenMantissaBits"
      ),
      ("{ version: 1, recipes: [{ name: \"a\" }] }", "every step"),
      ("not json", "not a format table"),
    ])
  func badRows(text: String, part: String) throws {
    let catalog = try FormatCatalog.standard()
    do {
      _ = try catalog.adding(Data(text.utf8), file: "mine.json5")
      Issue.record("accepted: \(text)")
    } catch {
      #expect("\(error)".contains("mine.json5"), "\(error)")
      #expect("\(error)".contains(part), "\(error)")
    }
  }
}

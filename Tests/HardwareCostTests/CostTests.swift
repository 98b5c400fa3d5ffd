import FormatCatalog
import HardwareCost
import NumberFormats
import Testing

@Suite("What a format costs")
struct CostTests {
  let catalog: FormatCatalog
  let model: CostModel

  init() throws {
    catalog = try FormatCatalog.standard()
    model = try CostModel.standard(catalog)
  }

  private func cost(
    _ name: String, _ block: BlockShape? = nil, _ query: CostQuery = CostQuery()
  ) throws -> FormatCost {
    let format = try #require(catalog.block(name))
    return try model.cost(format, block: block ?? format.block, query)
  }

  @Test("bits per element are those of the table of C.1")
  func storage() throws {
    let expected: [(String, [Double])] = [
      ("mxfp4", [5, 4.5, 4.25, 4.125, 4.0625, 4.03125]),
      ("nvfp4", [5, 4.5, 4.25, 4.125, 4.0625, 4.03125]),
      ("mxfp6_e3m2", [7, 6.5, 6.25, 6.125, 6.0625, 6.03125]),
      ("mxint8", [9, 8.5, 8.25, 8.125, 8.0625, 8.03125]),
      ("int4_fp16", [6, 5, 4.5, 4.25, 4.125, 4.0625]),
      ("int8", [12, 10, 9, 8.5, 8.25, 8.125]),
    ]
    for (name, bits) in expected {
      for (size, bits) in zip([8, 16, 32, 64, 128, 256], bits) {
        #expect(try cost(name, .line(size)).bitsPerElement == bits, "\(name), \(size)")
      }
    }
    #expect(try cost("fp8_128x128").bitsPerElement == 8 + 32.0 / 16384)
    #expect(try cost("int8_channel", nil, CostQuery(length: 64)).bitsPerElement == 8.5)
    #expect(try cost("int8_tensor", nil, CostQuery(length: 8)).bitsPerElement == 8.5)
  }

  @Test("a larger block is never dearer per multiply-accumulate, and a float scale never cheaper")
  func trends() throws {
    for name in ["mxfp4", "nvfp4", "mxfp6_e2m3", "mxfp8_e4m3", "mxfp8_e5m2", "mxint8", "int4"] {
      let gates = try [8, 16, 32, 64, 128].map { try cost(name, .line($0)).gates }
      #expect(gates == gates.sorted(by: >), "\(name): \(gates)")
    }
    for size in [8, 12, 32, 128] {
      #expect(try cost("nvfp4", .line(size)).gates > cost("mxfp4", .line(size)).gates)
      #expect(try cost("int8", .line(size)).gates > cost("mxint8", .line(size)).gates)
    }
  }

  @Test("a narrower accumulator costs less, down to the one that cannot hold the carries")
  func narrow() throws {
    let exact = try cost("mxfp8_e4m3", .line(32))
    #expect(exact.exactAccumulatorBits == 42 && exact.droppedBits == 0)
    var last = exact.gates
    for bits in (7..<42).reversed() {
      let narrow = try cost("mxfp8_e4m3", .line(32), CostQuery(accumulator: .bits(bits)))
      #expect(narrow.accumulatorBits == bits && narrow.droppedBits == 42 - bits)
      #expect(narrow.exactAccumulatorBits == 42)
      #expect(narrow.gates < last, "\(bits) bits: \(narrow.gates), one more: \(last)")
      last = narrow.gates
    }
    let wide = try cost("mxfp8_e4m3", .line(32), CostQuery(accumulator: .bits(64)))
    #expect(wide == exact)
    #expect(
      throws: HardwareCostError.narrowAccumulator(
        format: "mxfp8_e4m3", block: 32, bits: 6, least: 7)
    ) { try cost("mxfp8_e4m3", .line(32), CostQuery(accumulator: .bits(6))) }
  }

  @Test("traffic is two operands' bits, shared by the tile's results")
  func traffic() throws {
    let nvfp4 = try cost("nvfp4")
    #expect(nvfp4.traffic == 2 * 4.5 / 128)
    #expect(nvfp4.scaleTraffic == 2 * 0.5 / 128)
    let one = try cost("mxint8", nil, CostQuery(tile: ResultTile(rows: 1, columns: 1)))
    #expect(one.traffic == 2 * 8.25)
    let tall = try cost("mxint8", nil, CostQuery(tile: ResultTile(rows: 64, columns: 16)))
    #expect(tall.traffic == 8.25 / 64 + 8.25 / 16)
  }

  @Test("each cost says whether synthesis results stand behind it")
  func calibrated() throws {
    let yes: [(String, Int)] = [("nvfp4", 16), ("mxfp4", 12), ("mxint8", 8), ("mxfp8_e4m3", 8)]
    for (name, size) in yes {
      guard case .synthesised = try cost(name, .line(size)).calibration else {
        Issue.record("\(name), \(size): expected a synthesised unit")
        continue
      }
    }
    #expect(try cost("nvfp4", .line(17)).calibration == .between)
    let narrow = CostQuery(accumulator: .bits(31))
    #expect(try cost("mxfp8_e4m3", .line(16), narrow).calibration == .between)
    let no: [(String, BlockShape, String)] = [
      ("mxfp6_e2m3", .line(32), "element e2m3"), ("mxfp8_e5m2", .line(32), "element e5m2"),
      ("nvint4", .line(16), "element int4"), ("int8", .line(32), "scale fp32"),
      ("nvfp4", .line(4), "blocks of 4"), ("nvfp4", .line(256), "several steps a block"),
      ("nf4", .line(64), "element nf4, scale fp32"), ("int8_channel", .axis, "scale fp32"),
    ]
    for (name, block, reason) in no {
      guard case .outside(let missing) = try cost(name, block).calibration else {
        Issue.record("\(name), \(block): expected no calibration")
        continue
      }
      #expect(missing.contains(reason), "\(name), \(block): \(missing)")
    }
    let lanes = CostQuery(lanes: 16)
    #expect(try !cost("nvfp4", .line(32), lanes).calibration.isCalibrated)
    let short = CostQuery(accumulator: .bits(8))
    #expect(try !cost("mxint8", .line(32), short).calibration.isCalibrated)
  }

  @Test("a scale that is always a power of two costs an addition, whatever it is stored as")
  func powerOfTwo() throws {
    let stored = try cost("fp8_1x128_pow2", .line(32))
    #expect(try stored.gates == cost("mxfp8_e4m3", .line(32)).gates)
    #expect(stored.bitsPerElement == 9)
  }

  @Test("every block format has a cost")
  func everything() throws {
    for format in catalog.blocks {
      let cost = try model.cost(format, block: format.block)
      #expect(cost.gates.isFinite && cost.gates > 50 && cost.gates < 20_000, "\(format.name)")
    }
  }
}

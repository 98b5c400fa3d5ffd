import Foundation
import Reporting
import ScalingLaws
import Sweep
import Testing

@Suite("What a sweep's results say") struct SweepAnalysisTests {
  @Test("The largest block within the budget follows from the loss law and the errors' ratio")
  func verdicts() throws {
    // ref errs 0.032 at 32, where δ is 0.1 at 1e9 and 0.025 at 16e9: a budget of 0.02 allows an
    // error of 0.0064 and of 0.0256.
    let data = try layer([
      ("coarse", { _ in 0.5 }), ("falling", { 1e-4 / $0 }), ("fine", { 1e-4 * $0 }),
      ("ref", { 1e-3 * $0 }),
    ])
    let analysis = SweepAnalysis(data, pageRequest(loss: try lossLaw()))
    #expect(analysis.subject == .layers)
    #expect(abs((analysis.referenceError ?? 0) - 0.032) < 1e-12)
    func verdict(_ format: String, _ n: Double) throws -> BlockVerdict {
      try #require(analysis.verdicts.first { $0.format == format && $0.n == n })
    }
    for (format, n, need, block) in [
      ("ref", 1e9, BlockVerdict.Need.needed, 6.4), ("ref", 16e9, .notNeeded, 25.6),
      ("fine", 1e9, .notNeeded, 64), ("fine", 16e9, .notNeeded, 128),
      ("coarse", 1e9, .noneSuffices, 0), ("falling", 1e9, .notNeeded, 128),
    ] {
      let found = try verdict(format, n)
      let size = found.largest.value.blockSize ?? 0
      #expect(found.need == need, "\(format) at \(n): \(found.need), Q_b \(size)")
      #expect(abs(size - block) <= 0.03 * block, "\(format) at \(n): expected \(block), \(size)")
    }
    #expect(try verdict("falling", 1e9).isSmallWorse)
    #expect(try !verdict("fine", 1e9).isSmallWorse)
    // At 16e9 ref may take the block of 16: what counts as small, so that nothing is saved.
    #expect(try verdict("ref", 16e9).chosen?.block == "16")
    #expect(try verdict("ref", 16e9).savedBits == 0)
    #expect(try abs((verdict("fine", 16e9).savedBits ?? 0) - (0.5 - 0.0625)) < 1e-12)
    #expect(try verdict("coarse", 1e9).savedBits == nil)
  }

  @Test("A layer's error is its weight's plus its input's, layers count by their parameters")
  func layers() throws {
    var results: [PageResult] = []
    for (name, count, nmse) in [
      ("a.weight", 1000, 0.01), ("a.input", 64, 0.02), ("b.weight", 3000, 0.05),
      ("b.input", 64, 0.03),
      ("lonely.weight", 9000, 0.9),
    ] {
      results.append(result(name, "f", block: 8, nmse: nmse, count: count))
    }
    let tensors = try results.map { result in
      try tensorRecord(
        result.tensor, role: result.tensor.hasSuffix("input") ? "activation" : "weight",
        count: result.count)
    }
    let analysis = SweepAnalysis(
      SweepResults(results: results, tensors: tensors), pageRequest(loss: nil))
    let point = try #require(analysis.series.first?.points.first)
    let expected = (1000 * 0.03 + 3000 * 0.08) / 4000
    #expect(abs(point.error - expected) < 1e-15, "expected \(expected), observed \(point.error)")
    #expect(analysis.series.first?.units == 2)
    #expect(analysis.parts.map(\.subject) == [.weights, .activations])
  }

  @Test("Measured products come before sums of errors")
  func products() throws {
    var data = try layer([("f", { 1e-3 * $0 })])
    for block in [4, 8] {
      data.results.append(
        PageResult(
          tensor: "l.input", other: "l.weight", format: "f", block: "\(block)", blockSize: block,
          count: 10, bitsPerElement: 5, nmse: 0.25 * Double(block)))
    }
    let analysis = SweepAnalysis(data, pageRequest(loss: nil))
    #expect(analysis.subject == .products)
    #expect(analysis.series.first?.points.map(\.error) == [1, 2])
  }

  @Test("A loss shown for the block taken is within the budget, whatever the fitted law says")
  func blockAndLossAgree() throws {
    // A law of four points misses them; read from it, the block would be another.
    let errors = [16.0: 0.020, 32: 0.0255, 64: 0.0256, 128: 0.032]
    let data = try layer(
      [("f", { errors[$0] ?? 1 }), ("ref", { 1e-3 * $0 })], blocks: [16, 32, 64, 128])
    let sizes = [8e9, 12e9, 16e9, 20e9, 24e9, 40e9]
    let analysis = SweepAnalysis(data, pageRequest(sizes: sizes, loss: try lossLaw()))
    #expect(analysis.verdicts.contains { $0.format == "f" && $0.chosen?.block == "64" })
    for one in analysis.verdicts where one.chosen != nil {
      let delta = try #require(one.delta).value
      #expect(delta <= 0.02 * (1 + 1e-9), "\(one.format) at \(one.n): \(delta)")
    }
  }

  @Test("Nothing is said of small blocks where no larger one was measured")
  func unmeasured() throws {
    let data = try layer([("f", { 1e-6 * $0 }), ("ref", { 1e-3 * $0 })], blocks: [4, 8, 16])
    let request = PageRequest(
      loss: try lossLaw(), lossFormat: "ref", lossBlock: "16", budget: 0.05, sizes: [1e9])
    let verdicts = SweepAnalysis(data, request).verdicts
    #expect(verdicts.first { $0.format == "f" }?.need == .unmeasured)
    #expect(verdicts.first { $0.format == "ref" }?.need == .needed)
    let one = try layer([("f", { 1e-6 * $0 }), ("ref", { 1e-3 * $0 })], blocks: [32])
    let single = SweepAnalysis(one, pageRequest(sizes: [1e9], loss: try lossLaw())).verdicts
    #expect(single.first { $0.format == "f" }?.need == .notNeeded)
    #expect(single.first { $0.format == "ref" }?.need == .noneSuffices)
  }

  @Test("Blocks beyond a product's lines are no larger blocks")
  func shortProducts() throws {
    func product(_ name: String, _ block: Int, depth: Int, _ nmse: Double) -> PageResult {
      var result = PageResult(
        tensor: "\(name).input", other: "\(name).weight", format: "f", block: "\(block)",
        blockSize: block, count: 10, bitsPerElement: 5, nmse: nmse)
      result.depth = depth
      return result
    }
    let results = [8, 256].flatMap {
      [product("long", $0, depth: 512, 0.1), product("short", $0, depth: 24, 0.3)]
    }
    let both = SweepAnalysis(SweepResults(results: results, tensors: []), pageRequest(loss: nil))
    #expect(both.series.first?.points.map(\.blockSize) == [8, 256])
    #expect(both.series.first?.leftOut == 1)
    let alone = SweepAnalysis(
      SweepResults(results: results.filter { $0.depth == 24 }, tensors: []), pageRequest(loss: nil))
    #expect(alone.series.first?.points.map(\.blockSize) == [8, 24])
  }

  @Test("Of two blocks of one size the plain number stands on the curve")
  func spellings() throws {
    var data = try layer([("ref", { 1e-3 * $0 })], blocks: [16, 32])
    for name in ["l.weight", "l.input"] {
      var tile = result(name, "ref", block: 32, nmse: 0.016)
      tile.block = "1x32"
      tile.blockSize = nil
      data.results.append(tile)
    }
    let analysis = SweepAnalysis(data, pageRequest(loss: try lossLaw()))
    #expect(analysis.obstacle == nil)
    #expect(analysis.series.first?.points.map(\.block) == ["16", "32"])
  }

  @Test("Rotated, randomly rounded and narrowly measured numbers do not stand for a format")
  func usualMethod() throws {
    func product(_ tensor: String, _ method: String, isUnusual: Bool, _ nmse: Double) -> PageResult
    {
      var result = PageResult(
        tensor: tensor, other: "\(tensor).weight", format: "f", block: "8", blockSize: 8,
        method: method, count: 10, bitsPerElement: 5, nmse: nmse)
      result.isUnusual = isUnusual
      return result
    }
    let results = ["a", "b"].flatMap {
      [
        product($0, "exact, hadamard:64, unit", isUnusual: true, 0.1),
        product($0, "exact, unit", isUnusual: false, 0.2),
      ]
    }
    let request = pageRequest(loss: nil)
    let rotated = SweepAnalysis(SweepResults(results: results, tensors: []), request)
    #expect(rotated.series.map(\.method) == ["exact, unit"])
    #expect(rotated.recipes.map(\.method) == ["exact, hadamard:64, unit"])
    let narrow = SweepAnalysis(
      SweepResults(results: results + [product("a", "exact", isUnusual: false, 0.3)], tensors: []),
      request)
    #expect(narrow.series.map(\.method) == ["exact, unit"])
    let limits = AnswerText.limits(narrow, lossSource: nil)
    #expect(limits.contains { $0.contains("exact, unit for f") }, "\(limits)")
  }

  @Test("Products of two activations stand apart from those of layers, and have no loss")
  func attention() throws {
    var scores = PageResult(
      tensor: "q", other: "k", format: "f", block: "8", blockSize: 8, count: 10,
      bitsPerElement: 5, nmse: 0.5)
    scores.isStack = true
    let layer = PageResult(
      tensor: "l.input", other: "l.weight", format: "f", block: "8", blockSize: 8, count: 10,
      bitsPerElement: 5, nmse: 0.25)
    let both = SweepAnalysis(
      SweepResults(results: [scores, layer], tensors: []), pageRequest(loss: nil))
    #expect(both.subject == .products)
    #expect(both.series.first?.points.map(\.error) == [0.25])
    #expect(both.parts.map(\.subject) == [.attention])
    let alone = SweepAnalysis(
      SweepResults(results: [scores], tensors: []), pageRequest(loss: try lossLaw()))
    #expect(alone.subject == .attention && alone.verdicts.isEmpty)
    #expect(alone.obstacle?.contains("two activations") == true)
  }

  @Test("Distributions are those of the layers' operands, weighted by the layers")
  func distributions() throws {
    var data = try layer([("f", { 1e-3 * $0 }), ("ref", { 1e-3 * $0 })])
    for block in [4, 8, 16, 32, 64, 128] {
      data.results.append(
        result("table", "f", block: block, nmse: 0.9 * Double(block), count: 9000))
    }
    data.tensors.append(try tensorRecord("table", role: "weight", count: 9000, crest: 3))
    let analysis = SweepAnalysis(data, pageRequest(loss: try lossLaw()))
    #expect(analysis.distributions.map(\.name) == ["Weights", "Activations"])
    for group in analysis.distributions {
      #expect(group.tensors == 1 && group.isOfLayers, "\(group.name): \(group.tensors)")
      let row = try #require(group.rows.first { $0.format == "f" })
      let whole = try #require(analysis.verdicts.first { $0.format == "f" && $0.n == 16e9 })
      #expect(row.largest == whole.largest.value, "\(group.name): half of the layer's error each")
    }
    #expect(analysis.parts.first?.series.first?.points.first?.error == 0.002)
  }

  @Test("Units without a result at some block are left out of the whole curve, and counted")
  func partial() throws {
    let results = [
      result("a", "f", block: 8, nmse: 0.1), result("b", "f", block: 8, nmse: 0.3),
      result("a", "f", block: 16, nmse: 0.2), result("c", "f", block: 16, nmse: nil),
    ]
    let analysis = SweepAnalysis(
      SweepResults(results: results, tensors: []), pageRequest(loss: nil))
    #expect(analysis.subject == .tensors)
    #expect(analysis.series.first?.points.map(\.error) == [0.1, 0.2])
    #expect(analysis.series.first?.leftOut == 1)
    #expect(analysis.undefined == 1)
  }

  @Test("Tensors with lines shorter than a block are left out of curves that others fill")
  func shortLines() throws {
    var short = result("short", "f", block: 64, nmse: 0.5)
    short.scales = ["120": 1024 / 16]
    let results = [
      result("long", "f", block: 8, nmse: 0.1), result("short", "f", block: 8, nmse: 0.3),
      result("long", "f", block: 64, nmse: 0.2), short,
    ]
    let both = SweepAnalysis(
      SweepResults(results: results, tensors: []), pageRequest(loss: nil))
    #expect(both.series.first?.points.map(\.error) == [0.1, 0.2])
    #expect(both.series.first?.points.map(\.blockSize) == [8, 64])
    #expect(both.series.first?.leftOut == 1)
    let alone = SweepAnalysis(
      SweepResults(results: [results[1], short], tensors: []), pageRequest(loss: nil))
    #expect(alone.series.first?.points.map(\.blockSize) == [8, 16])
    let heat = try #require(both.heat)
    #expect(heat.tensors == ["long", "short"] && heat.largerBlocks == ["64"])
    let cost = try #require(heat.cost[0][0])
    #expect(abs(cost - 3.0103) < 1e-4, "10 log10 2, observed \(cost)")
    #expect(heat.cost[1][0] == nil)
  }

  @Test("Of several recipes the exact one stands for the format, the others are held against it")
  func recipes() throws {
    var results: [PageResult] = []
    for (tensor, a, b) in [("x", 0.1, 0.2), ("y", 0.4, 0.2)] {
      results.append(result(tensor, "f", block: 16, nmse: a))
      results.append(result(tensor, "f", block: 16, nmse: b, method: "stack"))
    }
    let analysis = SweepAnalysis(
      SweepResults(results: results, tensors: []), pageRequest(loss: nil))
    #expect(analysis.series.map(\.method) == ["exact"])
    let one = try #require(analysis.recipes.first)
    #expect(analysis.recipes.count == 1)
    #expect(one.baseline == "exact" && one.method == "stack" && one.units == 2)
    #expect(one.better == 1 && one.worse == 1 && one.range == 0.5...2)
    #expect(abs(one.baselineError - 0.25) < 1e-15 && abs(one.error - 0.2) < 1e-15)
  }
}

import FoundationEssentials
import Measurement
import NumberFormats
import Reporting
import Sweep
import TensorIO
import Testing

@Suite struct SweepRunTests {
  private func run(_ plan: SweepPlan, _ shard: Shard, into path: String) throws -> SweepRun.Outcome
  {
    let (list, experiment) = try workList(plan)
    let store = try ResultsStore.openForWriting(path)
    defer { try? store.close() }
    return try SweepRun(list: list, experiment: experiment, encoder: SweepReports.encoder)
      .run(shard, into: store)
  }

  private func results(_ path: String) throws -> [StoredResult] {
    try ResultsStore.open(path).results()
  }

  @Test("shards measure what one process does, and a second run nothing")
  func shards() throws {
    try withFolder { folder in
      let plan = try unequalPlan(folder)
      let whole = "\(folder)/whole.sqlite"
      #expect(try run(plan, .whole, into: whole).measured == 60)
      #expect(try run(plan, .whole, into: whole).measured == 0)
      var stores: [String] = []
      for number in 1...3 {
        let path = "\(folder)/\(number).sqlite"
        stores.append(path)
        _ = try run(plan, try #require(Shard(number: number, count: 3)), into: path)
      }
      let merged = "\(folder)/merged.sqlite"
      _ = try ResultsStore.merge(stores, into: merged)
      #expect(try results(merged) == (try results(whole)))
    }
  }

  @Test("a result's key changes with everything that decides it, and with nothing else")
  func keys() throws {
    try withFolder { folder in
      let path = "\(folder)/w.npy"
      try writeMatrix([16, 64], to: path)
      var plan = SweepPlan()
      plan.weights = [path]
      plan.formats = ["nvfp4"]
      plan.blocks = [.line(16)]
      let changes: [(what: String, isNew: Bool, change: (inout SweepPlan) -> Void)] = [
        ("format", true, { $0.formats = ["mxfp4"] }), ("block", true, { $0.blocks = [.line(8)] }),
        ("axis", true, { $0.axis = 0 }), ("recipe", true, { $0.recipes = ["torchao-nvfp4"] }),
        ("rounding", true, { $0.roundings = [.towardZero] }),
        ("its own rounding", false, { $0.roundings = [.tiesToEven] }),
        ("seed", false, { $0.seed = 2 }), ("tensor scale", true, { $0.tensorScale = .none }),
        ("accumulator", false, { $0.accumulators = ["blackwell-fp4"] }),
        ("alias", false, { $0.formats = ["NVFP4"] }),
        ("role", false, { ($0.weights, $0.activations) = ([], $0.weights) }),
      ]
      for (what, isNew, change) in changes {
        let store = "\(folder)/\(what).sqlite"
        _ = try run(plan, .whole, into: store)
        var other = plan
        change(&other)
        let outcome = try run(other, .whole, into: store)
        #expect(outcome.measured == (isNew ? 1 : 0), "\(what): \(outcome)")
      }
    }
  }

  @Test("a file that changes keeps its earlier results and gets no new ones")
  func changedTensor() throws {
    try withFolder { folder in
      let (path, store) = ("\(folder)/w.npy", "\(folder)/s.sqlite")
      try writeMatrix([16, 64], to: path)
      var plan = SweepPlan()
      plan.weights = [path]
      plan.formats = ["nvfp4"]
      _ = try run(plan, .whole, into: store)
      let before = try results(store)
      try writeMatrix([16, 64], to: path, seed: 2)
      plan.formats = ["mxfp4"]
      #expect {
        try run(plan, .whole, into: store)
      } throws: { error in
        if case SweepError.tensorChanged(store, path, "tensor", _, _) = error { return true }
        return false
      }
      #expect(try results(store) == before)
    }
  }

  @Test("products measured together have the results of products alone")
  func productsTogether() throws {
    try withFolder { folder in
      let plan = try productPlan(folder)
      let whole = "\(folder)/whole.sqlite"
      #expect(try run(plan, .whole, into: whole).measured == 24)
      var stores: [String] = []
      for format in plan.formats {
        for block in plan.blocks {
          for unit in plan.accumulators {
            var part = plan
            (part.formats, part.blocks, part.accumulators) = ([format], [block], [unit])
            let path = "\(folder)/\(stores.count).sqlite"
            stores.append(path)
            // One request of each read.
            let bundles = try workList(part).list.bundles(of: .whole)
            #expect(bundles.map(\.items.count) == [1, 1, 1])
            _ = try run(part, .whole, into: path)
          }
        }
      }
      let merged = "\(folder)/merged.sqlite"
      _ = try ResultsStore.merge(stores, into: merged)
      #expect(try results(merged) == (try results(whole)))
    }
  }

  @Test("a product that cannot be measured leaves the others of its read")
  func failingProduct() throws {
    try withFolder { folder in
      var plan = try productPlan(folder)
      let values = (0..<64 * 64).map { $0 == 70 ? Float.nan : Float($0 % 7) - 3 }
      let writer = try NpyWriter(path: "\(folder)/a.npy", dtype: .f32, shape: [64, 64])
      try values.withUnsafeBufferPointer { try writer.append($0) }
      try writer.finish()
      // What the second does with NaN nobody has established.
      plan.recipes = ["torchao-floor", "ct-mx"]
      plan.formats = ["mxfp8_e4m3"]
      plan.blocks = [.line(32)]
      let store = "\(folder)/s.sqlite"
      let outcome = try run(plan, .whole, into: store)
      #expect(outcome.items == 12)
      #expect(outcome.measured == 8)
      #expect(outcome.failed.count == 4)
      let others = try results(store).filter { $0.recipe == "ct-mx" }
      #expect(others.map(\.tensor) == ["tensor", "tensor"], "the other pair's are stored")
      #expect(try run(plan, .whole, into: store).measured == 0)
    }
  }

  @Test("attention's products have formats of their own")
  func productFormats() throws {
    try withFolder { folder in
      try writeMatrix([8, 64], to: "\(folder)/a.npy")
      try writeMatrix([64, 12], to: "\(folder)/b.npy", seed: 2)
      var plan = SweepPlan()
      var product = ProductPlan(a: "\(folder)/a.npy", b: "\(folder)/b.npy")
      product.formats = ["mxfp8_e4m3", "none"]
      product.formatsB = ["mxfp4", "none"]
      product.blocks = [.line(16), .line(32)]
      product.accumulators = ["exact", "fp32-sequential"]
      plan.products = [product]
      let store = "\(folder)/s.sqlite"
      _ = try run(plan, .whole, into: store)
      let found = Set(
        try results(store).map {
          "\($0.format) \($0.formatB ?? $0.format) \($0.block) \($0.accumulator ?? "")"
        })
      var expected: Set<String> = []
      for unit in ["exact", "fp32-sequential"] {
        for block in ["16", "32"] {
          for pair in ["mxfp8_e4m3 mxfp4", "mxfp8_e4m3 none", "none mxfp4"] {
            expected.insert("\(pair) \(block) \(unit)")
          }
        }
      }
      #expect(found == expected)
      let half = try results(store).first { $0.format == "none" && $0.block == "32" }
      // 512 float32 numbers, and 768 of 4 bits with a byte for 32.
      #expect(half?.bitsPerElement == (512.0 * 32 + 768 * 4.25) / 1280)
    }
  }
}

import ScalingLaws
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

private let sizes = [0.5, 1.8, 4, 7, 14, 32]

/// Loss data of C·e^(A·Q_r)·N^(−γ), each off by a few percent up or down in turn.
private func lossText(
  ratios: [Double], sizes: [Double] = sizes, spread: Double = 0.03, extra: String = ""
) -> String {
  var text = "n,q_r,delta\n"
  var sign = 1.0
  for size in sizes {
    for ratio in ratios {
      let delta = 0.005 * exp(4.5 * ratio) * pow(size, -0.5) * exp(sign * spread)
      text += "\(size * 1e9),\(ratio),\(delta)\n"
      sign = -sign
    }
  }
  return text + extra
}

private func loss(_ text: String, block: Double? = nil) throws -> LossLaw {
  try LossLaw(LawData(text, file: "loss.csv"), block: block)
}

@Suite("Budget plans")
struct BudgetPlanTests {
  @Test("The loss law's parameters are found again inside their intervals")
  func lossLaw() throws {
    let law = try loss(lossText(ratios: [0.5, 0.7, 0.9, 0.95]))
    for (parameter, truth) in zip(law.fit.parameters, [0.005, 0.5, 4.5]) {
      let (low, high) = (try #require(parameter.low), try #require(parameter.high))
      #expect(low < truth && truth < high, "\(parameter), expected \(truth)")
    }
    #expect(law.ratios == 0.5...0.95 && law.sizes == 0.5...32)
    let (value, half) = law.logDelta(n: 7e9, ratio: 0.8)
    #expect(abs(value - log(0.005 * exp(3.6) / sqrt(7.0))) < half, "\(value), \(half)")
    #expect(law.logDelta(n: 7e12, ratio: 0).halfWidth > half, "far away is less certain")
  }

  @Test("Data at one ratio leave A unknown; one model size, no q_r and several blocks are refused")
  func limits() throws {
    let one = try loss(lossText(ratios: [1]))
    #expect(!one.knowsRatio && one.ratioExponent == nil)
    let dropped = try loss(lossText(ratios: [0.5, 0.9], extra: "1e9,0.5,-0.1\n2e9,0.5,0\n"))
    #expect(dropped.dropped == [14, 15])
    for text in [
      lossText(ratios: [0.5, 0.9], sizes: [7]), "n,delta\n1e9,0.1\n2e9,0.1\n",
      "n,q_r,delta\n1e9,0.5,0.1\n", "n,q_r,delta\n1e9,0.5,nan\n2e9,0.5,1\n",
      "n,q_r,delta\n-1,0.5,1\n2e9,0.5,1\n3e9,0.5,1\n", "n,q_r,delta\n1e9,90,1\n2e9,50,1\n",
      "n,q_r,delta\n1e9,0.5,-1\n2e9,0.5,-1\n",
    ] {
      #expect(throws: LawError.self, "\(text)") { try loss(text) }
    }
    for size in ["7", "1e4", "1e16"] {
      let text = lossText(ratios: [0.5, 0.9], extra: "\(size),0.5,0.1\n")
      #expect(throws: LawError.self, "\(size)") { try loss(text) }
    }
    var blocks = "n,q_r,q_b,delta\n"
    for block in [16, 32] {
      for size in sizes { blocks += "\(size * 1e9),1,\(block),\(0.1 * Double(block) / size)\n" }
    }
    #expect(throws: LawError.self) { try loss(blocks) }
    #expect {
      try loss(blocks, block: 64)
    } throws: { error in
      "\(error)".contains("q_b = 64") && "\(error)".contains("16, 32")
    }
    let small = try loss(blocks, block: 16).logDelta(n: 1e9, ratio: 1).value
    let large = try loss(blocks, block: 32).logDelta(n: 1e9, ratio: 1).value
    #expect(abs(large - small - log(2.0)) < 1e-6)
  }

  @Test("What a plan allows meets the budget, and a little more does not")
  func allowed() throws {
    let law = try loss(lossText(ratios: [0.5, 0.7, 0.9, 0.95]))
    let curve = try lawCurve(3e-4, 20, 0.6)
    let planned = PlannedError(curve, law: try BlockSizeLaw(curve))
    let reference = try #require(curve.point(block: "32")).error
    for budget in [0.005, 0.02, 0.05, 0.2] {
      let plan = BudgetPlan(loss: law, referenceError: reference, budget: budget)
      for n in [1e9, 7e9, 70e9, 400e9] {
        let row = plan.row(planned, n: n, ownBlock: "32")
        let name = "budget \(budget), N \(n): \(row)"
        if case .at(let size) = row.block.value {
          let delta = try #require(plan.delta(planned, n: n, ratio: 1, blockSize: size))
          #expect(abs(delta.value / budget - 1) < 1e-6, "\(name)")
          #expect(delta.low < delta.value && delta.value < delta.high, "\(name)")
        }
        let sizes = [row.block.low, row.block.value, row.block.high].map { $0.blockSize ?? 0 }
        #expect(sizes == sizes.sorted(), "the careful end allows least: \(name)")
        let ratio = try #require(row.ratio)
        #expect(ratio.low <= ratio.value && ratio.value <= ratio.high, "\(name)")
        if ratio.value > 0, ratio.value < 1 {
          let delta = try #require(plan.delta(planned, n: n, ratio: ratio.value, blockSize: 32))
          #expect(abs(delta.value / budget - 1) < 1e-4, "\(name)")
          let bits = try #require(row.ratioBits)
          #expect(abs(bits - (ratio.value * 4.25 + (1 - ratio.value) * 16)) < 1e-12, "\(name)")
        }
        let best = try #require(row.best)
        #expect(best.bits <= (row.ratioBits ?? 16) + 1e-12, "\(name)")
      }
    }
  }

  @Test("Without A only Q_b is planned; a curve without the format's own block has no ratio")
  func unknown() throws {
    let curve = try errorCurve([8, 4, 2, 4, 8].map { $0 * 1e-3 })
    let planned = PlannedError(curve, law: nil)
    let one = BudgetPlan(
      loss: try loss(lossText(ratios: [1])), referenceError: 2e-3, budget: 0.5)
    let row = one.row(planned, n: 7e9, ownBlock: "32")
    #expect(row.ratio == nil && row.best == nil && row.block.value.blockSize != nil)
    let both = BudgetPlan(
      loss: try loss(lossText(ratios: [0.5, 0.9])), referenceError: 2e-3, budget: 0.02)
    #expect(both.row(planned, n: 7e9, ownBlock: "24").ratio == nil)
    // Not monotone: the best block is the one of least error, not the largest within the budget.
    #expect(both.row(planned, n: 7e9, ownBlock: "32").best?.block == "32")
  }
}

@Suite("Sensitivities")
struct SensitivitiesTests {
  @Test("What is no list of sensitivities is refused")
  func refusals() throws {
    #expect(throws: LawError.self) { try Sensitivities.read("absent.csv") }
    #expect(throws: LawError.self) { try Sensitivities.read("absent.json") }
  }
}

import ErrorStatistics
import NumberFormats
import Testing

@Suite("Block statistics")
struct BlockStatisticsTests {
  /// Crest factors from the definition, in 700 bits.
  private func crestFactors(_ x: [Float], block: Int) -> [Double] {
    stride(from: 0, to: x.count, by: block).compactMap { start in
      let part = x[start..<min(start + block, x.count)]
      let amax = part.map { abs($0) }.max() ?? 0
      guard amax > 0, part.allSatisfy({ $0.isFinite }) else { return nil }
      let squares = part.reduce(Real(0)) { $0 + Real(Double($1)) * Real(Double($1)) }
      return (Real(Double(amax)) / (squares / Real(Double(part.count))).squareRoot).double
    }
  }

  private func sample(_ count: Int, seed: UInt64) -> [Float] {
    var random = SplitMix64(state: seed)
    return (0..<count).map { _ in Float(random.normal()) }
  }

  @Test("Quantiles are those of the sorted crest factors, within half a bin")
  func quantiles() {
    for block in [1, 2, 16, 17, 128, 1000] {
      let x = sample(40_003, seed: UInt64(block))
      let exact = crestFactors(x, block: block).sorted()
      var histogram = CrestHistogram()
      x.withUnsafeBufferPointer { histogram.add(BlockMoments(x: $0, tileColumns: block)) }
      #expect(histogram.count == exact.count)
      for probability in CrestHistogram.reportedProbabilities {
        let position = probability * Double(exact.count - 1)
        let rank = Int(position)
        let next = min(rank + 1, exact.count - 1)
        let expected = exact[rank] + (position - Double(rank)) * (exact[next] - exact[rank])
        let observed = histogram.quantile(probability)
        let limit = probability == 0 || probability == 1 ? 1e-15 : 1.0 / 8192
        #expect(
          distance(observed, expected) <= limit,
          "block \(block) p \(probability): expected \(expected), observed \(bits(observed))")
      }
    }
  }

  @Test("Moments have the same bits for every instruction set, and hold for short and odd blocks")
  func moments() {
    let x = sample(1003, seed: 8) + [.leastNonzeroMagnitude, -0.0, .greatestFiniteMagnitude]
    for block in [1, 3, 7, 8, 9, 16, 100, 2000] {
      x.withUnsafeBufferPointer { buffer in
        let baseline = BlockMoments(x: buffer, tileColumns: block, target: .baseline)
        #expect(baseline.amax.count == (x.count + block - 1) / block)
        for target in KernelTarget.allCases {
          #expect(BlockMoments(x: buffer, tileColumns: block, target: target) == baseline)
        }
        for i in baseline.amax.indices {
          let part = x[i * block..<min((i + 1) * block, x.count)]
          let squares = part.reduce(Real(0)) { $0 + Real(Double($1)) * Real(Double($1)) }
          #expect(baseline.amax[i] == part.map { abs($0) }.max())
          #expect(baseline.length(of: i) == part.count)
          #expect(distance(baseline.sumSquares[i], squares.double) <= 1e-14)
        }
      }
    }
  }

  @Test("Blocks of every shape have the crest factors of their elements")
  func grids() throws {
    let shapes: [([Int], Int, BlockShape)] = [
      ([30, 40], -1, .line(16)), ([30, 40], 0, .line(16)), ([2, 30, 7], 1, .line(8)),
      ([2, 33, 50], -1, .tile(rows: 16, columns: 16)), ([40, 9], 0, .axis), ([40, 9], -1, .tensor),
    ]
    for (shape, axis, block) in shapes {
      let grid = try BlockGrid(shape: shape, axis: axis, block: block)
      let x = sample(grid.elementCount, seed: 12)
      var members = [[Float]](repeating: [], count: grid.blockCount)
      for i in x.indices { members[grid.blockIndex(ofElement: i)].append(x[i]) }
      let exact = members.map { crestFactors($0, block: $0.count)[0] }.sorted()
      for target in KernelTarget.allCases {
        var histogram = CrestHistogram()
        x.withUnsafeBufferPointer { histogram.add(x: $0, grid: grid, target: target) }
        #expect(histogram.count == exact.count && histogram.undefinedCount == 0)
        #expect(distance(histogram.least, exact[0]) <= 1e-15)
        #expect(distance(histogram.quantile(1), exact[exact.count - 1]) <= 1e-15)
        let middle = exact[(exact.count - 1) / 2] + exact[exact.count / 2]
        #expect(distance(histogram.quantile(0.5), middle / 2) <= 1.0 / 8192, "\(shape) \(block)")
      }
    }
  }

  @Test("Blocks of zeros and blocks with NaN or infinity have no crest factor")
  func undefinedBlocks() {
    let x: [Float] = [0, -0.0, 1, .nan, .infinity, 2, 3, 3, 5]
    var histogram = CrestHistogram()
    x.withUnsafeBufferPointer { histogram.add(BlockMoments(x: $0, tileColumns: 2)) }
    #expect(histogram.undefinedCount == 3 && histogram.count == 2)
    #expect(histogram.least == 1 && histogram.greatest == 1)
    #expect(CrestHistogram().quantile(0.5) == nil)
  }

  @Test("Factors beyond the last bin keep the exact greatest")
  func beyond() {
    var histogram = CrestHistogram()
    histogram.add(amax: 1, sumSquares: 1, length: 1 << 40)
    histogram.add(amax: 1, sumSquares: 1, length: 1)
    #expect(histogram.quantile(1) == 0x1p20 && histogram.quantile(0) == 1)
  }

  @Test("Merged crest histograms equal the histogram of all blocks, in either order")
  func crestMerge() {
    let x = sample(9_000, seed: 1)
    var whole = CrestHistogram()
    var parts = [CrestHistogram(), CrestHistogram()]
    for (i, start) in stride(from: 0, to: x.count, by: 900).enumerated() {
      // Blocks of different lengths, so that the two parts reach different octaves.
      x[start..<start + 900].withUnsafeBufferPointer {
        let moments = BlockMoments(x: $0, tileColumns: i % 2 == 0 ? 4 : 450)
        whole.add(moments)
        parts[i % 2].add(moments)
      }
    }
    var (a, b) = (parts[0], parts[1])
    a.merge(parts[1])
    b.merge(parts[0])
    #expect(a == whole && b == whole)
  }

  @Test("Scales are counted by code, or by binary exponent with zeros and non-finite ones apart")
  func scales() {
    var codes = ScaleHistogram.emptyCodes
    [0, 255, 7, 7].withUnsafeBufferPointer { codes.add(codes: $0) }
    guard case .codes(let bins) = codes else {
      Issue.record("not a histogram of codes")
      return
    }
    #expect(bins.count == 256 && bins[0] == 1 && bins[255] == 1 && bins[7] == 2)

    var exponents = ScaleHistogram.emptyExponents
    [1, 1.99, 0.999, 0, .nan, .infinity, 0x1p-149, -3].withUnsafeBufferPointer {
      exponents.add(scales: $0)
    }
    #expect(
      exponents
        == .exponents(counts: [0: 2, -1: 1, -149: 1, 1: 1], zeros: 1, nonFinite: 2))
    #expect(exponents.total == 8 && codes.total == 4)

    var merged = exponents
    #expect(merged.merge(exponents) && merged.total == 16)
    #expect(!merged.merge(codes) && merged.total == 16)
  }

  @Test("A total over two kinds of scale has no histogram")
  func mixedScales() {
    var total = TensorErrorAccumulator.total()
    total.merge(TensorErrorAccumulator(scales: .emptyCodes))
    #expect(ErrorReport(total).scaleHistogram == .emptyCodes)
    total.merge(TensorErrorAccumulator(scales: .emptyExponents))
    total.merge(TensorErrorAccumulator(scales: .emptyExponents))
    #expect(ErrorReport(total).scaleHistogram == nil)
  }
}

import ErrorStatistics
import NumberFormats
import Testing

@Suite("The same bits however the work is cut")
struct InvarianceTests {
  static let count = ChunkSums.size + 12_345

  @Test("Calls of any length give the same chunks", arguments: SampleKind.allCases)
  func splits(kind: SampleKind) {
    for element in SampleElement.all where ["e2m1", "int8", "nf4"].contains(element.name) {
      let data = SampleData(kind, element, count: Self.count, seed: 3)
      let whole = data.chunks(element)
      #expect(whole.count == 2)
      for pieces in [[1, 2, 3, 5, 7, 11], [8], [4096], [65_535, 1], [1000, 1, 63]] {
        #expect(data.chunks(element, pieces: pieces) == whole, "\(element) \(pieces)")
        #expect(
          data.chunks(element, pieces: pieces, byBlock: true) == whole,
          "\(element) \(pieces) by block")
      }
    }
  }

  @Test(
    "Ends of the scales' range met by few divisors, or none, change no sum",
    arguments: SampleKind.allCases)
  func limits(kind: SampleKind) {
    let element = SampleElement.all[0]
    let data = SampleData(kind, element, count: Self.count, seed: 8)
    let sizes = data.divisors.map { abs($0) }.filter(\.isFinite).sorted()
    let few = ScaleLimits(
      normal: sizes[sizes.count / 500], largest: sizes[sizes.count - 1] + sizes[sizes.count / 500])
    for limits in [.none, few] {
      for target in KernelTarget.allCases {
        let each = data.chunks(element, target: target, limits: limits)
        let byBlock = data.chunks(
          element, target: target, pieces: [4096, 33], byBlock: true, limits: limits)
        #expect(each == byBlock, "\(kind) \(limits) \(target)")
      }
    }
  }

  @Test("Every instruction set gives the same chunks", arguments: SampleElement.all)
  func targets(element: SampleElement) {
    for kind in SampleKind.allCases {
      let data = SampleData(kind, element, count: 9_999, seed: 4)
      let baseline = data.chunks(element, target: .baseline)
      for target in KernelTarget.allCases {
        #expect(data.chunks(element, target: target) == baseline, "\(element) \(kind) \(target)")
        #expect(
          data.chunks(element, target: target, pieces: [777], byBlock: true) == baseline,
          "\(element) \(kind) \(target) by block")
      }
    }
  }

  @Test("Runs that start at chunk borders give the chunks of the whole")
  func runs() {
    let element = SampleElement.all[1]
    let data = SampleData(.normal, element, count: 3 * ChunkSums.size + 5, seed: 5)
    var chunks: [ChunkSums] = []
    for start in [0, 2 * ChunkSums.size] {
      let end = start == 0 ? 2 * ChunkSums.size : data.x.count
      var run = ErrorAccumulator(
        element: element.spacing, limits: data.limits, startIndex: start)
      data.x[start..<end].withUnsafeBufferPointer { x in
        data.values[start..<end].withUnsafeBufferPointer { values in
          data.divisors[start..<end].withUnsafeBufferPointer {
            run.add(x: x, values: values, divisors: $0)
          }
        }
      }
      chunks += run.takeCompleted()
      chunks += run.finish()
    }
    #expect(chunks.map(\.index) == [0, 1, 2, 3])
    #expect(chunks == data.chunks(element))
  }

  static let grids: [(shape: [Int], axis: Int, block: BlockShape)] = [
    ([70_000, 1], -1, .line(1)), ([10_001, 7], -1, .line(3)), ([701, 100], -1, .line(17)),
    ([2123, 33], -1, .line(64)), ([70, 1000], -1, .line(24)), ([137, 513], -1, .axis),
    ([300, 250], 0, .line(16)), ([3, 111, 211], 1, .line(24)), ([300, 250], 0, .axis),
    ([5, 33, 417], -1, .tile(rows: 16, columns: 16)),
    ([260, 300], 0, .tile(rows: 128, columns: 128)),
    ([70_001], -1, .tensor),
  ]

  @Test("Blocks of any shape find their divisors, whole tensors or slabs", arguments: grids)
  func divisorsOfGrid(shape: [Int], axis: Int, block: BlockShape) throws {
    let grid = try BlockGrid(shape: shape, axis: axis, block: block)
    let element = SampleElement.all[0]
    var data = SampleData(.normal, element, count: grid.elementCount, seed: 6)
    let perBlock = (0..<grid.blockCount).map { Double(1 + $0 * 7 % 61) / 64 }
    for i in data.x.indices { data.divisors[i] = perBlock[grid.blockIndex(ofElement: i)] }
    let expected = data.chunks(element)
    for size in [Int.max, 20_000, 1] {
      var accumulator = ErrorAccumulator(element: element.spacing, limits: data.limits)
      for slab in grid.slabs(maximumElements: size) {
        data.x[slab.elements].withUnsafeBufferPointer { x in
          data.values[slab.elements].withUnsafeBufferPointer { values in
            perBlock[slab.blocks].withUnsafeBufferPointer {
              accumulator.add(
                x: x, values: values, blockDivisors: $0, firstBlock: slab.blocks.lowerBound,
                grid: grid)
            }
          }
        }
      }
      #expect(accumulator.finish() == expected, "\(shape) \(block), slabs of \(size)")
    }
    // Pieces that end anywhere in a line or a tile.
    var accumulator = ErrorAccumulator(element: element.spacing, limits: data.limits)
    var done = 0
    while done < grid.elementCount {
      let end = min(done + 1 + done % 977, grid.elementCount)
      data.x[done..<end].withUnsafeBufferPointer { x in
        data.values[done..<end].withUnsafeBufferPointer { values in
          perBlock.withUnsafeBufferPointer {
            accumulator.add(x: x, values: values, blockDivisors: $0, firstBlock: 0, grid: grid)
          }
        }
      }
      done = end
    }
    #expect(accumulator.finish() == expected, "\(shape) \(block), odd pieces")
  }

  @Test("A total weighs elements equally and keeps the order's bits")
  func totals() throws {
    let element = SampleElement.all[0]
    var total = TensorErrorAccumulator.total()
    var all = SampleData(.normal, element, count: 0, seed: 0)
    for (i, count) in [1000, 1, 70_000].enumerated() {
      let data = SampleData(.normal, element, count: count, seed: UInt64(i))
      var tensor = TensorErrorAccumulator(scales: .emptyCodes)
      tensor.append(data.chunks(element))
      [UInt32(i), 255].withUnsafeBufferPointer { tensor.addScales(codes: $0) }
      tensor.clampedScales = i
      tensor.setBits(perElement: Double(4 + i))
      total.merge(tensor)
      all.x += data.x
      all.values += data.values
      all.divisors += data.divisors
    }
    let report = ErrorReport(total)
    let exact = HighPrecisionStatistics(all, element)
    #expect(report.count == 71_001)
    #expect(report.saturated == exact.saturated)
    #expect(report.flushed == exact.flushed)
    #expect(report.clampedScales == 3)
    #expect(report.maxAbsoluteError == exact.maxAbsolute.double)
    let bits: Double = 4 * 1000 + 5 + 6 * 70_000
    #expect(report.bitsPerElement == bits / 71_001)
    total.merge(TensorErrorAccumulator(scales: .emptyCodes))
    #expect(ErrorReport(total).bitsPerElement == nil)
    let mse = (exact.errorSquared / Real(71_001)).double
    #expect(distance(report.mse, mse) <= 1e-12)
    guard case .codes(let bins) = try #require(report.scaleHistogram) else {
      Issue.record("not a histogram of codes")
      return
    }
    #expect(bins[0] == 1 && bins[1] == 1 && bins[2] == 1 && bins[255] == 3)
  }
}

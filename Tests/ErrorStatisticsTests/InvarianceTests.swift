import ErrorStatistics
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
      var run = ErrorAccumulator(element: element.spacing, startIndex: start)
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

  @Test("Short last blocks and lines of any length find their divisors")
  func blocksOfLines() {
    let element = SampleElement.all[0]
    for (line, block) in [(1, 1), (7, 3), (100, 17), (33, 64), (1000, 24), (513, 128)] {
      let lines = 70_000 / line
      var data = SampleData(.normal, element, count: lines * line, seed: 6)
      var perBlock: [Double] = []
      for i in data.x.indices {
        if i % line % block == 0 { perBlock.append(Double(1 + i * 7 % 61) / 64) }
        data.divisors[i] = perBlock[perBlock.count - 1]
      }
      var accumulator = ErrorAccumulator(element: element.spacing)
      let blocksPerLine = (line - 1) / block + 1
      for firstLine in stride(from: 0, to: lines, by: 13) {
        let lastLine = min(firstLine + 13, lines)
        data.x[firstLine * line..<lastLine * line].withUnsafeBufferPointer { x in
          data.values[firstLine * line..<lastLine * line].withUnsafeBufferPointer { values in
            perBlock[firstLine * blocksPerLine..<lastLine * blocksPerLine]
              .withUnsafeBufferPointer {
                accumulator.add(x: x, values: values, blockDivisors: $0, block: block, line: line)
              }
          }
        }
      }
      #expect(accumulator.finish() == data.chunks(element), "lines of \(line), blocks of \(block)")
    }
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
      tensor.addScales(codes: [UInt8(i), 255])
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

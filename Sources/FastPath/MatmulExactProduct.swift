import CBlockKernels
import NumberFormats

/// One exact product, tile by tile.
struct ExactProduct {
  private let problem: MatmulProblem
  private let a: ExactTile
  private let b: ExactTile
  /// ⌈log2 K⌉: bits that the sum of K products has more than each of them.
  private let growth: Int
  private var sums: [UInt64] = []
  private var specials: [Double] = []
  private var sliceA: [Double] = []
  private var slicesB: [[Double]] = []
  private var products: [Double] = []

  /// A tile's lines of A, and its k.
  private static let tileRows = 256
  private static let tileDepth = 2048
  /// Lines of B of more positions have so many slices that a tile holds fewer of them.
  private static let veryWide = 160
  /// Bytes of sums held at a time.
  private static let sumBytes = 16 << 20

  init(
    _ problem: MatmulProblem, a: UnsafePointer<bk_operand>, b: UnsafePointer<bk_operand>,
    target: Int32
  ) {
    self.problem = problem
    self.a = ExactTile(a, ExactLines(a, target: target), target: target)
    self.b = ExactTile(b, ExactLines(b, target: target), target: target)
    growth = ceilLog2(problem.depth)
  }

  /// - Parameter c: m × n patterns, or nil for zeros.
  mutating func run(c: UnsafePointer<Int64>?, into output: UnsafeMutablePointer<UInt32>) {
    let columnBands = b.lines.bands { $0 > Self.veryWide ? 128 : 512 }
    for columns in columnBands {
      let columnWidth = b.lines.width[b.lines.order[columns.lowerBound]]
      let rowBands = a.lines.bands {
        let rowBytes = 8 * wordCount($0 + columnWidth) * columns.count
        return max(1, Self.sumBytes / rowBytes / Self.tileRows) * Self.tileRows
      }
      for rows in rowBands {
        let rowWidth = a.lines.width[a.lines.order[rows.lowerBound]]
        let words = wordCount(rowWidth + columnWidth)
        add(rows, columns, words: words)
        finish(rows, columns, words: words, c: c, into: output)
      }
    }
  }

  /// Words of 64 bits that hold every sum of two lines with this many positions together: the
  /// growth of the sum and a sign come on top.
  private func wordCount(_ width: Int) -> Int {
    max(2, (width + growth + 1 + 63) / 64)
  }

  private func isSpecial(_ rows: Range<Int>, _ columns: Range<Int>) -> Bool {
    a.lines.order[rows].contains { a.lines.isSpecial[$0] }
      || b.lines.order[columns].contains { b.lines.isSpecial[$0] }
  }

  /// Sets `sums`, and `specials` where there are any, to the sums of a band of rows and columns.
  private mutating func add(_ rows: Range<Int>, _ columns: Range<Int>, words: Int) {
    let special = isSpecial(rows, columns)
    sums = Array(repeating: 0, count: rows.count * columns.count * words)
    specials = special ? Array(repeating: 0, count: rows.count * columns.count) : []
    for start in stride(from: 0, to: problem.depth, by: Self.tileDepth) {
      let k = start..<min(start + Self.tileDepth, problem.depth)
      let budget = 53 - ceilLog2(k.count)
      b.read(columns, k: k)
      let counts = b.sliceCounts(limit: budget)
      for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.tileRows) {
        let tile = first..<min(first + Self.tileRows, rows.upperBound)
        a.read(tile, k: k)
        cut(budget: budget, columnCounts: counts)
        addTile(at: first - rows.lowerBound, columns: columns.count, words: words)
        if special { addSpecials(at: first - rows.lowerBound, columns: columns.count) }
      }
    }
  }

  /// Shares the bits of a product between both sides so that the fewest slices meet.
  private mutating func cut(budget: Int, columnCounts: [Int]) {
    let rowCounts = a.sliceCounts(limit: budget)
    let width = (1..<budget).min {
      rowCounts[$0] * columnCounts[budget - $0] < rowCounts[$1] * columnCounts[budget - $1]
    }
    let widthA = width ?? 1
    a.cut(widthA)
    guard b.width != budget - widthA else { return }
    b.cut(budget - widthA)
    while slicesB.count < b.slots.count { slicesB.append([]) }
    for slot in b.slots.indices { b.slices(slot, into: &slicesB[slot]) }
  }

  private mutating func addTile(at row: Int, columns: Int, words: Int) {
    let needed = a.members.count * columns
    if products.count < needed { products = Array(repeating: 0, count: needed) }
    for (index, slotA) in a.slots.enumerated() {
      a.slices(index, into: &sliceA)
      for (slotB, slices) in zip(b.slots, slicesB) {
        products.withUnsafeMutableBufferPointer { products in
          sums.withUnsafeMutableBufferPointer { sums in
            guard let product = products.baseAddress, let sum = sums.baseAddress else { return }
            OpenBLAS.multiply(
              sliceA, rows: slotA.line.count, slices, columns: slotB.line.count, depth: a.depth,
              into: product)
            slotA.withList { rows in
              slotB.withList { list in
                bk_exact_add(
                  product, rows, list, sum + row * columns * words, Int32(words), Int64(columns))
              }
            }
          }
        }
      }
    }
  }

  private mutating func addSpecials(at row: Int, columns: Int) {
    var places = [Int32](repeating: 0, count: a.depth)
    let depth = Int64(a.depth)
    specials.withUnsafeMutableBufferPointer { specials in
      guard let first = specials.baseAddress else { return }
      let sums = first + row * columns
      a.values.withUnsafeBufferPointer { valuesA in
        b.values.withUnsafeBufferPointer { valuesB in
          guard let valueA = valuesA.baseAddress, let valueB = valuesB.baseAddress else { return }
          for (index, line) in a.members.enumerated() where a.lines.isSpecial[line] {
            bk_exact_specials(
              valueA + index * a.depth, valueB, Int64(b.members.count), depth, &places,
              sums + index * columns, 1)
          }
          for (index, line) in b.members.enumerated() where b.lines.isSpecial[line] {
            bk_exact_specials(
              valueB + index * a.depth, valueA, Int64(a.members.count), depth, &places,
              sums + index, Int64(columns))
          }
        }
      }
    }
  }

  private func finish(
    _ rows: Range<Int>, _ columns: Range<Int>, words: Int, c: UnsafePointer<Int64>?,
    into output: UnsafeMutablePointer<UInt32>
  ) {
    let places = b.lines.order[columns].map { Int32($0) }
    let exponents = b.lines.order[columns].map { b.lines.lowest[$0] - BK_EXACT_POINT }
    let n = problem.columns
    sums.withUnsafeBufferPointer { sums in
      specials.withUnsafeBufferPointer { specials in
        places.withUnsafeBufferPointer { places in
          exponents.withUnsafeBufferPointer { exponents in
            for (index, line) in a.lines.order[rows].enumerated() {
              var row = bk_exact_row()
              row.sums = sums.baseAddress.map { $0 + index * columns.count * words }
              row.words = Int32(words)
              row.exponent = exponents.baseAddress
              row.row_exponent = a.lines.lowest[line] - BK_EXACT_POINT
              row.specials =
                specials.isEmpty ? nil : specials.baseAddress.map { $0 + index * columns.count }
              row.c = c.map { $0 + line * n }
              row.tensor_scale_a = problem.a.tensorScale ?? 1
              row.tensor_scale_b = problem.b.tensorScale ?? 1
              row.nan = problem.accumulator.output.nan
              row.place = places.baseAddress
              row.count = Int64(columns.count)
              bk_exact_finish(&row, output + line * n)
            }
          }
        }
      }
    }
  }
}

/// ⌈log2 value⌉ for value ≥ 1.
private func ceilLog2(_ value: Int) -> Int {
  Int.bitWidth - (value - 1).leadingZeroBitCount
}

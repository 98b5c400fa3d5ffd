import ErrorStatistics
import FastPath
import NumberFormats

/// One product, tile by tile, so that memory stays bounded.
struct MatmulTiles: Sendable {
  let experiment: MatmulExperiment
  let a: MatmulSideData
  let b: MatmulSideData
  let accumulator: Accumulator
  /// What the lines are called in statistics.
  let rows: [Int]
  let columns: [Int]
  let firstRow: Int
  let worstCount: Int

  var outputType: MatmulOutputType {
    MatmulProblem(a: a.operand, b: b.operand, accumulator: accumulator).outputType
  }

  private var depth: Int { a.operand.depth }

  /// Lines of a tile: its float64 operands, twice each, take at most about 32 MB a side.
  private func tileSize(_ lines: Int, _ most: Int) -> Int {
    min(max(1, lines), max(8, min(most, (1 << 22) / max(1, 2 * depth))))
  }

  /// Adds every tile's statistics to `sums`, in a fixed order.
  func run(
    _ sums: ProductErrorSums, names: (InputTensor, InputTensor), writer: MatmulWriter?,
    progress: @Sendable (Int) -> Void
  ) throws -> (sums: ProductErrorSums, referenceBound: Double) {
    var sums = sums
    var bound = 0.0
    let height = tileSize(rows.count, 256)
    let width = tileSize(columns.count, 512)
    let starts = Array(stride(from: 0, to: rows.count, by: height))
    for first in stride(from: 0, to: columns.count, by: width) {
      let columnRange = first..<min(first + width, columns.count)
      let right = MatmulTileSide(b, columnRange, experiment.quantizer)
      let tiles = try experiment.parallel.map(starts.count) {
        (index) throws(MeasurementError) -> (sums: ProductErrorSums, bound: Double) in
        let rowRange = starts[index]..<min(starts[index] + height, rows.count)
        let tile = try tile(rowRange, columnRange, right, names)
        writer?.write(
          tile.observed, rows: rowRange, columns: columnRange, firstRow: firstRow)
        progress(rowRange.count * columnRange.count * depth)
        return (tile.sums, tile.bound)
      }
      for tile in tiles {
        sums.merge(tile.sums)
        bound = max(bound, tile.bound)
      }
    }
    return (sums, bound)
  }

  private func tile(
    _ rowRange: Range<Int>, _ columnRange: Range<Int>, _ right: MatmulTileSide,
    _ names: (InputTensor, InputTensor)
  ) throws(MeasurementError) -> (sums: ProductErrorSums, bound: Double, observed: [Int64]) {
    let left = MatmulTileSide(a, rowRange, experiment.quantizer)
    let problem = MatmulProblem(a: left.operand, b: right.operand, accumulator: accumulator)
    let observed: [Int64]
    do throws(MatmulError) {
      try problem.check()
      observed = try experiment.engine.multiply(problem)
    } catch {
      throw .matmul(
        a: "\(names.0.path): tensor \"\(names.0.name)\"",
        b: "\(names.1.path): tensor \"\(names.1.name)\"", error)
    }
    let values = MatmulValues(problem)
    let m = rowRange.count
    let n = columnRange.count
    var products = [Double](repeating: 0, count: 4 * m * n)
    let reference = left.stacked.withUnsafeBufferPointer { a in
      right.stacked.withUnsafeBufferPointer { b in
        products.withUnsafeMutableBufferPointer { output in
          Float64Product(a: a, b: b, rows: 2 * m, columns: 2 * n, depth: depth, into: output)
        }
      }
    }
    let whole = WholeProducts(left, right, rows: m, columns: n, depth: depth)
    var bound = 0.0
    var sums = ProductErrorSums(worstCount: worstCount)
    sums.addTile(
      rows: rows[rowRange].map { $0 + firstRow }[...], columns: columns[columnRange]
    ) { row, column in
      let upper = row * 2 * n + column
      if products[upper].isFinite { bound = max(bound, reference.bound(row: row, column: column)) }
      let lower = (row + m) * 2 * n + column
      var exact = products[upper]
      var value = values.value(observed[row * n + column])
      if let whole {
        // What is kept apart adds the same to both.
        exact = whole.values[row * n + column]
        value += exact - products[upper]
      }
      return ProductOutput(
        row: rows[rowRange.lowerBound + row] + firstRow,
        column: columns[columnRange.lowerBound + column], exact: exact,
        observed: value, weight: products[upper + n],
        activation: products[lower], interaction: products[lower + n])
    }
    return (sums, bound, observed)
  }
}

/// Lines of one side in a tile: codes, and in float64 the originals above what quantisation did.
struct MatmulTileSide: Sendable {
  let operand: MatmulOperand
  /// 2·lines × depth: the lines, then their quantised values minus them, both before any rotation.
  let stacked: [Double]
  /// lines × depth: the lines with what is kept apart; nil where nothing is.
  let whole: [Double]?

  init(_ side: MatmulSideData, _ range: Range<Int>, _ engine: any QuantizationEngine) {
    operand = side.operand.lines(range)
    let depth = side.operand.depth
    let count = range.count * depth
    var values = decodedValues(operand, engine)
    if let rotation = side.rotation {
      values.withUnsafeMutableBufferPointer { rotation.rotate($0) }
    }
    whole = side.whole.map { matrix in
      matrix.values.reading((range.lowerBound * depth)..<(range.upperBound * depth))
        .map { Double($0) }
    }
    let source = side.original.values.reading(
      (range.lowerBound * depth)..<(range.upperBound * depth))
    stacked = [Double](unsafeUninitializedCapacity: 2 * count) { buffer, initialized in
      for index in 0..<count {
        let original = Double(source[index])
        buffer[index] = original
        buffer[count + index] = values[index] - original
      }
      initialized = 2 * count
    }
  }
}

/// The products of a tile's lines with what an outlier split keeps apart, in float64.
private struct WholeProducts {
  var values: [Double]

  /// - Returns: nil where nothing is kept apart.
  init?(
    _ left: MatmulTileSide, _ right: MatmulTileSide, rows: Int, columns: Int, depth: Int
  ) {
    guard let a = left.whole, let b = right.whole else { return nil }
    values = [Double](repeating: 0, count: rows * columns)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        values.withUnsafeMutableBufferPointer { output in
          _ = Float64Product(a: a, b: b, rows: rows, columns: columns, depth: depth, into: output)
        }
      }
    }
  }
}

/// code · scale · T in double: code · scale is exact, the factor T rounds once.
private func decodedValues(_ operand: MatmulOperand, _ engine: any QuantizationEngine) -> [Double] {
  let count = operand.lines * operand.depth
  var codes = [Float](repeating: 0, count: count)
  operand.codes.withUnsafeBytes { bytes in
    codes.withUnsafeMutableBufferPointer {
      engine.decode(codes: bytes, element: operand.element, into: $0)
    }
  }
  let factor = Double(operand.tensorScale ?? 1)
  guard let scales = operand.scales else { return codes.map { Double($0) * factor } }
  var decoded = [Float](repeating: 0, count: scales.codes.count)
  scales.codes.withUnsafeBufferPointer { patterns in
    decoded.withUnsafeMutableBufferPointer {
      engine.decodeScales(patterns, format: scales.format, into: $0)
    }
  }
  let blocks = MatmulOperand.Scales.count(depth: operand.depth, block: scales.block)
  return [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
    for line in 0..<operand.lines {
      for block in 0..<blocks {
        let scale = Double(decoded[line * blocks + block])
        let start = line * operand.depth + block * scales.block
        let end = min(start + scales.block, (line + 1) * operand.depth)
        for index in start..<end { buffer[index] = Double(codes[index]) * scale * factor }
      }
    }
    initialized = count
  }
}

/// What D's patterns mean.
struct MatmulValues: Sendable {
  let type: MatmulOutputType
  private let unit: Double

  init(_ problem: MatmulProblem) {
    type = problem.outputType
    var exponent = 0
    if case .fixed(let register) = problem.accumulator.datapath { exponent = register.lsb }
    if case .integer = problem.accumulator.datapath, type != .float32 {
      exponent = -fractionBits(problem.a.element) - fractionBits(problem.b.element)
    }
    unit = Double(sign: .plus, exponent: exponent, significand: 1)
  }

  func value(_ pattern: Int64) -> Double {
    switch type {
    case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: pattern)))
    case .float16: Double(float16Value(UInt16(truncatingIfNeeded: pattern)))
    case .int32, .int64: Double(pattern) * unit
    }
  }
}

private func fractionBits(_ element: ElementFormat) -> Int {
  if case .integer(let layout) = element.kind { return layout.fractionBits }
  return 0
}

/// An IEEE binary16 pattern's value, by integer arithmetic: Float16 is not on every platform.
func float16Value(_ pattern: UInt16) -> Float {
  let sign: Float = pattern & 0x8000 != 0 ? -1 : 1
  let field = Int(pattern >> 10) & 0x1F
  let fraction = Float(pattern & 0x3FF)
  if field == 0x1F { return fraction == 0 ? sign * .infinity : .nan }
  if field == 0 { return sign * fraction * 0x1p-24 }
  return sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: field - 15, significand: 1)
}

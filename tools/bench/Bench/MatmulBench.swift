import FastPath
import FormatCatalog
import Foundation
import NumberFormats

/// Emulated products against OpenBLAS of the same size, on one core, packing included.
struct MatmulBench {
  let engine: VectorEngine
  let catalog: FormatCatalog
  let size: Int
  let runs: Int

  /// One line of the table.
  struct Line {
    var label: String
    var problem: MatmulProblem
    /// The least share of sgemm that the design aims at; nil: 1 GMAC/s.
    var aim: Double?
  }

  private func values(seed: UInt64, spread: Bool) -> [Float] {
    var state = seed
    func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
    }
    var result = [Float](repeating: 0, count: size * size)
    for start in stride(from: 0, to: result.count, by: 16) {
      // Blocks of very different sizes make sums that the unit has to cut.
      let factor = spread ? Float(sign: .plus, exponent: Int(next() * 8), significand: 1) : 1
      for index in start..<min(start + 16, result.count) {
        result[index] = (next() + next()) * 0.05 * factor
      }
    }
    return result
  }

  private func quantised(_ name: String, _ values: [Float]) throws -> MatmulOperand {
    guard let format = catalog.block(name), let exact = catalog.recipe("exact") else {
      throw CocoaError(.fileNoSuchFile)
    }
    let spec = QuantizationSpec(format: format, recipe: exact)
    let grid = try BlockGrid(shape: [size, size], block: format.block)
    let amax = values.map(\.magnitude).max() ?? 0
    let scale = try engine.tensorScale(amax: amax, spec: spec)
    var codes = [UInt8](repeating: 0, count: values.count * format.element.codeBytes)
    var scales = [UInt32](repeating: 0, count: grid.blockCount)
    try values.withUnsafeBufferPointer { values in
      try codes.withUnsafeMutableBytes { codes in
        try scales.withUnsafeMutableBufferPointer { scales in
          _ = try engine.quantize(
            values, grid: grid, spec: spec, tensorScale: scale, firstElement: 0,
            scalesGiven: false, codes: codes, scales: scales)
        }
      }
    }
    return MatmulOperand(
      element: format.element, lines: size, depth: size, codes: codes,
      scales: MatmulOperand.Scales(
        format: format.scale, block: grid.tileColumns, codes: scales),
      tensorScale: format.hasTensorScale ? scale.decode : nil)
  }

  private func plain(_ name: String, _ values: [Float]) throws -> MatmulOperand {
    guard let element = catalog.element(name) else { throw CocoaError(.fileNoSuchFile) }
    var codes = [UInt8](repeating: 0, count: values.count * element.codeBytes)
    // Integers of a useful size; floats as they are.
    let factor: Float = if case .integer = element.kind { 1000 } else { 1 }
    let scaled = values.map { $0 * factor }
    try scaled.withUnsafeBufferPointer { values in
      try codes.withUnsafeMutableBytes {
        try engine.encode(values, element: element, options: EncodeOptions(), into: $0)
      }
    }
    return MatmulOperand(element: element, lines: size, depth: size, codes: codes)
  }

  private func accumulator(_ name: String) throws -> Accumulator {
    guard let found = catalog.accumulator(name) else { throw CocoaError(.fileNoSuchFile) }
    return found
  }

  /// The products that the design names.
  func named() throws -> [Line] {
    let (a, b) = (values(seed: 1, spread: false), values(seed: 2, spread: false))
    let (wideA, wideB) = (values(seed: 3, spread: true), values(seed: 4, spread: true))
    func line(
      _ label: String, _ unit: String, _ operands: (MatmulOperand, MatmulOperand), _ aim: Double?
    ) throws -> Line {
      Line(
        label: label,
        problem: MatmulProblem(a: operands.0, b: operands.1, accumulator: try accumulator(unit)),
        aim: aim)
    }
    let nvfp4 = (try quantised("nvfp4", a), try quantised("nvfp4", b))
    let wide = (try quantised("nvfp4", wideA), try quantised("nvfp4", wideB))
    let mxfp8 = (try quantised("mxfp8_e4m3", a), try quantised("mxfp8_e4m3", b))
    let fp8 = (try plain("e4m3", a), try plain("e4m3", b))
    return [
      try line("NVFP4, blackwell-fp4", "blackwell-fp4", nvfp4, 0.8),
      try line("NVFP4 of mixed sizes, blackwell-fp4", "blackwell-fp4", wide, 0.55),
      try line("MXFP8, blackwell-mx", "blackwell-mx", mxfp8, nil),
      try line("FP8, hopper-fp8", "hopper-fp8", fp8, 0.35),
      try line("INT8, int8-wrap", "int8-wrap", (try plain("int8", a), try plain("int8", b)), 3),
      try line("NVFP4, exact", "exact", nvfp4, 1.5),
      try line("MXFP8, exact", "exact", mxfp8, nil),
    ]
  }

  /// Every accumulator on the first element it takes; those that take any, on MXFP8.
  func every() throws -> [Line] {
    let (a, b) = (values(seed: 1, spread: false), values(seed: 2, spread: false))
    return try catalog.accumulators.map { row in
      let name: String
      switch row.operands {
      case .any: name = "mxfp8_e4m3"
      case .integers: name = "int8"
      case .named(let names): name = names[0]
      }
      let isScaled = row.operands == .any
      let operands =
        isScaled
        ? (try quantised(name, a), try quantised(name, b))
        : (try plain(name, a), try plain(name, b))
      return Line(
        label: "\(name), \(row.name)",
        problem: MatmulProblem(a: operands.0, b: operands.1, accumulator: row), aim: nil)
    }
  }

  /// Seconds of the best of several runs, this product and OpenBLAS's in turn.
  func measure(_ line: Line) throws -> (emulated: Double, single: Double) {
    let count = size * size
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 8 * count, alignment: 64)
    defer { output.deallocate() }
    var (emulated, single) = (Double.infinity, Double.infinity)
    for _ in 0..<runs {
      single = min(single, sgemmSeconds())
      var failure: (any Error)?
      emulated = min(
        emulated,
        best(of: 1) {
          do { try engine.multiply(line.problem, into: output) } catch { failure = error }
        })
      if let failure { throw failure }
    }
    return (emulated, single)
  }

  func sgemmSeconds() -> Double {
    let a = [Float](repeating: 0.5, count: size * size)
    let b = [Float](repeating: 0.25, count: size * size)
    var c = [Float](repeating: 0, count: size * size)
    return best(of: 1) {
      OpenBLAS.multiply(a, rows: size, b, columns: size, depth: size, into: &c)
    }
  }

  func dgemmSeconds() -> Double {
    let a = [Double](repeating: 0.5, count: size * size)
    let b = [Double](repeating: 0.25, count: size * size)
    var c = [Double](repeating: 0, count: size * size)
    return best(of: 1) {
      OpenBLAS.multiply(a, rows: size, b, columns: size, depth: size, into: &c)
    }
  }

  var multiplyAccumulates: Double { Double(size) * Double(size) * Double(size) * 1e-9 }
}

/// Prints the table of products.
func benchMatmul(catalog: FormatCatalog, quick: Bool, only: String?) throws {
  let engine = try VectorEngine(target: .auto)
  let bench = MatmulBench(
    engine: engine, catalog: catalog, size: quick ? 1024 : 2048, runs: quick ? 3 : 5)
  let work = bench.multiplyAccumulates
  let (single, double) = (
    (0..<bench.runs).map { _ in bench.sgemmSeconds() }.min() ?? 0,
    (0..<bench.runs).map { _ in bench.dgemmSeconds() }.min() ?? 0
  )
  print(
    "\nProducts, \(bench.size) x \(bench.size) x \(bench.size), \(engine.name), packing included."
      + " OpenBLAS core \(OpenBLAS.core): sgemm \(text(work / single, "%.1f")) GMAC/s, dgemm"
      + " \(text(work / double, "%.1f")) GMAC/s.\n")
  print("| product | GMAC/s | of sgemm | aim |")
  print("|---|---|---|---|")
  for line in try bench.named() where only.map({ line.label.contains($0) }) ?? true {
    let (emulated, single) = try bench.measure(line)
    print(
      "| \(line.label) | \(text(work / emulated, "%.1f")) | \(text(single / emulated, "%.2f"))"
        + " | \(line.aim.map { "\($0)" } ?? "1 GMAC/s") |")
  }
  let small = MatmulBench(engine: engine, catalog: catalog, size: quick ? 512 : 1024, runs: 1)
  print("\nEvery accumulator, \(small.size) x \(small.size) x \(small.size), aim 1 GMAC/s.\n")
  print("| product | GMAC/s |")
  print("|---|---|")
  for line in try small.every() where only.map({ line.label.contains($0) }) ?? true {
    let (emulated, _) = try small.measure(line)
    print("| \(line.label) | \(text(small.multiplyAccumulates / emulated, "%.1f")) |")
  }
}

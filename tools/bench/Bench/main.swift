import FastPath
import FormatCatalog
import Foundation
import NumberFormats

/// One line of the table.
struct Case {
  var format: String
  var block: BlockShape
  var label: String { "\(format) \(block)" }
}

let cases: [Case] =
  ["nvfp4", "mxfp4", "mxfp8_e4m3", "int8"].flatMap { format in
    [16, 32, 128, 17, 24].map { Case(format: format, block: .line($0)) }
  } + [
    Case(format: "nvfp4", block: .tile(rows: 16, columns: 16)),
    Case(format: "nf4", block: .line(64)),
    Case(format: "mxfp6_e2m3", block: .line(32)), Case(format: "mxint8", block: .line(32)),
  ]

/// Normal-like numbers, the same in every run.
func fill(_ values: UnsafeMutableBufferPointer<Float>) {
  var state: UInt64 = 1
  for index in values.indices {
    var sum: Float = 0
    for _ in 0..<2 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      sum += Float(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
      sum += Float(Int32(truncatingIfNeeded: (state >> 16))) * 0x1p-31
    }
    values[index] = sum * 0.05
  }
}

/// Billions of elements a second, each the best of several passes taken in turn.
struct Rates {
  var read = 0.0
  var quantize = 0.0
  var dequantize = 0.0
}

/// One case's buffers and calls.
struct Workload {
  let engine: VectorEngine
  let grid: BlockGrid
  let spec: QuantizationSpec
  let scale: TensorScale
  let values: UnsafeBufferPointer<Float>
  let codes: UnsafeMutableRawBufferPointer
  let scales: UnsafeMutableBufferPointer<UInt32>
  let output: UnsafeMutableBufferPointer<Float>

  init(
    _ test: Case, _ engine: VectorEngine, _ catalog: FormatCatalog,
    _ values: UnsafeBufferPointer<Float>, columns: Int
  ) throws {
    guard let format = catalog.block(test.format), let exact = catalog.recipe("exact") else {
      throw CocoaError(.fileNoSuchFile)
    }
    // A tensor scale that is no power of two: a float32 division alone would misplace boundaries.
    let choice: TensorScaleChoice = format.hasTensorScale ? .given(0.000137) : .auto
    self.engine = engine
    self.values = values
    spec = QuantizationSpec(format: format, recipe: exact, tensorScale: choice)
    grid = try BlockGrid(shape: [values.count / columns, columns], block: test.block)
    scale = try engine.tensorScale(amax: 1, spec: spec)
    codes = .allocate(byteCount: values.count, alignment: 64)
    scales = .allocate(capacity: grid.blockCount)
    output = .allocate(capacity: values.count)
    codes.initializeMemory(as: UInt8.self, repeating: 0)
    scales.initialize(repeating: 0)
    output.initialize(repeating: 0)
  }

  func free() {
    codes.deallocate()
    scales.deallocate()
    output.deallocate()
  }

  private var packs: Bool { spec.format.element.bits == 4 }

  func quantize() {
    if packs {
      _ = engine.quantizePacked(
        values, grid: grid, spec: spec, tensorScale: scale, packed: codes, scales: scales)
    } else {
      _ = try? engine.quantize(
        values, grid: grid, spec: spec, tensorScale: scale, firstElement: 0, scalesGiven: false,
        codes: codes, scales: scales)
    }
  }

  func dequantize() {
    let input = UnsafeRawBufferPointer(codes)
    let stored = UnsafeBufferPointer(scales)
    if packs {
      engine.dequantizePacked(
        input, scales: stored, grid: grid, spec: spec, tensorScale: scale, into: output)
    } else {
      engine.dequantize(
        codes: input, scales: stored, grid: grid, spec: spec, tensorScale: scale, into: output)
    }
  }

  /// Reading, quantising and dequantising in turn, so that the machine's moods meet all three.
  func measure(repeats: Int, runs: Int, sink: Sink) -> Rates {
    var rates = Rates()
    let elements = Double(values.count * repeats) * 1e-9
    func rate(_ body: () -> Void) -> Double {
      elements / best(of: 1) { for _ in 0..<repeats { body() } }
    }
    for _ in 0..<runs {
      rates.read = max(rates.read, rate { sink.take(readAll(values)) })
      rates.quantize = max(rates.quantize, rate(quantize))
      rates.dequantize = max(rates.dequantize, rate(dequantize))
    }
    return rates
  }
}

func text(_ value: Double, _ format: String) -> String { String(format: format, value) }

let quick = CommandLine.arguments.contains("--quick")
let only = CommandLine.arguments.drop { $0 != "--only" }.dropFirst().first
if CommandLine.arguments.contains("--matmul") {
  try benchMatmul(catalog: try FormatCatalog.standard(), quick: quick, only: only)
  exit(0)
}
let columns = 24 * 17 * 16
let rows = quick ? 1024 : 9216
let large = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows * columns)
fill(large)
let memory = UnsafeBufferPointer(large)
let cache = UnsafeBufferPointer(rebasing: memory[0..<(16 * columns)])
let catalog = try FormatCatalog.standard()
let sink = Sink()
let runs = quick ? 4 : 8
let readSeconds = best(of: runs) { sink.take(readAll(memory)) }
let readRate = Double(memory.count) * 1e-9 / readSeconds
print(
  "tensor of \(memory.count) float32 (\(memory.count * 4 / 1_048_576) MiB); in cache: \(cache.count)"
)
print(
  "read rate from memory: \(text(readRate, "%.2f")) G element/s (\(text(readRate * 4, "%.1f")) GB/s)"
)
var engines: [VectorEngine] = []
for target in VectorTarget.available { engines.append(try VectorEngine(target: target)) }
for engine in engines {
  let seconds = best(of: runs) { sink.take(UInt32(engine.finiteAmax(memory).nonFinite)) }
  let rate = Double(memory.count) * 1e-9 / seconds
  print(
    "tensor maximum, \(engine.name): \(text(rate, "%.2f")) G element/s, \(text(rate / readRate * 100, "%.0f")) % of the read rate"
  )
}
print("")
print(
  "| format, block | engine | quantise, cache | quantise, memory | of read rate | dequantise, cache | dequantise, memory |"
)
print("|---|---|---|---|---|---|---|")
for test in cases where only == nil || test.format == only {
  for engine in engines {
    let near = try Workload(test, engine, catalog, cache, columns: columns)
    let far = try Workload(test, engine, catalog, memory, columns: columns)
    let inCache = near.measure(repeats: 20, runs: runs, sink: sink)
    let inMemory = far.measure(repeats: 1, runs: runs, sink: sink)
    near.free()
    far.free()
    print(
      "| \(test.label) | \(engine.name) | \(text(inCache.quantize, "%.2f")) | \(text(inMemory.quantize, "%.2f")) | \(text(inMemory.quantize / inMemory.read * 100, "%.0f")) % | \(text(inCache.dequantize, "%.2f")) | \(text(inMemory.dequantize, "%.2f")) |"
    )
  }
}
if only == nil { try benchMatmul(catalog: catalog, quick: quick, only: nil) }

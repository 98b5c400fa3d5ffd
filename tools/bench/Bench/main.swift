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

struct Rates {
  var quantize: Double
  var dequantize: Double
}

/// Billions of elements a second of one case on one engine.
func measure(
  _ test: Case, _ engine: VectorEngine, _ catalog: FormatCatalog,
  _ values: UnsafeBufferPointer<Float>, columns: Int, repeats: Int, runs: Int
) throws -> Rates {
  guard let format = catalog.block(test.format), let exact = catalog.recipe("exact") else {
    throw CocoaError(.fileNoSuchFile)
  }
  // A tensor scale that is no power of two: a float32 division alone would misplace boundaries.
  let choice: TensorScaleChoice = format.hasTensorScale ? .given(0.000137) : .auto
  let spec = QuantizationSpec(format: format, recipe: exact, tensorScale: choice)
  let grid = try BlockGrid(shape: [values.count / columns, columns], block: test.block)
  let scale = try engine.tensorScale(amax: 1, spec: spec)
  let packs = format.element.bits == 4
  let codes = UnsafeMutableRawBufferPointer.allocate(byteCount: values.count, alignment: 64)
  let scales = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: grid.blockCount)
  let output = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
  defer {
    codes.deallocate()
    scales.deallocate()
    output.deallocate()
  }
  codes.initializeMemory(as: UInt8.self, repeating: 0)
  output.initialize(repeating: 0)
  scales.initialize(repeating: 0)
  let quantize = best(of: runs) {
    for _ in 0..<repeats {
      if packs {
        _ = engine.quantizePacked(
          values, grid: grid, spec: spec, tensorScale: scale, packed: codes, scales: scales)
      } else {
        _ = try? engine.quantize(
          values, grid: grid, spec: spec, tensorScale: scale, firstElement: 0, scalesGiven: false,
          codes: codes, scales: scales)
      }
    }
  }
  let dequantize = best(of: runs) {
    for _ in 0..<repeats {
      if packs {
        engine.dequantizePacked(
          UnsafeRawBufferPointer(codes), scales: UnsafeBufferPointer(scales), grid: grid,
          spec: spec, tensorScale: scale, into: output)
      } else {
        engine.dequantize(
          codes: UnsafeRawBufferPointer(codes), scales: UnsafeBufferPointer(scales), grid: grid,
          spec: spec, tensorScale: scale, into: output)
      }
    }
  }
  let elements = Double(values.count * repeats) * 1e-9
  return Rates(quantize: elements / quantize, dequantize: elements / dequantize)
}

func text(_ value: Double, _ format: String) -> String { String(format: format, value) }

let quick = CommandLine.arguments.contains("--quick")
let columns = 24 * 17 * 16
let rows = quick ? 1024 : 9216
let large = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows * columns)
fill(large)
let memory = UnsafeBufferPointer(large)
let cache = UnsafeBufferPointer(rebasing: memory[0..<(16 * columns)])
let catalog = try FormatCatalog.standard()
var sink: UInt32 = 0
let runs = quick ? 3 : 5
let readSeconds = best(of: runs) { sink &+= readAll(memory) }
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
  let seconds = best(of: runs) { sink &+= UInt32(engine.finiteAmax(memory).nonFinite) }
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
for test in cases {
  for engine in engines {
    let near = try measure(test, engine, catalog, cache, columns: columns, repeats: 20, runs: runs)
    let far = try measure(test, engine, catalog, memory, columns: columns, repeats: 1, runs: runs)
    print(
      "| \(test.label) | \(engine.name) | \(text(near.quantize, "%.2f")) | \(text(far.quantize, "%.2f")) | \(text(far.quantize / readRate * 100, "%.0f")) % | \(text(near.dequantize, "%.2f")) | \(text(far.dequantize, "%.2f")) |"
    )
  }
}
if sink == 42 { print("") }

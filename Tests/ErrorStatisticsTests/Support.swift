import ErrorStatistics
import NumberFormats

extension SampleData {
  /// The chunks of the whole data, cut into calls of the given lengths (repeated until the end).
  func chunks(
    _ element: SampleElement, target: KernelTarget = .automatic, pieces: [Int] = [.max],
    byBlock: Bool = false, limits: ScaleLimits? = nil
  ) -> [ChunkSums] {
    let limits = limits ?? self.limits
    var accumulator = ErrorAccumulator(element: element.spacing, limits: limits, target: target)
    let blocks = blockDivisors
    guard let grid = try? BlockGrid(shape: [x.count], block: .line(Self.block)) else { return [] }
    var done = 0
    var turn = 0
    while done < x.count {
      let end = done + min(pieces[turn % pieces.count], x.count - done)
      turn += 1
      x[done..<end].withUnsafeBufferPointer { x in
        values[done..<end].withUnsafeBufferPointer { values in
          if byBlock {
            blocks.withUnsafeBufferPointer {
              accumulator.add(
                x: x, values: values, blockDivisors: $0, firstBlock: 0, grid: grid)
            }
          } else {
            divisors[done..<end].withUnsafeBufferPointer {
              accumulator.add(x: x, values: values, divisors: $0)
            }
          }
        }
      }
      done = end
    }
    return accumulator.finish()
  }

  func report(_ element: SampleElement, target: KernelTarget = .automatic) -> ErrorReport {
    var tensor = TensorErrorAccumulator(scales: .emptyCodes)
    tensor.append(chunks(element, target: target))
    return ErrorReport(tensor)
  }
}

/// |a − b| relative to b, with bits in hexadecimal for a message.
func distance(_ a: Double?, _ b: Double) -> Double {
  guard let a else { return .infinity }
  return a == b ? 0 : abs(a - b) / abs(b)
}

func bits(_ value: Double?) -> String {
  guard let value else { return "nil" }
  let pattern = value.bitPattern
  return "\(value) = 0x" + String(pattern, radix: 16) + " = 0b" + String(pattern, radix: 2)
}

import Dispatch

/// The best of several runs of `body`, in seconds: noise only ever adds time.
func best(of runs: Int, _ body: () -> Void) -> Double {
  var least = Double.infinity
  for _ in 0..<runs {
    let start = DispatchTime.now().uptimeNanoseconds
    body()
    least = min(least, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
  }
  return least
}

/// Reads every number once, in wide registers and with several chains: the memory's read rate.
@inline(never)
func readAll(_ values: UnsafeBufferPointer<Float>) -> UInt32 {
  let vectors = UnsafeRawBufferPointer(values).bindMemory(to: SIMD16<UInt32>.self)
  var a = SIMD16<UInt32>.zero
  var b = a
  var c = a
  var d = a
  var index = 0
  while index + 4 <= vectors.count {
    a |= vectors[index]
    b |= vectors[index &+ 1]
    c |= vectors[index &+ 2]
    d |= vectors[index &+ 3]
    index &+= 4
  }
  let all = a | b | c | d
  return all.wrappedSum()
}

/// Takes results, so that the work behind them is not optimised away.
final class Sink {
  private var sum: UInt32 = 0
  @inline(never)
  func take(_ value: UInt32) { sum &+= value }
}

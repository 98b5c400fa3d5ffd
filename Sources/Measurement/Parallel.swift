import Dispatch
import FoundationEssentials
import Synchronization

/// Work on numbered pieces by several threads. Which thread takes which piece never shows in a
/// result: every piece has a place of its own, and callers merge in index order.
public struct Parallel: Sendable {
  /// Threads used, 1 or more.
  public var threads: Int

  /// - Parameter threads: nil means one for each processor this process may use.
  public init(threads: Int? = nil) {
    self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
  }

  /// Calls `body` once for every index from 0 up to `count`, several at a time, and returns when
  /// all are done. After an error no new piece starts; the error of the lowest index is thrown.
  public func forEach<Failure: Error>(
    _ count: Int, _ body: @Sendable (Int) throws(Failure) -> Void
  ) throws(Failure) {
    guard count > 1, threads > 1 else {
      for index in 0..<count { try body(index) }
      return
    }
    let next = Atomic(0)
    let failure = Mutex<(index: Int, error: Failure)?>(nil)
    DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
      while failure.withLock({ $0 == nil }) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        do throws(Failure) {
          try body(index)
        } catch {
          failure.withLock { first in
            if first.map({ index < $0.index }) ?? true { first = (index, error) }
          }
        }
      }
    }
    if let first = failure.withLock({ $0 }) { throw first.error }
  }

  /// The results of `body` for every index from 0 up to `count`, in index order.
  public func map<Result: Sendable, Failure: Error>(
    _ count: Int, _ body: @Sendable (Int) throws(Failure) -> Result
  ) throws(Failure) -> [Result] {
    let results = Mutex([Result?](repeating: nil, count: count))
    try forEach(count) { (index) throws(Failure) in
      let result = try body(index)
      results.withLock { $0[index] = result }
    }
    return results.withLock { $0.compactMap { $0 } }
  }
}

/// Uninitialised memory that grows and is reused, shared by threads that write disjoint parts of it.
final class Storage<Element: BitwiseCopyable>: @unchecked Sendable {
  private var memory = UnsafeMutableBufferPointer<Element>(start: nil, count: 0)

  init(count: Int = 0) { reserve(count) }

  deinit { memory.deallocate() }

  /// Makes room for `count` elements; what was there is lost where that takes new memory.
  func reserve(_ count: Int) {
    guard count > memory.count else { return }
    memory.deallocate()
    memory = .allocate(capacity: count)
  }

  /// A part of the memory, which must have been reserved.
  subscript(range: Range<Int>) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(rebasing: memory[range])
  }

  func reading(_ range: Range<Int>) -> UnsafeBufferPointer<Element> {
    UnsafeBufferPointer(self[range])
  }
}

extension Range<Int> {
  /// The same range counted from another origin.
  func relative(to origin: Int) -> Range<Int> { (lowerBound - origin)..<(upperBound - origin) }
}

import NumberFormats

/// The random words of one case: Philox4x32-10 with the seed as key and (class, case, draw) as
/// counter, integers only, so that no case depends on another, on threads or on the machine.
struct CaseRandom {
  private let seed: UInt64
  private var counter: UInt64

  /// - Parameter attempt: a case that is drawn again takes another stream.
  init(seed: UInt64, class place: Int, index: Int, attempt: Int = 0) {
    // 5 bits of class, 36 of case, 3 of attempt and 20 of draw.
    self.seed = seed
    counter =
      UInt64(place) << 59 | UInt64(index & (1 << 36 - 1)) << 23 | UInt64(attempt & 7) << 20
  }

  mutating func next() -> UInt32 {
    defer { counter &+= 1 }
    return philox4x32Word0(seed: seed, index: counter)
  }

  /// A number from 0 up to `bound`, which is at least 1.
  mutating func below(_ bound: Int) -> Int {
    Int((UInt64(next()) * UInt64(bound)) >> 32)
  }

  mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.count)
  }

  mutating func flip() -> Bool { next() >> 31 == 1 }

  mutating func pick<Item>(_ items: [Item], else other: Item) -> Item {
    items.isEmpty ? other : items[below(items.count)]
  }
}

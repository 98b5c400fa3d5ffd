/// Where marks lie on a drawing, so that none is wholly hidden by those above it.
struct PlotCrowd {
  private let width: Int
  private let height: Int
  /// How far a mark may be moved sideways.
  private let reach: Double
  private var isTaken: [Bool]

  /// - Parameters:
  ///   - width: of the drawing, in pixels; at most some thousands are looked at.
  ///   - reach: in pixels.
  init(width: Double, height: Double, reach: Double) {
    self.width = max(1, Int(min(width, 4096)))
    self.height = max(1, Int(min(height, 16384)))
    self.reach = reach
    isTaken = Array(repeating: false, count: self.width * self.height)
  }

  /// A place for the mark below all that were placed before: its own, or the nearest sideways where
  /// enough of it shows to be pointed at, or where the most does.
  mutating func place(_ x: Double, _ y: Double, within range: ClosedRange<Double>) -> Double {
    let steps = Int(min(max(reach, 0), 4096) / Self.step)
    var best = (x: x, shown: shown(x, y))
    // To the right, to the left, a step further to the right and so on.
    for place in 0..<(2 * steps) where best.shown < Self.enough {
      let shift = Double(place / 2 + 1) * Self.step
      let moved = place % 2 == 0 ? x + shift : x - shift
      guard range.contains(moved) else { continue }
      let shown = self.shown(moved, y)
      if shown > best.shown { best = (moved, shown) }
    }
    take(best.x, y)
    return best.x
  }

  private static let step = 2.0
  /// Half the side of the square that holds a mark of any shape.
  private static let half = 5.4
  /// The radius of a disc that every mark covers.
  private static let core = 2.9
  /// Pixels of the core that have to show.
  private static let enough = 6

  private func shown(_ x: Double, _ y: Double) -> Int {
    var count = 0
    visit(x, y, Self.core) { index, dx, dy in
      if !isTaken[index], dx * dx + dy * dy <= Self.core * Self.core { count += 1 }
    }
    return count
  }

  private mutating func take(_ x: Double, _ y: Double) {
    var indices: [Int] = []
    visit(x, y, Self.half) { index, _, _ in indices.append(index) }
    for index in indices { isTaken[index] = true }
  }

  /// Calls `body` with the pixels of the square around a place and how far off each is.
  private func visit(
    _ x: Double, _ y: Double, _ half: Double, _ body: (Int, Double, Double) -> Void
  ) {
    func pixels(_ middle: Double, _ count: Int) -> ClosedRange<Int>? {
      let low = max(0, (middle - half).rounded(.up))
      let high = min(Double(count - 1), (middle + half).rounded(.down))
      return low <= high ? Int(low)...Int(high) : nil
    }
    guard let columns = pixels(x, width), let rows = pixels(y, height) else { return }
    for row in rows {
      for column in columns {
        body(row * width + column, Double(column) - x, Double(row) - y)
      }
    }
  }
}

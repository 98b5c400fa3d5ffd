/// Where marks lie on a drawing, so that none is wholly hidden by those above it. A mark that finds no
/// place is left to the one that covers it, whose text then tells of both.
struct PlotCrowd {
  private let width: Int
  private let height: Int
  /// How far a mark may be moved sideways.
  private let reach: Double
  /// The number of the mark on each pixel; below 0 where there is none.
  private var owners: [Int32]
  private var count: Int32 = 0

  /// - Parameters:
  ///   - width: of the drawing, in pixels; at most some thousands are looked at.
  ///   - reach: in pixels.
  init(width: Double, height: Double, reach: Double) {
    self.width = max(1, Int(min(width, 4096)))
    self.height = max(1, Int(min(height, 16384)))
    self.reach = reach
    owners = Array(repeating: -1, count: self.width * self.height)
  }

  enum Place {
    /// At this x.
    case at(Double)
    /// Under the mark that got its place as the n-th, from 0.
    case under(Int)
  }

  /// A place for the mark below all that were placed before: its own, or the nearest sideways where
  /// enough of it shows to be pointed at, or where the most does.
  mutating func place(_ x: Double, _ y: Double, within range: ClosedRange<Double>) -> Place {
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
    if best.shown < Self.least, let owner = owner(x, y) { return .under(owner) }
    take(best.x, y)
    return .at(best.x)
  }

  private static let step = 2.0
  /// Half the side of the square that holds a mark of any shape.
  private static let half = 5.4
  /// The radius of a disc that every mark covers.
  private static let core = 2.9
  /// Pixels of the core that should show, of 26 or so, and that have to.
  private static let enough = 12
  private static let least = 4

  private func shown(_ x: Double, _ y: Double) -> Int {
    var count = 0
    visit(x, y, Self.core) { index, dx, dy in
      if owners[index] < 0, dx * dx + dy * dy <= Self.core * Self.core { count += 1 }
    }
    return count
  }

  private mutating func take(_ x: Double, _ y: Double) {
    var indices: [Int] = []
    visit(x, y, Self.half) { index, _, _ in indices.append(index) }
    for index in indices where owners[index] < 0 { owners[index] = count }
    count += 1
  }

  /// The mark at a place.
  private func owner(_ x: Double, _ y: Double) -> Int? {
    var found: Int?
    visit(x, y, 0.5) { index, _, _ in
      if owners[index] >= 0 { found = Int(owners[index]) }
    }
    return found
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

/// Cells coloured by a number.
public struct PlotHeatMap: Sendable {
  /// Borders of the columns, rising, one more than there are columns.
  public var x: [Double]
  /// Borders of the rows, rising.
  public var y: [Double]
  /// `values[row][column]`; nil and what is not finite stay empty.
  public var values: [[Double?]]
  /// `titles[row][column]`, shown on hovering.
  public var titles: [[String]]
  /// What the colours count; its scale and range decide them.
  public var color: PlotAxis

  public init(
    x: [Double], y: [Double], values: [[Double?]], titles: [[String]] = [], color: PlotAxis
  ) {
    self.x = x
    self.y = y
    self.values = values
    self.titles = titles
    self.color = color
  }

  /// The opposite corners of the cells.
  var corners: [PlotPoint] {
    guard let left = x.first, let right = x.last, let low = y.first, let high = y.last else {
      return []
    }
    return [PlotPoint(left, low), PlotPoint(right, high)]
  }

  /// The colours' scale, from 0 to 1.
  var scale: PlotScale {
    let numbers = values.joined().compactMap { $0 }.filter(color.holds)
    return PlotScale(color, values: numbers, from: 0, to: 1, padding: 0)
  }

  /// A colour for a share of the scale: viridis in nine steps, lightness rising evenly, told apart
  /// with every kind of colour vision.
  static func fill(_ share: Double) -> String {
    let place = min(max(share, 0), 1) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let rest = place - Double(index)
    let mixed = zip(stops[index], stops[index + 1]).map { from, to in
      Int((Double(from) + rest * Double(to - from)).rounded())
    }
    return "#" + mixed.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static let stops = [
    [68, 1, 84], [71, 45, 123], [59, 82, 139], [44, 114, 142], [33, 145, 140], [40, 174, 128],
    [94, 201, 98], [173, 220, 48], [253, 231, 37],
  ]
}

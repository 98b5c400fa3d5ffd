/// A diagram: axes, layers drawn in their order, a legend of the named ones. `svg()` draws it.
public struct Plot: Sendable {
  /// One line above the drawing, also what screen readers announce; shortened where it is too long.
  public var title: String
  public var x: PlotAxis
  public var y: PlotAxis
  public var layers: [PlotLayer]
  /// Lines of small print below the drawing.
  public var notes: [String]
  /// What the drawing shows, for those who do not see it.
  public var summary: String
  /// In CSS pixels, of the whole picture without its notes.
  public var width: Double
  /// Grows where the legend needs it.
  public var height: Double
  /// How far, in CSS pixels, a mark moves sideways from under others that would hide it.
  public var reach: Double

  public init(
    title: String, x: PlotAxis, y: PlotAxis, layers: [PlotLayer] = [], notes: [String] = [],
    summary: String = "", width: Double = 760, height: Double = 440, reach: Double = 24
  ) {
    self.title = title
    self.x = x
    self.y = y
    self.layers = layers
    self.notes = notes
    self.summary = summary
    self.width = width
    self.height = height
    self.reach = reach
  }
}

extension Plot {
  /// Whether cells lie under the other layers.
  var hasHeat: Bool { layers.contains { if case .heat = $0.kind { true } else { false } } }

  /// Whether points have texts of their own, which a keyboard has to reach.
  var hasTitledPoints: Bool {
    layers.contains { layer in
      if case .points(let points) = layer.kind {
        points.contains { $0.title != nil }
      } else {
        false
      }
    }
  }
}

/// One axis of a plot.
public struct PlotAxis: Sendable, Equatable {
  public enum Scale: Sendable { case linear, log }

  /// What it counts, with the unit.
  public var label: String
  public var scale: Scale
  /// What it spans; by default what the layers need and a little more.
  public var range: ClosedRange<Double>?
  /// Where numbers stand; by default round ones.
  public var ticks: [Double]?
  /// Names in place of numbers: the first spans 0 to 1, and so on.
  public var names: [String]?

  public init(
    _ label: String, scale: Scale = .linear, range: ClosedRange<Double>? = nil,
    ticks: [Double]? = nil, names: [String]? = nil
  ) {
    self.names = names
    self.label = label
    self.scale = scale
    self.range = range
    self.ticks = ticks
  }

  /// Whether the axis has a place for the number: a finite one, above 0 on a logarithmic axis, and
  /// within 1e150 either way.
  func holds(_ value: Double) -> Bool {
    abs(value) <= 1e150 && (scale == .linear || value >= 1e-150)
  }
}

/// A place in a plot.
public struct PlotPoint: Sendable, Equatable {
  public var x: Double
  public var y: Double
  /// Text on hovering.
  public var title: String?

  public init(_ x: Double, _ y: Double, title: String? = nil) {
    self.x = x
    self.y = y
    self.title = title
  }
}

/// One thing drawn in a plot. Numbers that an axis has no place for are left out.
public struct PlotLayer: Sendable {
  enum Kind: Sendable {
    case points([PlotPoint])
    case line([PlotPoint], isDashed: Bool)
    /// Between a lower and an upper edge.
    case band([PlotPoint], [PlotPoint])
    /// A straight line across the plot.
    case horizontalRule(Double)
    case verticalRule(Double)
    case heat(PlotHeatMap)
    /// A thin dotted line along points.
    case front([PlotPoint])
  }

  var kind: Kind
  var isMarks: Bool { if case .points = kind { true } else { false } }
  /// In the legend; nil stays out of it.
  var name: String?
  /// Colour and marker: layers that belong together share a number.
  var color: Int

  /// Markers, one shape for each colour, so that colour is not all that tells series apart.
  public static func points(
    _ points: [PlotPoint], name: String? = nil, color: Int = 0
  ) -> PlotLayer {
    PlotLayer(kind: .points(points), name: name, color: color)
  }

  /// A line through the points in their order, interrupted where one cannot be drawn.
  public static func line(
    _ points: [PlotPoint], name: String? = nil, color: Int = 0, isDashed: Bool = false
  ) -> PlotLayer {
    PlotLayer(kind: .line(points, isDashed: isDashed), name: name, color: color)
  }

  /// A thin dotted line through the points, such as a Pareto front.
  public static func front(_ points: [PlotPoint], name: String? = nil) -> PlotLayer {
    PlotLayer(kind: .front(points), name: name, color: 0)
  }

  /// The area between two edges with equal x, such as an interval.
  public static func band(
    lower: [PlotPoint], upper: [PlotPoint], name: String? = nil, color: Int = 0
  ) -> PlotLayer {
    PlotLayer(kind: .band(lower, upper), name: name, color: color)
  }

  /// A thin line across the plot at a height.
  public static func rule(y: Double, name: String? = nil) -> PlotLayer {
    PlotLayer(kind: .horizontalRule(y), name: name, color: 0)
  }

  /// A thin line from bottom to top.
  public static func rule(x: Double, name: String? = nil) -> PlotLayer {
    PlotLayer(kind: .verticalRule(x), name: name, color: 0)
  }

  /// Coloured cells, with a colour bar.
  public static func heat(_ map: PlotHeatMap) -> PlotLayer {
    PlotLayer(kind: .heat(map), name: nil, color: 0)
  }

  /// Places that decide what the axes span.
  var extent: [PlotPoint] {
    switch kind {
    case .points(let points), .line(let points, _), .front(let points): points
    case .band(let lower, let upper): lower + upper
    case .horizontalRule, .verticalRule: []
    case .heat(let map): map.corners
    }
  }
}

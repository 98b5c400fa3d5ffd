import NumberFormats

/// The model against what Yosys counted.
public struct Calibration: Sendable {
  /// One synthesised unit or part, measured and predicted, in NAND2 equivalents.
  public struct Comparison: Sendable {
    public var point: SynthesisPoint
    public var measured: Double
    public var predicted: Double
    /// Whether the fit did not see it. Parts are always seen.
    public var isHeldOut: Bool
    /// predicted / measured − 1.
    public var error: Double { predicted / measured - 1 }
  }

  public var comparisons: [Comparison]

  public init(_ model: GateModel, points: [SynthesisPoint]) {
    comparisons = points.map { point in
      Comparison(
        point: point, measured: model.area(point.gates), predicted: model.area(point.count),
        isHeldOut: Self.isHeldOut(point, among: points))
    }
  }

  /// The units that the fit saw, or those that it did not.
  public func units(heldOut: Bool) -> [Comparison] {
    comparisons.filter { $0.point.unit != nil && $0.isHeldOut == heldOut }
  }

  /// The separate parts, which are all fitted.
  public var parts: [Comparison] { comparisons.filter { $0.point.unit == nil } }

  /// Median of the errors' magnitudes; nil without any.
  public static func medianError(_ comparisons: [Comparison]) -> Double? {
    let errors = comparisons.map(\.error.magnitude).sorted()
    guard !errors.isEmpty else { return nil }
    return (errors[(errors.count - 1) / 2] + errors[errors.count / 2]) / 2
  }

  /// The largest of the errors' magnitudes; nil without any.
  public static func largestError(_ comparisons: [Comparison]) -> Double? {
    comparisons.map(\.error.magnitude).max()
  }

  /// Every second block size of the exact units, and for each element every second width of the
  /// narrowed ones, is kept from the fit: the second, the fourth and so on in rising order.
  public static func isHeldOut(_ point: SynthesisPoint, among points: [SynthesisPoint]) -> Bool {
    guard let unit = point.unit else { return false }
    let units = points.compactMap(\.unit)
    if unit.droppedBits == 0 {
      let sizes = Set(units.filter { $0.droppedBits == 0 }.map(\.blockSize))
      return sizes.count { $0 < unit.blockSize } % 2 == 1
    }
    let narrowed = units.filter { $0.droppedBits > 0 && $0.element == unit.element }
    return Set(narrowed.map(\.droppedBits)).count { $0 < unit.droppedBits } % 2 == 1
  }
}

extension GateModel {
  /// This model with the areas of the structures fitted to all parts and to the units that are not
  /// held out: the least sum of squares of relative errors, no area negative.
  ///
  /// - Returns: nil where the points are too few or too alike to tell the structures apart.
  public func fitted(to points: [SynthesisPoint]) -> GateModel? {
    fitted(toAll: points.filter { !Calibration.isHeldOut($0, among: points) })
  }

  private func fitted(toAll points: [SynthesisPoint]) -> GateModel? {
    let rows = points.map { point in
      Structure.allCases.map { Double(point.count[$0]) / area(point.gates) }
    }
    let ones = Array(repeating: 1.0, count: rows.count)
    guard let areas = nonNegativeLeastSquares(rows, ones) else { return nil }
    var copy = self
    for (structure, value) in zip(Structure.allCases, areas) {
      copy.structures[structure] = Area(value: value, source: "fitted")
    }
    return copy
  }

  /// How a fit that has seen nothing of an element does on its units: what to expect of elements that
  /// were never synthesised.
  ///
  /// - Returns: The element's units; none where the rest does not suffice for a fit.
  public func comparisonsWithout(
    _ element: ElementFormat, points: [SynthesisPoint]
  ) -> [Calibration.Comparison] {
    func isOfElement(_ point: SynthesisPoint) -> Bool {
      switch point.subject {
      case .unit(let own, _, _, _), .lane(let own): own == element
      case .scale, .sum, .join: false
      }
    }
    let others = points.filter {
      !isOfElement($0) && !Calibration.isHeldOut($0, among: points)
    }
    guard let model = fitted(toAll: others) else { return [] }
    let own = points.filter { $0.unit != nil && isOfElement($0) }
    return own.map {
      Calibration.Comparison(
        point: $0, measured: model.area($0.gates), predicted: model.area($0.count),
        isHeldOut: true)
    }
  }
}

/// Whether a cost rests on synthesis results.
public enum CalibrationStatus: Sendable, Hashable {
  /// This very unit was synthesised; the model's error against it, as a fraction.
  case synthesised(error: Double)
  /// Element and scale were, with other block sizes and widths on both sides of this one.
  case between
  /// Not; what is missing.
  case outside(String)

  public var isCalibrated: Bool {
    if case .outside = self { false } else { true }
  }
}

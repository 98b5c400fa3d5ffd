import NumberFormats
import ScalingLaws

/// How layers are weighted where their errors become one.
public enum LayerWeighting: Sendable {
  /// By their shares of all weights.
  case parameters
  /// By sensitivities: a layer that the file lacks is left out.
  case sensitivities(Sensitivities)

  /// A layer's weight before the weights are made to sum to 1; nil where it is left out.
  public func weight(of tensor: String, parameters: Int) -> Double? {
    switch self {
    case .parameters: Double(parameters)
    case .sensitivities(let known): known.alpha[tensor]
    }
  }
}

/// One point of a format's curve, and the loss that the linearity theorem gives for it.
public struct LayerCurvePoint: Sendable, Hashable {
  public var point: ErrorCurve.Point
  /// Σ α_l·t_l², in the unit of α; nil without sensitivities.
  public var delta: Double?
  public var layers: Int
  /// Weights of the layers.
  public var parameters: Int
}

/// A format's error against its block size, over all layers.
public struct LayerCurve: Sendable, Hashable {
  public var curve: ErrorCurve
  /// In the order of the curve's points.
  public var points: [LayerCurvePoint]
  public var recipe: String
}

/// Joins the layers' errors to curves: NMSE = Σ w_l·t_l², weights summing to 1.
public struct LayerCurves: Sendable {
  public var weighting: LayerWeighting
  public var kind: LayerErrorKind

  public init(weighting: LayerWeighting, kind: LayerErrorKind) {
    self.weighting = weighting
    self.kind = kind
  }

  /// One curve for each format and recipe, in the order in which they come.
  ///
  /// - Throws: `badData` where a layer has no such error, as its product is zero or not finite.
  public func curves(_ errors: [LayerErrors]) throws -> [LayerCurve] {
    var order: [QuantizationSpec] = []
    var cases: [ErrorCase] = []
    let byCase = Dictionary(grouping: errors) { $0.errorCase }
    for error in errors {
      if !cases.contains(error.errorCase) { cases.append(error.errorCase) }
      if !order.contains(error.errorCase.spec) { order.append(error.errorCase.spec) }
    }
    return try order.map { spec in
      let points = try cases.filter { $0.spec == spec }.map {
        try point(byCase[$0] ?? [], block: $0.block)
      }
      let curve = try ErrorCurve(
        format: spec.format.name, points: points.map(\.point), file: "the measured layers")
      let ordered = curve.points.compactMap { kept in points.first { $0.point == kept } }
      return LayerCurve(curve: curve, points: ordered, recipe: spec.recipe.name)
    }
  }

  private func point(_ errors: [LayerErrors], block: BlockShape) throws -> LayerCurvePoint {
    var (sum, weights, blocks, bits) = (0.0, 0.0, 0, 0.0)
    var (layers, parameters) = (0, 0)
    for error in errors {
      guard let weight = weighting.weight(of: error.tensor, parameters: error.parameters) else {
        continue
      }
      guard let value = error.value(kind) else {
        throw MeasurementError.badData(
          file: error.file, tensor: error.tensor,
          "no \(kind.rawValue) error (expected activations, and a product that is finite and not zero)"
        )
      }
      sum += weight * value
      weights += weight
      blocks += error.blocks
      bits += error.bitsPerElement * Double(error.parameters)
      parameters += error.parameters
      layers += 1
    }
    guard weights > 0 else {
      throw MeasurementError.usage("no layer that was measured has a sensitivity above 0")
    }
    var delta: Double?
    if case .sensitivities = weighting { delta = sum }
    return LayerCurvePoint(
      point: ErrorCurve.Point(
        block: block.description, blockSize: Double(parameters) / Double(blocks),
        error: sum / weights, bitsPerElement: bits / Double(parameters)),
      delta: delta, layers: layers, parameters: parameters)
  }
}

extension LayerCurve {
  /// The curves that `law measure --as csv` wrote: columns format, block, q_b, nmse and
  /// bits_per_element; recipe, n, layers and delta where they are there.
  ///
  /// - Throws: `badData` for other columns, several recipes of a format, numbers out of range.
  public static func read(_ path: String) throws(LawError) -> [LayerCurve] {
    let data = try LawData.read(path)
    let (formats, blocks) = (try data.texts("format"), try data.texts("block"))
    let sizes = try data.numbers("q_b")
    let errors = try data.numbers("nmse")
    let bits = try data.numbers("bits_per_element")
    let recipes = data.contains("recipe") ? try data.texts("recipe") : formats.map { _ in "" }
    let parameters = data.contains("n") ? try data.numbers("n") : formats.map { _ in 0 }
    let layers = data.contains("layers") ? try data.numbers("layers") : formats.map { _ in 0 }
    var order: [String] = []
    for name in formats where !order.contains(name) { order.append(name) }
    return try order.map { (name) throws(LawError) -> LayerCurve in
      let rows = formats.indices.filter { formats[$0] == name }
      for row in rows where recipes[row] != recipes[rows[0]] {
        throw LawError.badData(
          LawError.Fault(
            file: path, line: data.lines[row], column: "recipe",
            problem: "\(name) has two recipes", expected: "one recipe a format"))
      }
      let points = rows.map { row in
        LayerCurvePoint(
          point: ErrorCurve.Point(
            block: blocks[row], blockSize: sizes[row], error: errors[row],
            bitsPerElement: bits[row]), delta: nil, layers: Int(layers[row]),
          parameters: Int(parameters[row]))
      }
      let curve = try ErrorCurve(format: name, points: points.map(\.point), file: path)
      let ordered = curve.points.compactMap { kept in points.first { $0.point == kept } }
      return LayerCurve(curve: curve, points: ordered, recipe: recipes[rows[0]])
    }
  }
}

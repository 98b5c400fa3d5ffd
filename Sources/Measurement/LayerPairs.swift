import TensorIO

/// A linear layer: its weight W [n, k] and, where known, the activations X [m, k] that meet it.
///
/// The layer's product is X·Wᵀ.
public struct LayerPair: Sendable {
  public var weight: InputTensor
  public var activation: InputTensor?

  public init(weight: InputTensor, activation: InputTensor?) {
    self.weight = weight
    self.activation = activation
  }

  public var name: String { weight.name }
  public var parameters: Int { weight.info.count }
}

/// Weights and the activations that meet them, found by name as `tools/activations` writes them:
/// `X.weight` meets `X.input`.
public struct LayerPairs: Sendable {
  public private(set) var pairs: [LayerPair] = []
  public private(set) var skipped: [SkippedItem]
  /// Parameters of all layers.
  public var parameters: Int { pairs.reduce(0) { $0 + $1.parameters } }

  /// - Parameters:
  ///   - activations: nil where only the tensors themselves are measured. One weight and one
  ///     activation meet whatever their names.
  /// - Throws: `badData` where nothing meets, or two tensors do not share k.
  public init(
    weights: InputSelection, activations: InputSelection?
  ) throws(MeasurementError) {
    skipped = weights.skipped + (activations?.skipped ?? [])
    let byName = Dictionary(
      (activations?.tensors ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var used: Set<String> = []
    for weight in weights.tensors {
      guard weight.info.shape.count == 2 else {
        skip(weight, "rank \(weight.info.shape.count), expected a weight as [n, k]")
        continue
      }
      guard weight.info.count > 0 else {
        skip(weight, "empty")
        continue
      }
      guard let activations else {
        pairs.append(LayerPair(weight: weight, activation: nil))
        continue
      }
      let isAlone = weights.tensors.count == 1 && activations.tensors.count == 1
      guard
        let found = byName[Self.inputName(weight.name)] ?? (isAlone ? activations.tensors[0] : nil)
      else {
        skip(weight, "no activations called \(Self.inputName(weight.name))")
        continue
      }
      used.insert(found.name)
      try Self.check(weight, found)
      pairs.append(LayerPair(weight: weight, activation: found))
    }
    for tensor in activations?.tensors ?? [] where !used.contains(tensor.name) {
      skip(tensor, "activations of no weight taken")
    }
    if pairs.isEmpty {
      let file = weights.tensors.first?.path ?? ""
      throw .badData(
        file: file, tensor: nil,
        "no weight meets activations (expected NAME.weight [n, k] here and NAME.input [m, k] there)"
      )
    }
  }

  /// Some of the layers.
  public func filtered(_ isIncluded: (LayerPair) -> Bool, reason: String) -> LayerPairs {
    var result = self
    result.pairs = pairs.filter(isIncluded)
    for pair in pairs where !isIncluded(pair) { result.skip(pair.weight, reason) }
    return result
  }

  private mutating func skip(_ tensor: InputTensor, _ reason: String) {
    skipped.append(SkippedItem(file: tensor.path, name: tensor.name, reason: reason))
  }

  private static func inputName(_ weight: String) -> String {
    (weight.hasSuffix(".weight") ? String(weight.dropLast(7)) : weight) + ".input"
  }

  private static func check(
    _ weight: InputTensor, _ activation: InputTensor
  ) throws(MeasurementError) {
    guard let k = activation.info.shape.last, activation.info.shape.count >= 2,
      activation.info.count > 0
    else {
      throw .badData(
        file: activation.path, tensor: activation.name,
        "shape \(activation.info.shape), expected activations as [m, k]")
    }
    guard k == weight.info.shape[1] else {
      throw .badData(
        file: weight.path, tensor: weight.name,
        "shape \(weight.info.shape) does not meet the activations' \(activation.info.shape)"
          + " (\(activation.path): tensor \"\(activation.name)\"): expected k = \(k)")
    }
  }
}

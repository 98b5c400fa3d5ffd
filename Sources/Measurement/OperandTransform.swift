/// What is done to the operands before they are quantised. The product of the operands as they are stays
/// what errors are measured against.
public enum OperandTransform: Sendable, Hashable {
  case none
  /// Both operands rotated along k: in exact arithmetic the product is unchanged.
  case hadamard(HadamardRotation)
  /// Some numbers stay in high precision, and what they add to the product is exact.
  case outliers(OutlierSplit)

  /// Reads `none`, `hadamard:N`, `outliers:values:P` or `outliers:columns:P`, 0 ≤ P ≤ 1; nil otherwise.
  public init?(_ text: String) {
    let parts = text.lowercased().split(separator: ":", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("none", 1): self = .none
    case ("hadamard", 2):
      guard let rotation = Int(parts[1]).flatMap({ HadamardRotation(size: $0) }) else {
        return nil
      }
      self = .hadamard(rotation)
    case ("outliers", 3):
      guard let scheme = OutlierSplit.Scheme(rawValue: String(parts[1])),
        let share = Double(parts[2]), share >= 0, share <= 1
      else { return nil }
      self = .outliers(OutlierSplit(scheme, share: share))
    default: return nil
    }
  }

  /// nil unless it rotates.
  public var rotation: HadamardRotation? {
    if case .hadamard(let rotation) = self { return rotation }
    return nil
  }

  /// Why numbers in lines of a length cannot be treated so.
  func misfit(_ tensor: InputTensor, depth: Int) -> MeasurementError? {
    rotation?.misfit(tensor, depth: depth)
  }

  /// Stored bits per element of one side of a product.
  ///
  /// - Parameters:
  ///   - quantised: without the transform.
  ///   - isWeight: of B, which alone keeps values.
  func bitsPerElement(_ quantised: Double, isWeight: Bool, rows: Int, depth: Int) -> Double {
    guard case .outliers(let split) = self, isWeight || split.scheme == .columns else {
      return quantised
    }
    return split.bitsPerElement(rows: rows, depth: depth, quantised: quantised)
  }
}

extension OperandTransform: CustomStringConvertible {
  /// As it is read.
  public var description: String {
    switch self {
    case .none: "none"
    case .hadamard(let rotation): "hadamard:\(rotation.size)"
    case .outliers(let split): "outliers:\(split.scheme.rawValue):\(split.share)"
    }
  }
}

extension HadamardRotation {
  func misfit(_ tensor: InputTensor, depth: Int) -> MeasurementError? {
    guard depth % size != 0 else { return nil }
    return .rotation(
      file: tensor.path, tensor: tensor.name,
      "a rotation of \(size) does not divide the \(depth) numbers of a line")
  }
}

/// The lines of a product as they are quantised, after a transform.
struct TransformedLines {
  let transform: OperandTransform
  let lines: MatmulLines
  private(set) var a: LineMatrix
  private(set) var b: LineMatrix

  init(_ lines: MatmulLines, _ transform: OperandTransform, parallel: Parallel) {
    self.transform = transform
    self.lines = lines
    (a, b) = (lines.a.matrix, lines.b.matrix)
    switch transform {
    case .none: break
    case .hadamard(let rotation):
      a = a.rotated(by: rotation, parallel: parallel)
      b = b.rotated(by: rotation, parallel: parallel)
    case .outliers(let split):
      let kept = split.indices(weight: b, activations: a)
      if split.scheme == .columns { a = a.zeroing(columns: kept) }
      b = split.scheme == .columns ? b.zeroing(columns: kept) : b.zeroing(kept)
    }
  }

  /// Tells the quantised sides what they stand for.
  func complete(_ left: inout MatmulSideData, _ right: inout MatmulSideData) {
    switch transform {
    case .none: break
    case .hadamard(let rotation):
      (left.rotation, right.rotation) = (rotation, rotation)
      (left.original, right.original) = (lines.a.matrix, lines.b.matrix)
    case .outliers:
      (left.whole, right.whole) = (lines.a.matrix, lines.b.matrix)
    }
  }
}

extension OutlierSplit {
  /// What is kept: row-major indices of the weight, or columns of k.
  func indices(weight: LineMatrix, activations: LineMatrix?) -> [Int] {
    switch scheme {
    case .values:
      let count = weight.lines * weight.depth
      let scores = weight.values.reading(0..<count).map { Double($0.magnitude) }
      return largestIndices(scores, count: kept(of: count))
    case .columns:
      var scores = weight.columnSquares()
      if let activations { scores = zip(scores, activations.columnSquares()).map { $0 * $1 } }
      return largestIndices(scores, count: kept(of: weight.depth))
    }
  }
}

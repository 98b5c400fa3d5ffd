import NumberFormats

extension ErrorCase {
  /// Why a tensor cannot be cut as asked: a tile takes two axes, the axis must exist, and a rotation takes
  /// whole runs of the last.
  func misfit(_ tensor: InputTensor) -> MeasurementError? {
    do throws(BlockGridError) {
      _ = try BlockGrid(shape: tensor.info.shape, axis: axis, block: block)
    } catch {
      return .grid(file: tensor.path, tensor: tensor.name, error)
    }
    guard let rotation, let length = tensor.info.shape.last else { return nil }
    guard axis == -1 || axis == tensor.info.shape.count - 1 else {
      return .rotation(
        file: tensor.path, tensor: tensor.name,
        "a rotation runs along the last axis, blocks along axis \(axis) (expected -1)")
    }
    return rotation.misfit(tensor, depth: length)
  }

  /// Whether a tensor can be cut as asked.
  public func fits(_ tensor: InputTensor) -> Bool { misfit(tensor) == nil }
}

extension InputSelection {
  /// Lists tensors that a case cannot cut as skipped, with the reason, and leaves out those that no
  /// case can cut.
  ///
  /// - Throws: `grid` where no tensor is left.
  public mutating func leaveOutMisfits(_ cases: [ErrorCase]) throws(MeasurementError) {
    var kept: [InputTensor] = []
    var first: MeasurementError?
    for tensor in tensors {
      let errors = cases.map { $0.misfit(tensor) }
      if errors.contains(nil) { kept.append(tensor) }
      var reasons: [String] = []
      for (how, error) in zip(cases, errors) {
        guard let error else { continue }
        first = first ?? error
        let reason =
          switch error {
          case .grid(_, _, let error): "block \(how.block): \(error.explanation)"
          case .rotation(_, _, let text): text
          default: error.description
          }
        if !reasons.contains(reason) { reasons.append(reason) }
      }
      skipped += reasons.map { SkippedItem(file: tensor.path, name: tensor.name, reason: $0) }
    }
    if kept.isEmpty, let first { throw first }
    tensors = kept
  }
}

extension BlockGridError {
  /// The description, with the range of axes that a single number accepts.
  var explanation: String {
    if case .axisOutOfRange(let axis, 0) = self {
      return "axis \(axis) of a single number, which has no axes (expected -1 or 0)"
    }
    return description
  }
}

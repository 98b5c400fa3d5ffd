import NumberFormats

extension ErrorCase {
  /// Why a tensor cannot be cut as asked: a tile takes two axes, and the axis must exist.
  func misfit(_ tensor: InputTensor) -> BlockGridError? {
    do throws(BlockGridError) {
      _ = try BlockGrid(shape: tensor.info.shape, axis: axis, block: block)
      return nil
    } catch {
      return error
    }
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
        first = first ?? .grid(file: tensor.path, tensor: tensor.name, error)
        let reason = "block \(how.block): \(error.explanation)"
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

import FormatCatalog
import NumberFormats

extension MatmulExperiment {
  /// Why two tensors cannot be multiplied as asked, whatever their numbers are; nil where they can.
  ///
  /// - Throws: `badData` where their shapes do not meet.
  public func misfit(
    _ a: InputTensor, _ b: InputTensor, _ request: MatmulRequest
  ) throws(MeasurementError) -> MeasurementError? {
    let inputs = try MatmulInputs(a, b, transposesB: request.transposesB)
    if let error = request.transform.misfit(a, depth: inputs.a.depth) { return error }
    do throws(MeasurementError) {
      let left = try ones(inputs.a, request.a, request.accumulator)
      let right = try ones(inputs.b, request.b, request.accumulator)
      let problem = MatmulProblem(
        a: left.operand, b: right.operand, accumulator: request.accumulator)
      do throws(MatmulError) { try problem.check() } catch {
        throw .matmul(
          a: "\(a.path): tensor \"\(a.name)\"", b: "\(b.path): tensor \"\(b.name)\"", error)
      }
      return nil
    } catch {
      return error.exitCode == 64 ? error : nil
    }
  }

  /// One line of ones in the place of a tensor's.
  private func ones(
    _ input: MatmulInput, _ side: MatmulSideRequest, _ accumulator: Accumulator
  ) throws(MeasurementError) -> MatmulSideData {
    let values = Storage<Float>(count: max(1, input.depth))
    values[0..<input.depth].initialize(repeating: 1)
    var builder = MatmulSideBuilder(
      engine: quantizer, parallel: Parallel(threads: 1), accumulator: accumulator,
      tensor: input.tensor, firstElement: 0)
    if case .named(let names) = accumulator.operands {
      for name in names { builder.carriers[name] = catalog.element(name) }
    }
    return try builder.build(LineMatrix(values: values, lines: 1, depth: input.depth), side)
  }
}

extension MatmulResult {
  /// Stored bits per element of both operands together, scales and tensor scales included.
  ///
  /// - Parameter catalog: tells the bits of the type that an unquantised side was multiplied in.
  public func bitsPerElement(in catalog: FormatCatalog) -> Double? {
    let matrices = b.shape.dropLast(2).reduce(1, *)
    let counts = [a, b].map { $0.shape.reduce(1, *) }
    guard counts.reduce(0, +) > 0, depth > 0, matrices > 0 else { return nil }
    let bits = [a, b].indices.map { index -> Double in
      let (side, count) = ([a, b][index], counts[index])
      let own = catalog.element(side.element)?.bits ?? 32
      guard let spec = side.request.spec, count > 0,
        let grid = try? BlockGrid(
          shape: [count / depth / matrices, depth], block: side.request.block)
      else { return Double(count * own) }
      let quantised = spec.bitsPerElement(grid, storesTensorScale: !side.tensorScales.isEmpty)
      return Double(count)
        * request.transform.bitsPerElement(
          quantised, isWeight: index == 1, rows: count / depth / matrices, depth: depth)
    }
    return bits.reduce(0, +) / Double(counts.reduce(0, +))
  }
}

import NumberFormats

/// The definition of every result: decoding and rounding from the descriptor's own fields, in
/// MPFR's arithmetic, one number at a time. It shares nothing with the vectorised engine.
public struct MPFREngine: QuantizationEngine {
  public let name = "reference"
  private let tables: Bool

  /// - Parameter tables: Whether numbers encoded by themselves to nearest in at most 8 bits are found
  ///   in a table of exact boundaries; false does them one by one like all others, more slowly. The
  ///   results are the same, and comparing them checks both.
  public init(tables: Bool = true) { self.tables = tables }

  public func tensorScale(
    amax: Float, spec: QuantizationSpec
  ) throws(QuantizeError) -> TensorScale {
    if case .given(let value) = spec.tensorScale, !(value.isFinite && value > 0) {
      throw .badTensorScale(value)
    }
    guard amax.isFinite, amax >= 0 else { throw .badTensorScale(amax) }
    switch spec.recipe.steps {
    case .exact:
      switch spec.tensorScale {
      case .given(let value): return TensorScale(decode: value, amax: amax)
      case .none: return TensorScale(decode: 1, amax: amax)
      case .auto:
        guard spec.format.hasTensorScale else { return TensorScale(decode: 1, amax: amax) }
        let scale = ExactScale.tensorScale(amax: amax, format: spec.format)
        return TensorScale(decode: scale, amax: amax)
      }
    case .named(let steps):
      return try namedTensorScale(amax: amax, spec: spec, steps: steps)
    }
  }

  public func exactScale(
    amax: Float, spec: QuantizationSpec, tensorScale: TensorScale
  ) throws(QuantizeError) -> (code: UInt32, clamped: Bool) {
    guard case .exact(let rule) = spec.recipe.steps else {
      throw .recipeNotForFormat(recipe: spec.recipe.name, format: spec.format.name)
    }
    try checkFactor(tensorScale.decode)
    guard amax.isFinite else {
      if spec.format.scale.hasNaN { return (spec.format.scale.canonicalNaN, false) }
      if spec.format.element.canonicalNaN != nil { return (0, false) }
      throw .nonFinite(position: 0, format: spec.format.name)
    }
    var scale = ExactScale(spec.format, rule: rule, tensorScale: tensorScale.decode)
    return scale.code(amax: abs(amax))
  }

  public func quantize(
    _ values: UnsafeBufferPointer<Float>, grid: BlockGrid, spec: QuantizationSpec,
    tensorScale: TensorScale, firstElement: Int, scalesGiven: Bool,
    codes: UnsafeMutableRawBufferPointer, scales: UnsafeMutableBufferPointer<UInt32>
  ) throws(QuantizeError) -> QuantizeCounts {
    try spec.recipe.check(spec.format, block: grid.block)
    let output = CodeBuffer(bytes: codes, width: spec.format.element.codeBytes)
    var counts = QuantizeCounts()
    switch spec.recipe.steps {
    case .exact(let rule):
      try checkFactor(tensorScale.decode)
      var blocks = ExactBlocks(
        spec, rule: rule, tensorScale: tensorScale.decode, firstElement: firstElement)
      for block in 0..<grid.blockCount {
        let stored = try blocks.quantize(
          values, elements: BlockElements(block: block, of: grid),
          given: scalesGiven ? scales[block] : nil, codes: output)
        scales[block] = stored.code
        if stored.clamped { counts.clampedScales += 1 }
      }
    case .named(let steps):
      counts = try quantizeNamed(
        values, grid: grid, spec: spec, steps: steps, tensorScale: tensorScale,
        firstElement: firstElement, codes: output, scales: scales)
    }
    return counts
  }

  public func dequantize(
    codes: UnsafeRawBufferPointer, scales: UnsafeBufferPointer<UInt32>, grid: BlockGrid,
    spec: QuantizationSpec, tensorScale: TensorScale, into output: UnsafeMutableBufferPointer<Float>
  ) {
    let input = CodeReader(bytes: codes, width: spec.format.element.codeBytes)
    if case .named(let steps) = spec.recipe.steps {
      dequantizeNamed(
        input, scales: scales, grid: grid, spec: spec, steps: steps, tensorScale: tensorScale,
        into: output)
      return
    }
    let dequantizer = ExactDequantizer(tensorScale: tensorScale.decode)
    for block in 0..<grid.blockCount {
      let scale = decodeScale(scales[block], spec.format.scale)
      for index in BlockElements(block: block, of: grid) {
        let value = decodeElement(input[index], spec.format.element)
        output[index] = dequantizer.value(value, scale: scale)
      }
    }
  }

  public func decode(
    codes: UnsafeRawBufferPointer, element: ElementFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let input = CodeReader(bytes: codes, width: element.codeBytes)
    for index in output.indices { output[index] = decodeElement(input[index], element) }
  }

  public func decodeScales(
    _ scales: UnsafeBufferPointer<UInt32>, format: ScaleFormat,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    for index in output.indices { output[index] = decodeScale(scales[index], format) }
  }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, element: ElementFormat, options: EncodeOptions,
    into codes: UnsafeMutableRawBufferPointer
  ) throws(QuantizeError) {
    let output = CodeBuffer(bytes: codes, width: element.codeBytes)
    let random = RandomSource(rounding: options.rounding, bits: options.randomBits)
    var encoder = ElementEncoder(
      element, rounding: options.rounding, overflow: options.overflow, nan: options.nan)
    if tables, var table = BoundaryTable(element, rounding: options.rounding) {
      return try encoder.encode(values, by: &table, into: output)
    }
    let one = Real(1)
    for index in values.indices {
      let bits = try random.value(at: index)
      guard let code = encoder.encode(values[index], over: one, random: bits) else {
        throw .nonFinite(position: index, format: element.name)
      }
      output[index] = code
    }
  }

  public func encodeScales(
    _ values: UnsafeBufferPointer<Float>, format: ScaleFormat,
    into scales: UnsafeMutableBufferPointer<UInt32>
  ) {
    var encoder = ScaleEncoder(format)
    if tables, var table = BoundaryTable(format.layout, rounding: encoder.ownRounding) {
      return encoder.encode(values, by: &table, into: scales)
    }
    for index in values.indices { scales[index] = encoder.encode(values[index]) }
  }

  private func checkFactor(_ value: Float) throws(QuantizeError) {
    guard value.isFinite, value > 0 else { throw .badTensorScale(value) }
  }
}

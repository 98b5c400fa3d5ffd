import NumberFormats

/// The decoded scale of a block as a function of its largest magnitude, as an engine has it.
struct ScaleSteps: Sendable {
  /// Where the scale takes a value and which; from the smallest magnitude on. Nil where the scale
  /// follows the magnitude so finely that it counts as proportional.
  private(set) var steps: [(from: Double, scale: Double)]?
  private(set) var ratio = 0.0

  /// Mantissa bits of a scale from which on it counts as proportional.
  private static let fine = 10

  /// - Parameters:
  ///   - low: The smallest magnitude asked for.
  ///   - high: The largest.
  ///   - largest: The element's largest magnitude.
  ///   - vanishing: Scales that would round to 0 are 0, where the engine takes the smallest.
  init(
    _ rule: ScaleRule, low: Double, high: Double, largest: Double, vanishing: Bool
  ) throws(LawError) {
    let first = max(Float(low), .leastNonzeroMagnitude)
    let last = min(max(Float(high), first), .greatestFiniteMagnitude)
    let format = rule.spec.format
    if format.scale.layout.mantissaBits >= Self.fine, !format.powerOfTwoScale {
      // A place where the scale is exact.
      let place = Float(largest) * rule.tensorScale.decode
      ratio = try rule.value(rule.code(place)) / Double(place)
      return
    }
    var found: [(from: Double, scale: Double)] = []
    var start = first
    if vanishing, !format.scale.isPowerOfTwo, !format.powerOfTwoScale {
      // From 1.5 times the smallest scale on it is the second smallest; from half of it on the smallest.
      let second = try rule.firstMagnitude(ofCode: 2)
      found.append((Double(first), 0))
      start = max(first, min(last, second / 3))
    }
    found.append((Double(start), try rule.value(rule.code(start))))
    try rule.search(start, last, &found)
    steps = found
  }
}

/// The engine's scale of a block, by its largest magnitude.
struct ScaleRule {
  var spec: QuantizationSpec
  var tensorScale: TensorScale
  var engine: any QuantizationEngine

  func code(_ magnitude: Float) throws(LawError) -> UInt32 {
    do {
      return try engine.exactScale(amax: magnitude, spec: spec, tensorScale: tensorScale).code
    } catch {
      throw .usage("\(spec.format.name): \(error)")
    }
  }

  /// The scale of a code, tensor scale included.
  func value(_ code: UInt32) -> Double {
    var value: Float = 0
    withUnsafeMutablePointer(to: &value) { output in
      withUnsafePointer(to: code) { input in
        engine.decodeScales(
          UnsafeBufferPointer(start: input, count: 1), format: spec.format.scale,
          into: UnsafeMutableBufferPointer(start: output, count: 1))
      }
    }
    return Double(value) * Double(tensorScale.decode)
  }

  /// The smallest magnitude whose code is at least this.
  func firstMagnitude(ofCode wanted: UInt32) throws(LawError) -> Float {
    var low = Float.leastNonzeroMagnitude.bitPattern
    var high = Float.greatestFiniteMagnitude.bitPattern
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try code(Float(bitPattern: middle)) < wanted { low = middle } else { high = middle }
    }
    return Float(bitPattern: high)
  }

  /// Adds the magnitudes of a range at which the code changes, in order: halves it until neighbours
  /// among the float32 numbers are left.
  func search(
    _ low: Float, _ high: Float, _ found: inout [(from: Double, scale: Double)]
  ) throws(LawError) {
    let (lowCode, highCode) = (try code(low), try code(high))
    guard lowCode != highCode else { return }
    guard high.bitPattern - low.bitPattern > 1 else {
      found.append((Double(high), value(highCode)))
      return
    }
    let middle = Float(bitPattern: low.bitPattern + (high.bitPattern - low.bitPattern) / 2)
    try search(low, middle, &found)
    try search(middle, high, &found)
  }
}

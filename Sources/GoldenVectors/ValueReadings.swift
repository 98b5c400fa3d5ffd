import NumberFormats
import Reference

/// What stands between the operands and the results of operations that are no sums: where a number
/// lies between codes, and the rules that would give what a device gave.
struct ValueReadings {
  let spec: VectorSpec
  let codes: ElementCodes

  func lines(inputs: [UInt64], expected: [UInt64], observed: [UInt64]) -> [String] {
    let places = expected.indices.filter { expected[$0] != observed[$0] }
    let steps = positions(inputs, expected, places)
    let readings = changedRules(inputs, observed) + misreadings(inputs, expected, observed, places)
    return steps + readings.map { "  the device's result is that of \($0)" }
  }

  /// Elements whose place between two codes is told.
  private static let mostElements = 8

  /// Where numbers lie before they are rounded to elements.
  private func positions(
    _ inputs: [UInt64], _ expected: [UInt64], _ places: [Int]
  ) -> [String] {
    switch spec.operation {
    case .encode:
      return position(Double(float(inputs[0])), "x").map { ["  \($0)"] } ?? []
    case .quantize:
      let factor = spec.hasTensorScale ? Double(float(inputs[spec.lanes])) : 1
      let scale = Double(scaleValue(expected[spec.lanes])) * factor
      guard scale > 0 else { return [] }
      return places.filter { $0 < spec.lanes }.prefix(Self.mostElements).compactMap { lane in
        position(Double(float(inputs[lane])) / scale, "x[\(lane)] / scale").map { "  \($0)" }
      }
    default: return []
    }
  }

  private func position(_ number: Double, _ name: String) -> String? {
    guard number.isFinite else { return nil }
    let sorted = codes.finite.sorted { codes.value($0) < codes.value($1) }
    let below = sorted.last { Double(codes.value($0)) <= number }
    let above = sorted.first { Double(codes.value($0)) >= number }
    func text(_ code: UInt32) -> String { "\(String(code, radix: 16))=\(codes.value(code))" }
    let place: String
    switch (below, above) {
    case (let low?, let high?):
      place =
        codes.value(low) == codes.value(high)
        ? "which is code \(text(low))" : "between codes \(text(low)) and \(text(high))"
    case (let low?, nil): place = "above the largest code \(text(low))"
    case (nil, let high?): place = "below the lowest code \(text(high))"
    case (nil, nil): return nil
    }
    return "\(name) is \(Float(number)), \(place)"
  }

  /// Other roundings of elements, other rules for the scale, saturation: whatever gives exactly the
  /// device's result.
  private func changedRules(_ inputs: [UInt64], _ observed: [UInt64]) -> [String] {
    var variants: [(name: String, change: (inout QuantizationSpec) -> Void)] = []
    if spec.operation == .encode || spec.operation == .quantize {
      for rounding in Rounding.deterministic {
        variants.append(("element rounding \(rounding)", { $0.rounding = rounding }))
      }
    }
    let hasScaleRule = spec.operation == .scale || spec.operation == .quantize
    if hasScaleRule, spec.quantization.recipe.isExact {
      for rule in ExactScaleRule.allCases {
        variants.append(("the scale rule \(rule.rawValue)", { $0.recipe.steps = .exact(rule) }))
      }
    }
    return variants.filter { variant in
      var changed = spec.quantization
      variant.change(&changed)
      guard changed != spec.quantization,
        let other = try? VectorSpec(
          operation: spec.operation, quantization: changed, accumulator: spec.accumulator,
          block: spec.block),
        let result = try? other.result(inputs, engine: MPFREngine())
      else { return false }
      return result == observed
    }.map(\.name)
  }

  /// Codes read in another way, or put in another place.
  private func misreadings(
    _ inputs: [UInt64], _ expected: [UInt64], _ observed: [UInt64], _ places: [Int]
  ) -> [String] {
    var names: [String] = []
    let reads = spec.operation == .decode || spec.operation == .dequantize
    if reads, places.allSatisfy({ isSubnormal(inputs[$0]) && float(observed[$0]) == 0 }) {
      names.append("subnormal elements read as zero")
    }
    if reads, places.allSatisfy({ !float(observed[$0]).isFinite && float(expected[$0]).isFinite }) {
      names.append("finite codes read as infinity or NaN")
    }
    guard spec.operation == .quantize || spec.operation == .dequantize else { return names }
    let lanes = spec.lanes
    let elements = Array(expected[..<lanes])
    let rest = Array(expected[lanes...])
    let swapped = elements.indices.map { lane in
      lane ^ 1 < lanes ? elements[lane ^ 1] : elements[lane]
    }
    if swapped + rest == observed { names.append("neighbouring elements swapped") }
    if elements.reversed() + rest == observed { names.append("elements in reverse order") }
    return names
  }

  private func isSubnormal(_ code: UInt64) -> Bool {
    guard case .float(let layout) = codes.element.kind, code < UInt64(codes.values.count) else {
      return false
    }
    let size = codes.value(UInt32(code)).magnitude
    return size > 0 && Int(size.exponent) < 1 - layout.bias
  }

  private func float(_ pattern: UInt64) -> Float {
    Float(bitPattern: UInt32(truncatingIfNeeded: pattern))
  }

  private func scaleValue(_ code: UInt64) -> Float {
    spec.scaleValue(UInt32(truncatingIfNeeded: code))
  }
}

extension VectorSpec {
  /// What a scale's code means.
  func scaleValue(_ code: UInt32) -> Float {
    var value: Float = 0
    withUnsafeMutablePointer(to: &value) { output in
      withUnsafePointer(to: code) {
        MPFREngine().decodeScales(
          UnsafeBufferPointer(start: $0, count: 1), format: quantization.format.scale,
          into: UnsafeMutableBufferPointer(start: output, count: 1))
      }
    }
    return value
  }
}

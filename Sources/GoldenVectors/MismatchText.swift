import FastPath
import NumberFormats
import Reference

/// Explains mismatches: operands by value, both results in binary, the sum's steps, and a reading
/// of the unit that would give what the device gave.
public struct MismatchText: Sendable {
  private let manifest: VectorManifest
  /// Nil where the formats of the manifest are not to be had: no values and no steps then.
  private let spec: VectorSpec?
  private let codes: ElementCodes?

  /// - Parameter spec: what the manifest's rows describe; another layout than the manifest's is
  ///   ignored.
  public init(_ manifest: VectorManifest, spec: VectorSpec?) {
    self.manifest = manifest
    let fits = spec?.inputs == manifest.inputs && spec?.expected == manifest.expected
    let usable = fits ? spec : nil
    self.spec = usable
    let engine = try? VectorEngine()
    codes = engine.flatMap { engine in
      usable.map { ElementCodes($0.quantization.format.element, engine: engine) }
    }
  }

  public func lines(_ mismatch: VectorCheck.Mismatch) -> [String] {
    var lines = ["case \(mismatch.index), class \(mismatch.className)"]
    lines += fields(manifest.inputs, mismatch.inputs)
    var start = 0
    for field in manifest.expected.fields {
      for lane in 0..<field.lanes {
        let golden = mismatch.expected[start + lane]
        let device = mismatch.observed[start + lane]
        guard golden != device else { continue }
        let name = field.lanes > 1 ? "\(field.name)[\(lane)]" : field.name
        lines.append("  \(name) expected \(text(golden, field))")
        lines.append("  \(name) observed \(text(device, field))")
      }
      start += field.lanes
    }
    if let spec, spec.operation.isSum {
      lines += steps(spec, mismatch)
      lines += readings(spec, mismatch).map { "  the device's result is that of \($0)" }
    }
    return lines
  }

  private func fields(_ layout: WordLayout, _ lanes: [UInt64]) -> [String] {
    var lines: [String] = []
    var start = 0
    for field in layout.fields {
      let own = lanes[start..<(start + field.lanes)]
      let shown = own.prefix(64).map { code in
        "\(hex(code, field))\(value(code, field).map { "=\($0)" } ?? "")"
      }
      let more = own.count > 64 ? " and \(own.count - 64) more" : ""
      lines.append("  \(field.name): \(shown.joined(separator: " "))\(more)")
      start += field.lanes
    }
    return lines
  }

  private func hex(_ code: UInt64, _ field: VectorField) -> String {
    let digits = String(code, radix: 16)
    return String(repeating: "0", count: max(0, (field.laneWidth + 3) / 4 - digits.count)) + digits
  }

  private func text(_ code: UInt64, _ field: VectorField) -> String {
    let digits = String(code, radix: 2)
    let binary = String(repeating: "0", count: max(0, field.laneWidth - digits.count)) + digits
    return "\(binary) 0x\(hex(code, field))\(value(code, field).map { " = \($0)" } ?? "")"
  }

  /// What a field's number means.
  private func value(_ code: UInt64, _ field: VectorField) -> String? {
    let bits = UInt32(truncatingIfNeeded: code)
    switch field.name {
    case "a", "b", "code", "codes":
      guard let codes, bits < UInt32(codes.values.count) else { return nil }
      return "\(codes.value(bits))"
    case "scale", "scale_a", "scale_b":
      guard let spec else { return nil }
      let format = spec.quantization.format.scale
      var value: Float = 0
      withUnsafeMutablePointer(to: &value) { output in
        withUnsafePointer(to: bits) {
          MPFREngine().decodeScales(
            UnsafeBufferPointer(start: $0, count: 1), format: format,
            into: UnsafeMutableBufferPointer(start: output, count: 1))
        }
      }
      return "\(value)"
    case "c", "d":
      switch manifest.resultType {
      case "float32": return "\(Float(bitPattern: bits))"
      case "integer":
        let spare = UInt64(64 - field.laneWidth)
        return "\(Int64(bitPattern: code << spare) >> Int64(spare))"
      default: return nil
      }
    default: return field.laneWidth == 32 ? "\(Float(bitPattern: bits))" : nil
    }
  }

  private func steps(_ spec: VectorSpec, _ mismatch: VectorCheck.Mismatch) -> [String] {
    let problem = spec.problem(mismatch.inputs)
    guard let trace = try? MPFREngine().trace(problem, row: 0, column: 0) else { return [] }
    return trace.steps.flatMap { step in
      var lines = ["  step \(step.kind)"]
      if let exponent = step.maximumExponent { lines[0] += ", maximum exponent \(exponent)" }
      for term in step.terms {
        let isZero = term.value.significand == "0" || term.value.significand == "-0"
        if isZero, term.value.special == nil { continue }
        let name = term.k.isEmpty ? "c" : "k \(term.k.lowerBound)..<\(term.k.upperBound)"
        let added = DebugColumns.text(term.aligned)
        lines.append("    \(name): \(DebugColumns.text(term.value)), added as \(added)")
      }
      lines.append("    sum before rounding \(DebugColumns.text(step.sum))")
      return lines
    }
  }

  /// Units that differ in one rule and give the device's result.
  private func readings(_ spec: VectorSpec, _ mismatch: VectorCheck.Mismatch) -> [String] {
    guard let observed = mismatch.observed.first else { return [] }
    return UnitVariants.of(spec.accumulator).filter { variant in
      var problem = spec.problem(mismatch.inputs)
      problem.accumulator = variant.unit
      guard let result: [Int64] = try? MPFREngine().multiply(problem) else { return false }
      let width = UInt64(spec.expected.width)
      let mask: UInt64 = width == 64 ? .max : (1 << width) - 1
      return result.map { UInt64(bitPattern: $0) & mask } == [observed]
    }.map(\.name)
  }
}

/// A unit with one rule changed.
struct UnitVariants {
  var name: String
  var unit: Accumulator

  static func of(_ unit: Accumulator) -> [UnitVariants] {
    var variants: [UnitVariants] = []
    for rounding in Rounding.deterministic where rounding != unit.output.rounding {
      var other = unit
      other.output.rounding = rounding
      variants.append(UnitVariants(name: "output rounding \(rounding)", unit: other))
    }
    var flushed = unit
    flushed.output.flushesSubnormals.toggle()
    let word = flushed.output.flushesSubnormals ? "flushed" : "kept"
    variants.append(UnitVariants(name: "subnormal results \(word)", unit: flushed))
    switch unit.datapath {
    case .fused(let step): variants += fused(unit, step)
    case .integer(var register):
      register.overflow = register.overflow == .wrap ? .saturate : .wrap
      var other = unit
      other.datapath = .integer(register)
      variants.append(
        UnitVariants(name: "a register that would \(register.overflow.rawValue)", unit: other))
    case .fixed(let register):
      var turned = register
      turned.overflow = register.overflow == .wrap ? .saturate : .wrap
      var other = unit
      other.datapath = .fixed(turned)
      variants.append(
        UnitVariants(name: "a register that would \(turned.overflow.rawValue)", unit: other))
      for rounding in Rounding.deterministic where rounding != register.rounding {
        var cut = register
        cut.rounding = rounding
        other.datapath = .fixed(cut)
        variants.append(UnitVariants(name: "products cut by \(rounding)", unit: other))
      }
    case .exact, .float32: break
    }
    return variants
  }

  private static func fused(_ unit: Accumulator, _ step: FusedStep) -> [UnitVariants] {
    guard let alignment = step.alignment else { return [] }
    var variants: [UnitVariants] = []
    func add(_ name: String, _ changed: FusedStep.Alignment?) {
      var other = unit
      var turned = step
      turned.alignment = changed
      other.datapath = .fused(turned)
      variants.append(UnitVariants(name: name, unit: other))
    }
    for fraction in [alignment.fraction - 1, alignment.fraction + 1] {
      var changed = alignment
      changed.fraction = fraction
      add("an alignment that keeps \(fraction) fraction bits, not \(alignment.fraction)", changed)
    }
    for rounding in [Rounding.towardZero, .towardNegative, .toOdd, .tiesToEven]
    where rounding != alignment.rounding {
      var changed = alignment
      changed.rounding = rounding
      add("terms aligned by \(rounding), not \(alignment.rounding)", changed)
    }
    if alignment.zeroExponent != nil {
      var changed = alignment
      changed.zeroExponent = nil
      add("zero terms that take no part in the largest exponent", changed)
    }
    add("an exact sum", nil)
    return variants
  }
}

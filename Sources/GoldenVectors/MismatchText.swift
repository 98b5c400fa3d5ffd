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
    if let tile = manifest.tile.flatMap({ TileShape($0) }), fits(tile),
      let field = manifest.expected.fields.first
    {
      return lines + tileLines(tile, mismatch, field)
    }
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
    if let spec, spec.operation.isSum, let observed = mismatch.observed.first {
      let problem = spec.problem(mismatch.inputs)
      lines += steps(problem)
      lines += readings(spec, problem, observed)
    }
    if let spec, let codes, !spec.operation.isSum {
      lines += ValueReadings(spec: spec, codes: codes).lines(
        inputs: mismatch.inputs, expected: mismatch.expected, observed: mismatch.observed)
    }
    return lines
  }

  /// Outputs of one tile that are explained.
  private static let mostOutputs = 4

  /// Each output of a tile that differs: the operands that meet in it, and its sum.
  private func tileLines(
    _ tile: TileShape, _ mismatch: VectorCheck.Mismatch, _ field: VectorField
  ) -> [String] {
    let places = mismatch.expected.indices.filter { mismatch.expected[$0] != mismatch.observed[$0] }
    let problem = spec.map { $0.problem(mismatch.inputs) }
    var lines = ["  \(places.count) of \(tile.rows) x \(tile.columns) outputs differ"]
    for place in places.prefix(Self.mostOutputs) {
      let (row, column) = place.quotientAndRemainder(dividingBy: tile.columns)
      lines += operands(mismatch.inputs, tile, row: row, column: column)
      let name = "d[\(row), \(column)]"
      lines.append("  \(name) expected \(text(mismatch.expected[place], field))")
      lines.append("  \(name) observed \(text(mismatch.observed[place], field))")
      guard let spec, let problem else { continue }
      let output = VectorSpec.output(problem, row: row, column: column)
      lines += steps(output)
      lines += readings(spec, output, mismatch.observed[place])
    }
    if places.count > Self.mostOutputs {
      lines.append("  and \(places.count - Self.mostOutputs) outputs more")
    }
    return lines
  }

  /// The row of A and the column of B that meet in an output, with their scales, and its c.
  private func operands(
    _ inputs: [UInt64], _ tile: TileShape, row: Int, column: Int
  ) -> [String] {
    var lines: [String] = []
    var start = 0
    for field in manifest.inputs.fields {
      let width = field.shape?[1] ?? field.lanes
      switch field.name {
      case "c":
        let own = inputs[(start + row * width + column)...].prefix(1)
        lines.append("  c[\(row), \(column)]: \(shown(own, field))")
      case "a", "scale_a", "b", "scale_b":
        let line = field.name.hasSuffix("a") ? row : column
        let own = inputs[(start + line * width)..<(start + (line + 1) * width)]
        lines.append("  \(field.name)[\(line)]: \(shown(own, field))")
      default:
        lines.append("  \(field.name): \(shown(inputs[start..<(start + field.lanes)], field))")
      }
      start += field.lanes
    }
    return lines
  }

  private func fields(_ layout: WordLayout, _ lanes: [UInt64]) -> [String] {
    var lines: [String] = []
    var start = 0
    for field in layout.fields {
      lines.append("  \(field.name): \(shown(lanes[start..<(start + field.lanes)], field))")
      start += field.lanes
    }
    return lines
  }

  /// Whether the fields are those of such a tile: a manifest may say anything.
  private func fits(_ tile: TileShape) -> Bool {
    manifest.expected.fields.map(\.shape) == [[tile.rows, tile.columns]]
      && manifest.inputs.fields.allSatisfy { field in
        switch field.name {
        case "a", "scale_a": field.shape?[0] == tile.rows
        case "b", "scale_b": field.shape?[0] == tile.columns
        case "c": field.shape == [tile.rows, tile.columns]
        default: true
        }
      }
  }

  private func shown(_ codes: ArraySlice<UInt64>, _ field: VectorField) -> String {
    let shown = codes.prefix(64).map { code in
      "\(hex(code, field))\(value(code, field).map { "=\($0)" } ?? "")"
    }
    let more = codes.count > 64 ? " and \(codes.count - 64) more" : ""
    return shown.joined(separator: " ") + more
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
      return "\(spec.scaleValue(bits))"
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

  /// The terms of steps that are no sums of products.
  private static let termNames = [
    "scale": ["sum of the run", "scales"], "promote": ["sum so far", "run"],
    "tensorScale": ["sum", "tensor scales"],
  ]

  private func steps(_ problem: MatmulProblem) -> [String] {
    guard let trace = try? MPFREngine().trace(problem, row: 0, column: 0) else { return [] }
    return trace.steps.flatMap { step in
      var lines = ["  step \(step.kind)"]
      if let exponent = step.maximumExponent { lines[0] += ", maximum exponent \(exponent)" }
      for (place, term) in step.terms.enumerated() {
        let isZero = term.value.significand == "0" || term.value.significand == "-0"
        if isZero, term.value.special == nil { continue }
        let own = Self.termNames[step.kind].flatMap { place < $0.count ? $0[place] : nil }
        let name =
          own ?? (term.k.isEmpty ? "c" : "k \(term.k.lowerBound)..<\(term.k.upperBound)")
        let added = DebugColumns.text(term.aligned)
        lines.append("    \(name): \(DebugColumns.text(term.value)), added as \(added)")
      }
      lines.append("    sum before rounding \(DebugColumns.text(step.sum))")
      return lines
    }
  }

  /// Units that differ in one rule and give the device's result.
  private func readings(
    _ spec: VectorSpec, _ problem: MatmulProblem, _ observed: UInt64
  ) -> [String] {
    UnitVariants.of(spec.accumulator).filter { variant in
      var changed = problem
      changed.accumulator = variant.unit
      guard let result: [Int64] = try? MPFREngine().multiply(changed) else { return false }
      return spec.patterns(result) == [observed]
    }.map { "  the device's result is that of \($0.name)" }
  }
}

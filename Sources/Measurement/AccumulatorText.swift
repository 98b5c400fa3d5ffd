import NumberFormats

extension Accumulator {
  /// The operands it takes, between commas; `any`, or `integers`.
  public var operandText: String {
    switch operands {
    case .any: "any"
    case .integers(let bits): "integers of at most \(bits) bits"
    case .named(let names): names.joined(separator: ", ")
    }
  }

  /// Every parameter of the datapath, in the words of the format tables.
  public var datapathText: String {
    switch datapath {
    case .exact: "exact"
    case .float32(let steps): steps.text
    case .fused(let step): step.text
    case .integer(let register):
      "integer width=\(register.width) \(register.overflow.rawValue) step=\(text(register.step))"
    case .fixed(let register):
      "fixed width=\(register.width) lsb=\(register.lsb) \(register.overflow.rawValue)"
        + " terms=\(register.terms) rounding=\(register.rounding)"
    }
  }

  /// Where a step's sum leaves.
  public var outputText: String {
    let format =
      switch output.format {
      case .float32(mantissaBits: 23): "fp32"
      case .float32(let bits): "e8m\(bits)"
      case .float16: "fp16"
      case .int32: "int32"
      case .int64: "int64"
      }
    if output.format == .int32 || output.format == .int64 { return format }
    return "\(format) \(output.rounding)"
      + (output.overflow == .infinity ? "" : " largestFinite")
      + (output.flushesSubnormals ? " flushSubnormals" : "")
  }
}

extension RowText {
  public init(_ accumulator: Accumulator) {
    text =
      "accumulator \(accumulator.name) operands=\(accumulator.operandText)"
      + " scales=\(accumulator.scales) \(accumulator.datapathText)"
      + " output=\(accumulator.outputText) nan=\(accumulator.output.nan)"
      + " promote=\(Measurement.text(accumulator.promoteEvery))"
  }
}

extension Float32Steps {
  fileprivate var text: String {
    let order =
      switch order {
      case .sequential: "sequential"
      case .pairwise: "pairwise"
      case .chains(let count): "chains=\(count)"
      }
    return "float32 \(order) step=\(Measurement.text(step))"
      + (fusedMultiplyAdd ? " fusedMultiplyAdd" : "") + (scalesProducts ? " scalesProducts" : "")
      + (inputSubnormals == .keep ? "" : " \(inputSubnormals.rawValue)")
      + (flushesResults ? " flushesResults" : "")
  }
}

extension FusedStep {
  fileprivate var text: String {
    var text = "fused terms=\(terms)"
    if group > 1 { text += " group=\(group)" }
    if scaling != .none { text += " scaling=\(scaling.rawValue)" }
    if let alignment {
      text += " fraction=\(alignment.fraction) \(alignment.rounding)"
      text += " zero=\(Measurement.text(alignment.zeroExponent))"
    } else {
      text += " exact"
    }
    switch join {
    case .fused: break
    case .late(let late):
      text += " late=\(late.sumFraction),\(late.addendFraction)"
      text += ",\(Measurement.text(late.dropsBelow)),\(Measurement.text(late.resultFraction))"
    case .add(let rounding): text += " add=\(rounding)"
    }
    if splitsEvenOdd { text += " splitsEvenOdd" }
    if infiniteProducts { text += " infiniteProducts" }
    return text
  }
}

private func text(_ value: Int?) -> String { value.map(String.init) ?? "none" }

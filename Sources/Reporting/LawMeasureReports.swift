import ErrorStatistics
import Measurement
import NumberFormats
import ScalingLaws

/// A measured curve, the law fitted to it or why there is none, and what a plan goes by.
public struct JudgedCurve: Sendable {
  public var measured: LayerCurve
  public var law: Result<BlockSizeLaw, FitError>
  public var planned: PlannedError

  public init(_ measured: LayerCurve, seed: UInt64 = 1) {
    self.measured = measured
    law = Result { () throws(FitError) in try BlockSizeLaw(measured.curve, seed: seed) }
    planned = PlannedError(measured.curve, law: try? law.get())
  }

  public var curve: ErrorCurve { measured.curve }
}

/// Where formats err as much as one of them at one block size.
public struct EquivalentBlocks: Sendable {
  public var format: String
  public var block: String
  public var error: Double
  public var crossings: [(format: String, at: ErrorCurve.Crossing)]

  /// - Returns: nil where the curves hold no such format or block.
  public init?(_ curves: [JudgedCurve], format: String, block: String) {
    let own = curves.first { $0.curve.format == format }
    guard let point = own?.curve.point(block: block) else { return nil }
    self.format = format
    self.block = block
    error = point.error
    crossings = curves.filter { $0.curve.format != format }.map {
      ($0.curve.format, $0.curve.blockSizes(erring: point.error))
    }
  }
}

/// What `blockscale law measure` prints.
public enum LawMeasureReports {
  /// What was measured, in words and in JSON.
  public struct Subject: Sendable {
    public var kind: LayerErrorKind
    public var weighting: LayerWeighting
    public var accumulator: String
    public var skipped: [SkippedItem]

    public init(
      kind: LayerErrorKind, weighting: LayerWeighting, accumulator: String, skipped: [SkippedItem]
    ) {
      self.kind = kind
      self.weighting = weighting
      self.accumulator = accumulator
      self.skipped = skipped
    }
  }

  /// - Parameters:
  ///   - layers: each layer's errors; empty where they are not wanted.
  ///   - form: CSV and JSON lines hold the curves alone, so that `law fit` and `law plan` read them.
  public static func report(
    curves: [JudgedCurve], equivalents: EquivalentBlocks?, layers: [LayerErrors],
    subject: Subject, run: RunFields, form: OutputForm
  ) -> Report {
    let people = sections(curves: curves, subject: subject)
    var data = [Section("curves", table: curveTable(curves), isShown: false)]
    if form == .json { data.append(Section("fits", table: fitTable(curves), isShown: false)) }
    var shown = people
    if let equivalents {
      shown.append(equivalentSection(equivalents))
      if form == .json {
        data.append(Section("equivalents", table: equivalentTable(equivalents), isShown: false))
      }
    }
    if !layers.isEmpty {
      let table = layerTable(layers)
      if form == .csv || form == .jsonl { data = [] }
      data.append(Section("layers", title: "By layer", table: table, isShown: form.isForPeople))
    }
    return Report(
      fields: run.json + fields(subject), sections: shown + data, notes: notes(curves) + run.notes)
  }

  /// The tables for people: curves and fits.
  static func sections(curves: [JudgedCurve], subject: Subject) -> [Section] {
    let first = curves.first?.measured.points.first
    let title =
      "Relative squared error (\(text(subject.kind))) over \(first?.layers ?? 0) layers,"
      + " \(NumberStyle.grouped(first?.parameters ?? 0)) weights, weighted by"
      + " \(text(subject.weighting))"
    return [
      Section("", title: title, table: peopleCurves(curves)),
      Section(
        "", title: "NMSE = K (Q_b + d)^gamma_c, 95 % intervals", table: peopleFits(curves)),
    ]
  }

  static func fields(_ subject: Subject) -> [JSONField] {
    var fields = [
      JSONField("error", .string(subject.kind.rawValue)),
      JSONField("weighting", .string(text(subject.weighting))),
      JSONField("accumulator", .string(subject.accumulator)),
    ]
    if case .sensitivities(let known) = subject.weighting {
      fields.append(JSONField("alpha_file", .string(known.file)))
      fields.append(JSONField("observable", JSONValue(known.observable)))
    }
    fields.append(JSONField("skipped", .array(subject.skipped.map(ErrorReports.json))))
    return fields
  }

  /// A sentence for each curve that is not what the law says.
  static func notes(_ curves: [JudgedCurve]) -> [String] {
    curves.compactMap { judged in
      let name = judged.curve.format
      if case .failure(let error) = judged.law {
        return "\(name): no law fitted (\(error)); its measured curve is used."
      }
      if judged.curve.trend == .falls {
        return
          "\(name): the error falls as blocks grow, so that (Q_b + d)^gamma_c with gamma_c > 0 does not"
          + " hold; its measured curve is used."
      }
      if judged.curve.trend == .neither {
        let falls = judged.curve.falls.map { "\($0.from.block) to \($0.to.block)" }
        return
          "\(name): not monotone (the error falls from Q_b = \(falls.joined(separator: ", ")));"
          + " its measured curve is used."
      }
      if case .success(let law) = judged.law, law.exponent.isAtBound {
        let bound = NumberStyle.compact(4).text(law.exponent.value)
        return
          "\(name): gamma_c lies at its bound (\(bound)), so that these points do not determine"
          + " the law; its measured curve is used."
      }
      if case .measured = judged.planned, case .success(let law) = judged.law {
        return "\(name): the law is off by \(NumberStyle.significant(2).text(100 * law.fit.rms)) %"
          + " (root mean square of ln); its measured curve is used."
      }
      return nil
    }
  }

  static func text(_ kind: LayerErrorKind) -> String {
    switch kind {
    case .product: "of the product"
    case .weight: "of the product, weights quantised"
    case .activation: "of the product, activations quantised"
    case .weightTensor: "of the weights"
    case .activationTensor: "of the activations"
    }
  }

  static func text(_ weighting: LayerWeighting) -> String {
    switch weighting {
    case .parameters: "parameters"
    case .sensitivities(let known): known.column
    }
  }

  private static func equivalentSection(_ found: EquivalentBlocks) -> Section {
    var table = Table(columns: [Column("format"), Column("q_b", title: "Q_b", align: .right)])
    table.rows = found.crossings.map { [.string($0.format), .string(words($0.at))] }
    return Section(
      "", title: "Erring as much as \(found.format) at Q_b = \(found.block)", table: table)
  }

  private static func words(_ crossing: ErrorCurve.Crossing) -> String {
    switch crossing {
    case .at(let sizes): sizes.map { NumberStyle.significant(3).text($0) }.joined(separator: ", ")
    case .below: "less at every Q_b"
    case .above: "more at every Q_b"
    }
  }

  private static func equivalentTable(_ found: EquivalentBlocks) -> Table {
    var table = Table(
      columns: ["format", "as_format", "as_block", "as_nmse", "q_b", "relation"].map { Column($0) })
    table.rows = found.crossings.map { format, crossing in
      var sizes: [Double] = []
      let relation: String
      switch crossing {
      case .at(let found): (sizes, relation) = (found, "equal")
      case .below: relation = "less"
      case .above: relation = "more"
      }
      return [
        .string(format), .string(found.format), .string(found.block), .number(found.error),
        .array(sizes.map { .number($0) }), .string(relation),
      ]
    }
    return table
  }

  private static func layerTable(_ layers: [LayerErrors]) -> Table {
    var table = Table(
      columns: [
        Column("tensor", shrinking: .middle), Column("format"), Column("block", align: .right),
        .number("parameters"), .number("k"), .number("bits_per_element", .fixed(3)),
      ] + LayerErrorKind.allCases.map { .number($0.rawValue, .scientific(3)) }, groupedColumns: 2)
    table.rows = layers.map { layer in
      [
        .string(layer.tensor), .string(layer.errorCase.spec.format.name),
        ErrorReports.blockValue(layer.errorCase.block), .int(layer.parameters), .int(layer.depth),
        .number(layer.bitsPerElement),
      ] + LayerErrorKind.allCases.map { JSONValue(layer.value($0)) }
    }
    return table
  }
}

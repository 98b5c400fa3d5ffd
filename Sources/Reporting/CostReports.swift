import HardwareCost
import Measurement
import NumberFormats

/// What `blockscale cost` prints.
public enum CostReports {
  /// Formats with block sizes, one row each.
  public static func costs(_ costs: [FormatCost], _ query: CostQuery, _ model: CostModel) -> Report
  {
    let calibration = model.calibration
    let fields =
      run(costs.map(\.format)).json + [
        JSONField("lanes", .int(query.lanes)), JSONField("length", .int(query.length)),
        JSONField("tile", .string(query.tile.description)),
        JSONField("model", .object(summaryFields(calibration))),
      ]
    return Report(
      fields: fields, sections: [Section("results", table: table(costs))],
      notes: [
        "Gates: NAND2 equivalents of combinational logic per multiply-accumulate each cycle.",
        "Lane: multiplier, aligner, adders; scale: scaling the sum; join: adding it to FP32.",
        "Sum bits: a block's accumulator. Calibrated: synthesised likewise, with the error if just so.",
        "Traffic: bits fetched per multiply-accumulate for a tile of \(query.tile.rows) x"
          + " \(query.tile.columns) results.",
        errorNote(calibration),
      ] + run(costs.map(\.format)).notes)
  }

  /// The model against every synthesised unit and part, and its parameters.
  public static func calibration(
    _ model: CostModel, points: [SynthesisPoint]
  ) -> Report {
    let calibration = model.calibration
    return Report(
      fields: run([]).json + [JSONField("model", .object(summaryFields(calibration)))],
      sections: [
        Section("points", title: "Yosys and the model", table: comparisons(calibration)),
        Section("structures", title: "Structures", table: structures(model, points)),
        Section("gates", title: "Gates", table: gates(model.gates)),
        Section("left_out", title: "Fitted without an element", table: leftOut(model, points)),
      ],
      notes: [
        "Areas in NAND2 equivalents; error: model / Yosys - 1. Fitted anew: to all parts and to the"
          + " units that are not held out.",
        errorNote(calibration),
      ])
  }

  private static func run(_ formats: [BlockFormat]) -> RunFields {
    RunFields(
      engine: "gate model", seed: nil,
      rows: formats.flatMap {
        [UsedRow($0), UsedRow(.element($0.element)), UsedRow(.scale($0.scale))]
      })
  }

  private static func summaryFields(_ calibration: Calibration) -> [JSONField] {
    let (fitted, held) = (calibration.units(heldOut: false), calibration.units(heldOut: true))
    return [
      JSONField("fitted_units", .int(fitted.count)),
      JSONField("held_out_units", .int(held.count)),
      JSONField("fitted_median_error", JSONValue(Calibration.medianError(fitted))),
      JSONField("held_out_median_error", JSONValue(Calibration.medianError(held))),
      JSONField("fitted_largest_error", JSONValue(Calibration.largestError(fitted))),
      JSONField("held_out_largest_error", JSONValue(Calibration.largestError(held))),
    ]
  }

  private static func errorNote(_ calibration: Calibration) -> String {
    func text(_ units: [Calibration.Comparison]) -> String {
      guard let median = Calibration.medianError(units),
        let largest = Calibration.largestError(units)
      else { return "no units" }
      return "\(units.count) units median error \(NumberStyle.fixed(1).text(100 * median)) %,"
        + " largest \(NumberStyle.fixed(1).text(100 * largest)) %"
    }
    return "Model against Yosys: held out, \(text(calibration.units(heldOut: true)));"
      + " fitted, \(text(calibration.units(heldOut: false)))."
  }

  private static func table(_ costs: [FormatCost]) -> Table {
    var table = Table(
      columns: [
        Column("format"), .number("block"),
        .number("bits_per_element", title: "bits/element", .compact(6)),
        .number("product_bits", isShown: false), .number("exact_accumulator_bits", isShown: false),
        .number("accumulator_bits", title: "sum bits"),
        .number("dropped_bits", title: "dropped"),
        .number("gates_per_mac", title: "gates/MAC", .fixed(0)),
        .number("lane_gates", title: "lane", .fixed(0)),
        .number("scale_gates", title: "scale", .fixed(1)),
        .number("accumulator_gates", title: "join", .fixed(1)),
        .number("traffic_bits_per_mac", title: "traffic", .compact(4)),
        .number("element_bits_per_mac", isShown: false),
        .number("scale_bits_per_mac", isShown: false),
        Column("calibrated", isShown: false), .number("model_error", isShown: false),
        Column("calibration", title: "calibrated", shrinking: .end),
      ], groupedColumns: Set(costs.map(\.format)).count < costs.count ? 1 : 0)
    table.rows = costs.map { cost in
      var error: Double?
      if case .synthesised(let value) = cost.calibration { error = value }
      return [
        .string(cost.format.name), ErrorReports.blockValue(cost.block),
        .number(cost.bitsPerElement), .int(cost.productBits), .int(cost.exactAccumulatorBits),
        .int(cost.accumulatorBits), .int(cost.droppedBits), .number(cost.gates),
        .number(cost.laneGates), .number(cost.scaleGates), .number(cost.accumulatorGates),
        .number(cost.traffic), .number(cost.elementTraffic), .number(cost.scaleTraffic),
        .bool(cost.calibration.isCalibrated), JSONValue(error),
        .string(statusText(cost.calibration)),
      ]
    }
    return table
  }

  private static func statusText(_ status: CalibrationStatus) -> String {
    switch status {
    case .synthesised(let error): "yes, \(percent(error))"
    case .between: "yes"
    case .outside(let missing): "no: \(missing)"
    }
  }

  private static func percent(_ fraction: Double) -> String {
    (fraction < 0 ? "" : "+") + NumberStyle.fixed(1).text(100 * fraction) + " %"
  }

  private static func comparisons(_ calibration: Calibration) -> Table {
    var table = Table(columns: [
      Column("part"), Column("element"), Column("scale"), .number("terms"), .number("bits"),
      .number("dropped"), .number("transistors"),
      .number("yosys", .fixed(0)), .number("model", .fixed(0)),
      .number("error", isShown: false), .number("error_percent", title: "error %", .fixed(1)),
      Column("use"),
    ])
    table.rows = calibration.comparisons.map { comparison in
      subject(comparison.point.subject) + [
        .int(comparison.point.transistors), .number(comparison.measured),
        .number(comparison.predicted), .number(comparison.error),
        .number(100 * comparison.error),
        .string(comparison.isHeldOut ? "held out" : "fitted"),
      ]
    }
    return table
  }

  private static func subject(_ subject: SynthesisPoint.Subject) -> [JSONValue] {
    switch subject {
    case .unit(let element, let scale, let block, let dropped):
      [
        .string("unit"), .string(element.name), .string(scale.name), .int(block), .null,
        .int(dropped),
      ]
    case .lane(let element): [.string("lane"), .string(element.name), .null, .null, .null, .null]
    case .scale(let scale): [.string("scale"), .null, .string(scale.name), .null, .null, .null]
    case .sum(let terms, let bits):
      [.string("sum"), .null, .null, .int(terms), .int(bits), .null]
    case .join(let bits, let scale):
      [.string("join"), .null, .string(scale.name), .null, .int(bits), .null]
    }
  }

  private static func structures(_ model: CostModel, _ points: [SynthesisPoint]) -> Table {
    let fitted = model.gates.fitted(to: points)
    var table = Table(columns: [
      Column("name"), .number("area", .compact(6)),
      .number("fitted", title: "fitted anew", .compact(6)), Column("source"),
    ])
    table.rows = Structure.allCases.map { structure in
      [
        .string(structure.rawValue), JSONValue(model.gates.structures[structure]?.value),
        JSONValue(fitted?.structures[structure]?.value),
        JSONValue(model.gates.structures[structure]?.source),
      ]
    }
    return table
  }

  private static func gates(_ model: GateModel) -> Table {
    var table = Table(columns: [Column("name"), .number("area"), Column("source", shrinking: .end)])
    table.rows = GateKind.allCases.map {
      [
        .string($0.rawValue), JSONValue(model.gates[$0]?.value),
        JSONValue(model.gates[$0]?.source),
      ]
    }
    return table
  }

  private static func leftOut(_ model: CostModel, _ points: [SynthesisPoint]) -> Table {
    var elements: [ElementFormat] = []
    for case .lane(let element) in points.map(\.subject) where !elements.contains(element) {
      elements.append(element)
    }
    var table = Table(columns: [
      Column("element"), .number("units"),
      .number("median_error", title: "median error", .fixed(3)),
      .number("largest_error", title: "largest error", .fixed(3)),
    ])
    table.rows = elements.map { element in
      let units = model.gates.comparisonsWithout(element, points: points)
      return [
        .string(element.name), .int(units.count), JSONValue(Calibration.medianError(units)),
        JSONValue(Calibration.largestError(units)),
      ]
    }
    return table
  }
}

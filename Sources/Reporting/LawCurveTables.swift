import Measurement
import ScalingLaws

/// Tables of measured curves and of the laws fitted to them.
extension LawMeasureReports {
  /// The columns that `law fit` and `law plan` read back.
  static func curveTable(_ curves: [JudgedCurve]) -> Table {
    var table = Table(
      columns: [
        "format", "recipe", "block", "q_b", "n", "q_r", "nmse", "delta", "bits_per_element",
        "layers",
      ].map { Column($0) })
    for judged in curves {
      for point in judged.measured.points {
        table.rows.append([
          .string(judged.curve.format), .string(judged.measured.recipe),
          .string(point.point.block), .number(point.point.blockSize), .int(point.parameters),
          .int(1), .number(point.point.error), JSONValue(point.delta),
          .number(point.point.bitsPerElement), .int(point.layers),
        ])
      }
    }
    return table
  }

  static func peopleCurves(_ curves: [JudgedCurve]) -> Table {
    let hasDelta = curves.contains { $0.measured.points.contains { $0.delta != nil } }
    var table = Table(
      columns: [
        Column("format"), Column("block", align: .right),
        .number("q_b", title: "Q_b", .compact(4)),
        .number("bits", title: "bits/elem", .fixed(3)),
        .number("nmse", title: "NMSE", .scientific(4)),
        .number("sqnr", title: "SQNR dB", .fixed(2)),
        .number("delta", title: "sum alpha t²", .scientific(4), isShown: hasDelta),
      ], groupedColumns: 1)
    for judged in curves {
      for point in judged.measured.points {
        table.rows.append([
          .string(judged.curve.format), .string(point.point.block),
          .number(point.point.blockSize), .number(point.point.bitsPerElement),
          .number(point.point.error), JSONValue(point.point.decibels),
          JSONValue(point.delta),
        ])
      }
    }
    return table
  }

  static func peopleFits(_ curves: [JudgedCurve]) -> Table {
    var table = Table(
      columns: [
        Column("format"), Column("trend"), Column("gamma_c", align: .right),
        Column("d", align: .right), .number("correlation", .fixed(3)),
        .number("r2", title: "R²", .fixed(4)), .number("rms", title: "rms of ln", .significant(2)),
        Column("plan goes by"),
      ])
    table.rows = curves.map { judged in
      let start: [JSONValue] = [
        .string(judged.curve.format), .string(judged.curve.trend.rawValue),
      ]
      guard case .success(let law) = judged.law else {
        return start + [.null, .null, .null, .null, .null, .string(judged.planned.name)]
      }
      return start + [
        .string(interval(law.exponent)), .string(interval(law.offset)),
        JSONValue(law.correlation), JSONValue(law.rSquared), .number(law.fit.rms),
        .string(judged.planned.name),
      ]
    }
    return table
  }

  static func fitTable(_ curves: [JudgedCurve]) -> Table {
    var table = Table(
      columns: [
        "format", "trend", "parameters", "correlation_d_gamma_c", "r_squared", "rms", "plan_uses",
        "falls", "problem",
      ].map { Column($0) })
    table.rows = curves.map { judged in
      let falls = judged.curve.falls.map {
        JSONValue.array([.number($0.from.blockSize), .number($0.to.blockSize)])
      }
      let law = try? judged.law.get()
      var problem: String?
      if case .failure(let error) = judged.law { problem = "\(error)" }
      return [
        .string(judged.curve.format), .string(judged.curve.trend.rawValue),
        law.map { parameters($0.fit) } ?? .null, JSONValue(law?.correlation),
        JSONValue(law?.rSquared), JSONValue(law?.fit.rms), .string(judged.planned.name),
        .array(falls), JSONValue(problem),
      ]
    }
    return table
  }

  static func parameters(_ fit: CurveFit) -> JSONValue {
    .object(
      fit.parameters.map { parameter in
        JSONField(
          parameter.symbol,
          .object([
            JSONField("value", .number(parameter.value)),
            JSONField("low", JSONValue(parameter.low)),
            JSONField("high", JSONValue(parameter.high)),
          ]))
      })
  }

  /// `0.42 [0.40, 0.44]`; a parameter at its bound has no interval.
  static func interval(_ parameter: CurveFit.Parameter) -> String {
    let style = NumberStyle.significant(3)
    guard let low = parameter.low, let high = parameter.high else {
      return "\(NumberStyle.compact(3).text(parameter.value)) (at its bound)"
    }
    return "\(style.text(parameter.value)) [\(style.text(low)), \(style.text(high))]"
  }
}
